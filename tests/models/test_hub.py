"""Pulling is atomic, checked, resumed where it stopped, and clear about errors."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch

from asrd.backends.registry import fitting
from asrd.core.errors import AsrdError, ModelError, UsageError
from asrd.models import manifest, store
from asrd.models.calibration import UNCALIBRATED
from asrd.models.hub import fetch, pull

from .conftest import COMMIT, LARGE, Hub

NAME = "someone/small"


def test_pulls_what_is_needed_and_checks_it(hub: Hub) -> None:
    model = pull(NAME, endpoint=hub.endpoint)
    assert model.path == store.store() / "someone" / "small"
    assert {name: (model.path / name).read_bytes() for name in hub.files if name != "training_args.bin"} == {
        name: content for name, content in hub.files.items() if name != "training_args.bin"
    }
    assert not (model.path / "training_args.bin").exists()
    assert manifest.read(model.path)["source"] == {"hub": NAME, "revision": COMMIT}
    assert manifest.verify(model.path) == []
    assert store.resolve(NAME) == model
    assert {name for name, _ in hub.asked} == set(hub.files) - {"training_args.bin"}


def test_settings_come_before_weights(hub: Hub) -> None:
    hub.files["config.json"] = b'{"model_type": "whisper"}'
    with pytest.raises(ModelError, match=f"^'{NAME}' is of the type 'whisper', which takes filter-bank features"):
        pull(NAME, endpoint=hub.endpoint)
    assert [name for name, _ in hub.asked] == ["config.json"]


@pytest.mark.parametrize("damaged", ["model.safetensors", "manifest.json"])
def test_a_second_pull_downloads_nothing_or_mends_what_is_damaged(hub: Hub, damaged: str) -> None:
    model = pull(NAME, endpoint=hub.endpoint)
    hub.asked.clear()
    pull(NAME, endpoint=hub.endpoint)
    assert hub.asked == []
    (model.path / damaged).write_bytes(b"rotten")
    pull(NAME, endpoint=hub.endpoint)
    assert manifest.verify(model.path) == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            {"architectures": ["Wav2Vec2ForPreTraining"]},
            "^'someone/small' is a Wav2Vec2ForPreTraining",
        ),
        ({"model_type": "bart"}, "^'someone/small' is of the type 'bart', which asrd does not know"),
    ],
)
def test_what_cannot_run_is_told_by_one_file(hub: Hub, config: dict[str, object], says: str) -> None:
    hub.files["config.json"] = json.dumps(json.loads(hub.files["config.json"]) | config).encode()
    with pytest.raises(ModelError, match=says):
        pull(NAME, endpoint=hub.endpoint)
    assert [name for name, _ in hub.asked] == ["config.json"]


@pytest.fixture
def languages(hub: Hub) -> Hub:
    """A hub whose model has three languages; its own is "eng", and "old" has no adapter."""
    letters = json.loads(hub.files["vocab.json"])
    hub.files["vocab.json"] = json.dumps(dict.fromkeys(("eng", "deu", "fra", "old"), letters)).encode()
    settings = json.loads(hub.files["tokenizer_config.json"])
    hub.files["tokenizer_config.json"] = json.dumps(settings | {"target_lang": "eng"}).encode()
    head = safetensors.torch.load(hub.files["model.safetensors"])
    for language in ("eng", "deu", "fra"):
        adapter = {name: head[name] for name in ("lm_head.weight", "lm_head.bias")}
        hub.files[f"adapter.{language}.safetensors"] = safetensors.torch.save(adapter)
    return hub


def test_of_several_languages_only_the_named_one_is_fetched(languages: Hub) -> None:
    model = pull(f"{NAME}@deu", endpoint=languages.endpoint)
    assert (model.path, model.language) == (store.store() / "someone" / "small", "deu")
    asked = [name for name, _ in languages.asked]
    assert [name for name in asked if name.startswith("adapter")] == ["adapter.deu.safetensors"]
    assert asked[-1] == "model.safetensors"
    assert store.resolve(f"{NAME}@deu") == model
    assert store.resolve(NAME).language == "eng"
    with pytest.raises(ModelError, match=r"lacks adapter.fra.safetensors; .*'asrd model pull someone/small@fra'"):
        store.resolve(f"{NAME}@fra")
    languages.asked.clear()
    pull(f"{NAME}@deu", endpoint=languages.endpoint)
    assert languages.asked == []


def test_another_language_is_added_to_what_is_there(languages: Hub) -> None:
    pull(NAME, endpoint=languages.endpoint)
    pull(f"{NAME}@deu", endpoint=languages.endpoint)
    languages.asked.clear()
    model = pull(f"{NAME}@fra", endpoint=languages.endpoint)
    assert [name for name, _ in languages.asked] == ["adapter.fra.safetensors"]
    assert manifest.verify(model.path) == []
    assert {store.resolve(f"{NAME}@{language}").language for language in ("eng", "deu", "fra")} == {"eng", "deu", "fra"}


@pytest.mark.parametrize(
    ("language", "kind", "says"),
    [
        ("deo", UsageError, "^someone/small has no language 'deo'; the nearest: deu"),
        ("old", ModelError, r"^'someone/small' holds no adapter\.old\.safetensors; choose another language"),
    ],
)
def test_a_language_that_is_not_there_is_told_before_weights_are_fetched(
    languages: Hub, language: str, kind: type[AsrdError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        pull(f"{NAME}@{language}", endpoint=languages.endpoint)
    assert "model.safetensors" not in dict(languages.asked)


def test_what_was_made_of_a_former_checkpoint_goes_with_it(languages: Hub) -> None:
    model = pull(f"{NAME}@deu", endpoint=languages.endpoint)
    shutil.copytree(model.path, model.single)
    manifest.write(model.path, source={"hub": NAME, "revision": OTHER})
    said: list[str] = []
    pull(f"{NAME}@deu", endpoint=languages.endpoint, notice=said.append)
    assert model.single.exists()  # another revision, but the same files
    manifest.write(model.path, source={"hub": NAME, "revision": OTHER})
    languages.files["model.safetensors"] = bytes(LARGE)
    pull(f"{NAME}@deu", endpoint=languages.endpoint, notice=said.append)
    assert not model.single.exists()
    assert said == [f"what was made of the former '{NAME}@deu' does not hold any more; pull it again"]


def test_a_single_file_is_fetched_once(hub: Hub, tmp_path: Path) -> None:
    for _ in range(2):
        path = fetch(NAME, "model.safetensors", tmp_path / "deep" / "one", hub.endpoint)
        assert path.read_bytes() == hub.files["model.safetensors"]
    assert [name for name, _ in hub.asked] == ["model.safetensors"]
    with pytest.raises(ModelError, match=r"'someone/small' holds no other\.bin"):
        fetch(NAME, "other.bin", tmp_path, hub.endpoint)


def test_a_broken_transfer_goes_on_where_it_stopped(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    # What came of the current chunk is lost, and ten megabytes, the usual one, is more than the whole model here.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1024)
    hub.breaks = "model.safetensors"
    with pytest.raises(ModelError, match="pull again") as caught:
        pull(NAME, endpoint=hub.endpoint)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match=f"asrd model pull {NAME}"):
        store.resolve(NAME)  # half a model does not count
    hub.breaks, hub.down = "", False
    hub.asked.clear()
    model = pull(NAME, endpoint=hub.endpoint)
    half = len(hub.files["model.safetensors"]) // 2
    assert hub.asked == [("model.safetensors", half // 1024 * 1024)]  # complete files are not fetched again
    assert (model.path / "model.safetensors").read_bytes() == hub.files["model.safetensors"]


def test_what_another_revision_left_is_no_part_of_the_model(hub: Hub) -> None:
    older = {"preprocessor_config.json": b"{}", "pytorch_model.bin": b"older", "openvino/int8.xml": b"older"}
    hub.files |= older
    hub.breaks = "openvino/int8.xml"
    weights = hub.files.pop("model.safetensors")
    with pytest.raises(ModelError, match="pull again"):
        pull(NAME, endpoint=hub.endpoint)
    hub.breaks, hub.down = "", False
    hub.files = {name: content for name, content in hub.files.items() if name not in older}
    hub.files["model.safetensors"] = weights
    model = pull(NAME, endpoint=hub.endpoint)
    assert set(manifest.read(model.path)["files"]) == set(hub.files) - {"training_args.bin"}
    assert [path.name for path in model.path.rglob("*.part")] == []


@pytest.mark.parametrize("name", ["vocab.json", "model.safetensors"])  # known by git's hash, and by SHA-256
def test_a_damaged_file_is_caught_and_fetched_anew(hub: Hub, name: str) -> None:
    hub.damages = name
    with pytest.raises(ModelError, match=f"{name}.*arrived damaged"):
        pull(NAME, endpoint=hub.endpoint)
    hub.damages = ""
    assert manifest.verify(pull(NAME, endpoint=hub.endpoint).path) == []


def test_two_at_once_do_not_write_to_the_same_files(hub: Hub) -> None:
    refused = []

    def again() -> None:
        with pytest.raises(ModelError, match=f"another process is pulling '{NAME}'") as caught:
            pull(NAME, endpoint=hub.endpoint)
        refused.append(caught.value)

    hub.meanwhile = again
    assert manifest.verify(pull(NAME, endpoint=hub.endpoint).path) == []
    assert len(refused) == 1
    assert pull(NAME, endpoint=hub.endpoint)


CALIBRATION = b'{"times": {"before": 480, "after": 320}, "confidence": null}'
DECODING = b'{"lm": "en", "lm_weight": 0.5, "word_bonus": 1}'
OTHER = "f" * 40
"""Another commit."""


@pytest.mark.parametrize("revision", [COMMIT, OTHER], ids=["damaged", "another revision with the same files"])
def test_what_was_learned_of_a_checkpoint_stays_with_it(hub: Hub, revision: str) -> None:
    model = pull(NAME, endpoint=hub.endpoint)
    for name, content in (("calibration.json", CALIBRATION), ("decoding.json", DECODING)):
        manifest.keep(model.path, name, json.loads(content))
    learned = {name: (model.path / name).read_bytes() for name in ("calibration.json", "decoding.json")}
    manifest.write(model.path, source={"hub": NAME, "revision": revision})
    if revision == COMMIT:
        (model.path / "model.safetensors").write_bytes(b"rotten")
    said: list[str] = []
    again = pull(NAME, endpoint=hub.endpoint, notice=said.append)
    assert again.calibration.before == 480
    assert {name: (again.path / name).read_bytes() for name in learned} == learned
    assert (manifest.verify(again.path), said) == ([], [])


@pytest.mark.parametrize("content", [CALIBRATION, b"{"], ids=["of other weights", "damaged"])
def test_what_does_not_hold_any_more_is_named(hub: Hub, content: bytes) -> None:
    model = pull(NAME, endpoint=hub.endpoint)
    (model.path / "calibration.json").write_bytes(content)
    if content == CALIBRATION:
        manifest.write(model.path, source={"hub": NAME, "revision": OTHER})
        hub.files["model.safetensors"] = bytes(LARGE)
    said: list[str] = []
    again = pull(NAME, endpoint=hub.endpoint, notice=said.append)
    assert again.calibration == UNCALIBRATED
    assert ["'asrd calibrate-confidence'" in line for line in said] == [True]
    assert manifest.verify(again.path) == []


def test_weights_in_pieces(hub: Hub) -> None:
    whole = hub.files.pop("model.safetensors")
    hub.files |= {
        "model.safetensors.index.json": b"{}",
        "model-00001-of-00002.safetensors": whole[:20_000],
        "model-00002-of-00002.safetensors": whole[20_000:],
        "pytorch_model.bin": b"the same again in the older format",
    }
    pull(NAME, endpoint=hub.endpoint)
    assert [name for name, _ in hub.asked if name not in ("config.json", "processor_config.json")][2:] == [
        "model.safetensors.index.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]


@pytest.mark.parametrize(
    ("name", "revision", "kind", "message"),
    [
        ("someone/else", "main", UsageError, "no model 'someone/else'"),
        (NAME, "v9", UsageError, "no revision 'v9'"),
        ("../secrets", "main", UsageError, "not a hub id"),
        ("a/b/c", "main", UsageError, "not a hub id"),
    ],
)
def test_what_is_not_there_is_one_line(hub: Hub, name: str, revision: str, kind: type[AsrdError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        pull(name, revision, endpoint=hub.endpoint)
    assert "\n" not in str(caught.value)


def test_a_repository_without_weights_says_so(hub: Hub) -> None:
    del hub.files["model.safetensors"]
    with pytest.raises(ModelError, match="no PyTorch checkpoint"):
        pull(NAME, endpoint=hub.endpoint)


def _asrd(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asrd.cli.main", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
def test_the_command_pulls_and_converts(hub: Hub) -> None:
    done = _asrd("model", "pull", NAME, HF_ENDPOINT=hub.endpoint)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"use it: asrd start --model {NAME}\n" in done.stdout
    assert f"with a language model, if it is English: asrd start --model {NAME} --lm en\n" in done.stdout
    model = store.resolve(NAME)
    assert fitting(model) == "fp16"
    checked = _asrd("start", "--check", "-s", "pcm:-", "--model", NAME)
    assert (checked.returncode, checked.stdout.count("fp16")) == (0, 1), checked.stderr
    assert model.openvino("fp16").is_file()
    assert _asrd("model", "verify", NAME).returncode == 0
    model.openvino("fp16").with_suffix(".bin").write_bytes(b"rotten")
    assert _asrd("model", "verify", NAME).returncode == 1


@pytest.mark.slow
def test_an_unreachable_or_forbidden_hub_is_one_line(hub: Hub) -> None:
    hub.down = True
    for environment, words in (
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "failed"),
        ({"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": hub.endpoint}, "HF_HUB_OFFLINE"),
    ):
        done = _asrd("model", "pull", NAME, **environment)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
