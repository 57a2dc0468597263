"""A model directory is read as it is; each fault is reported in one line that says where it is."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from asrd.core.errors import ModelError
from asrd.models import ModelDirectory
from asrd.models.checkpoint import load_checkpoint


@pytest.fixture
def copy(base_model: ModelDirectory, tmp_path: Path) -> Path:
    """A model directory to damage."""
    return Path(shutil.copytree(base_model.path, tmp_path / "model"))


def edit(path: Path, **changes: object) -> None:
    """Set keys of a JSON object; None removes one."""
    content = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")


def one_line(error: pytest.ExceptionInfo[ModelError]) -> str:
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


def test_everything_is_derived_from_the_checkpoint(
    bundled: ModelDirectory, base_model: ModelDirectory, lv60_model: ModelDirectory
) -> None:
    for model in (bundled, base_model, lv60_model):
        config = json.loads((model.path / "config.json").read_text(encoding="utf-8"))
        assert model.geometry.kernels == tuple(config["conv_kernel"])
        assert len(model.vocabulary) == config["vocab_size"]
        assert model.vocabulary.blank == config["pad_token_id"]
        assert model.has_weights
    assert base_model.normalize
    assert not base_model.attention_mask
    assert lv60_model.attention_mask


def test_a_directory_is_known_by_its_own_name(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)
    assert ModelDirectory.open(Path()).name == "model"


def test_older_checkpoints_keep_the_audio_settings_elsewhere(copy: Path) -> None:
    settings = json.loads((copy / "processor_config.json").read_text(encoding="utf-8"))["feature_extractor"]
    (copy / "processor_config.json").unlink()
    (copy / "preprocessor_config.json").write_text(json.dumps({**settings, "do_normalize": False}), encoding="utf-8")
    assert not ModelDirectory.open(copy).normalize


def remove(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).unlink()


def write(name: str, text: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        (path / name).write_text(text, encoding="utf-8")

    return damage


def change(name: str, **changes: object) -> Callable[[Path], None]:
    return lambda path: edit(path / name, **changes)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (shutil.rmtree, "no model directory at"),
        (remove("config.json"), r"config\.json cannot be read \(No such file"),
        (write("config.json", "{"), r"config\.json is not valid JSON"),
        (write("config.json", "[]"), r"config\.json must hold a JSON object"),
        (change("config.json", model_type="whisper"), "is of the type 'whisper', which takes filter-bank features"),
        (change("config.json", conv_stride=None), "conv_kernel and conv_stride must be"),
        (change("config.json", vocab_size="many"), "vocab_size"),
        (remove("processor_config.json"), r"lacks preprocessor_config\.json"),
        (change("processor_config.json", feature_extractor={"sampling_rate": 8000}), "trained on 8000 Hz"),
        (change("processor_config.json", feature_extractor="none"), r"processor_config\.json"),
        (remove("vocab.json"), r"vocab\.json cannot be read"),
        (write("vocab.json", "\0"), r"vocab\.json is not valid JSON"),
        (write("vocab.json", '{"A": "first"}'), "map each letter to its index"),
        (write("vocab.json", '{"<pad>": 0, "A": 1}'), "letters but the model has 32 outputs"),
        (change("vocab.json", Ä=32), "names 33 letters but the model has 32 outputs"),
        (change("vocab.json", E=6), "names 32 letters but the model has 32 outputs"),
        (change("tokenizer_config.json", pad_token="[PAD]"), r"lacks the blank, which the tokenizer calls '\[PAD\]'"),
        (write("tokenizer_config.json", "nonsense"), r"tokenizer_config\.json is not valid JSON"),
        (write("added_tokens.json", "nonsense"), r"added_tokens\.json is not valid JSON"),
    ],
)
def test_a_damaged_directory(copy: Path, damage: Callable[[Path], None], says: str) -> None:
    ModelDirectory.open(copy)
    damage(copy)
    with pytest.raises(ModelError, match=says) as error:
        ModelDirectory.open(copy)
    assert str(copy) in one_line(error) or "config.json: " in one_line(error)


def without_a_tensor(path: Path) -> None:
    tensors = load_file(path / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})


def with_a_stranger(path: Path) -> None:
    tensors = load_file(path / "model.safetensors")
    save_file(
        {**tensors, "stranger": tensors["lm_head.bias"].clone()}, path / "model.safetensors", metadata={"format": "pt"}
    )


def with_another_shape(path: Path) -> None:
    tensors = load_file(path / "model.safetensors")
    tensors["lm_head.bias"] = tensors["lm_head.bias"][:-1].clone()
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})


def truncated(path: Path) -> None:
    weights = path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (without_a_tensor, r"1 missing tensors, first lm_head\.weight"),
        (with_a_stranger, "1 unexpected tensors, first stranger"),
        (with_another_shape, r"lm_head\.bias|cannot be loaded"),
        (truncated, "cannot be loaded"),
        (remove("model.safetensors"), "cannot be loaded"),
    ],
)
def test_a_checkpoint_is_loaded_whole_or_not_at_all(copy: Path, damage: Callable[[Path], None], says: str) -> None:
    load_checkpoint(ModelDirectory.open(copy))
    damage(copy)
    with pytest.raises(ModelError, match=says) as error:
        load_checkpoint(ModelDirectory.open(copy))
    assert str(copy) in one_line(error)


def test_pytorch_weights_will_do(copy: Path) -> None:
    assert ModelDirectory.open(copy).has_weights
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    assert ModelDirectory.open(copy).has_weights
    (copy / "pytorch_model.bin").unlink()
    assert not ModelDirectory.open(copy).has_weights
