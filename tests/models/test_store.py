"""A model is found by bundled name, by hub id, and by directory."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory, manifest, store


@pytest.fixture
def pulled(base_model: ModelDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model in the store under `someone/small`, with an unfinished download beside it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    path = store.store() / "someone" / "small"
    shutil.copytree(base_model.path, path)
    shutil.copytree(base_model.path, store.store() / ".partial" / "someone" / "half")
    return path


@pytest.mark.parametrize("name", [store.DEFAULT_MODEL, "asrd-tiny-en"])
def test_bundled_models_are_whole(name: str) -> None:
    model = store.resolve(name)
    assert model.path.parent == store.BUNDLED
    assert manifest.verify(model.path) == []
    assert model.openvino("fp16").is_file()
    assert model.openvino("int8").is_file()


@pytest.mark.parametrize("name", [store.DEFAULT_MODEL, "asrd-tiny-en"])
def test_transformers_computes_with_bundled_models_in_float32_by_default(name: str) -> None:
    """Their weights are stored in float16, in which their front end cannot be computed."""
    network = transformers.Wav2Vec2ForCTC.from_pretrained(store.BUNDLED / name, local_files_only=True)
    assert network.dtype == torch.float32


def test_finds_pulled_models_and_no_half_ones(pulled: Path) -> None:
    assert store.resolve("someone/small").path == pulled
    origins = {found.name: found.origin for found in store.installed()}
    assert origins["someone/small"] == "pulled"
    assert origins[store.DEFAULT_MODEL] == "bundled"
    assert not any("half" in name for name in origins)


def test_opens_a_directory(pulled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.resolve(str(pulled)).path == pulled
    monkeypatch.chdir(pulled.parent)
    assert store.resolve("./small").path == pulled


def test_a_bundled_name_is_not_hijacked_by_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / store.DEFAULT_MODEL).mkdir()
    monkeypatch.chdir(tmp_path)
    assert store.resolve(store.DEFAULT_MODEL).path.parent == store.BUNDLED


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("someone/else", "asrd model pull someone/else"),
        ("nothing", "asrd model list"),
        ("/no/where", "asrd model list"),
    ],
)
def test_an_unknown_model_says_what_to_do(name: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=remedy) as caught:
        store.resolve(name)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_a_ctc_head_is_told_by_its_class(base_model: ModelDirectory, tmp_path: Path) -> None:
    path = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    for name in ("Wav2Vec2ForPreTraining", "Wav2Vec2ForSequenceClassification"):
        (path / "config.json").write_text(json.dumps(config | {"architectures": [name]}), encoding="utf-8")
        with pytest.raises(
            ModelError, match=f"is a {name}, which has no CTC head.*take a checkpoint that was fine-tuned"
        ):
            ModelDirectory.open(path)
    for named in (["Wav2Vec2ForCTC"], None):
        (path / "config.json").write_text(json.dumps(config | {"architectures": named}), encoding="utf-8")
        assert ModelDirectory.open(path).geometry == base_model.geometry


def test_a_pulled_model_can_be_removed(pulled: Path) -> None:
    assert store.remove("someone/small").path == pulled
    assert not pulled.exists()
    assert "someone/small" not in {found.name for found in store.installed()}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (store.DEFAULT_MODEL, "came with asrd; only pulled models can be removed"),
        ("someone/smal", "no model 'someone/smal' was pulled; the nearest: someone/small"),
    ],
)
def test_nothing_else_is_removed(pulled: Path, name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        store.remove(name)
    assert pulled.is_dir()
    assert store.resolve(store.DEFAULT_MODEL).path.is_dir()
