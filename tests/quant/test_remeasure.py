"""`asrd model verify --measure` measures recorded figures again on the recorded clips."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from asrd.backends import LoadOptions, load
from asrd.cli.main import asrd
from asrd.core.errors import AudioError, ModelError, UsageError
from asrd.models import ModelDirectory
from asrd.models import manifest as manifests
from asrd.quant.data import dataset, fingerprint
from asrd.quant.evaluation.figures import figures
from asrd.quant.evaluation.measure import measure
from asrd.quant.evaluation.remeasure import TOLERANCE, Repeated, repeatable
from asrd.training.card import evaluate
from tests.training.test_learning import Silent

TEST = ["1.wav", "4.wav"]
Verify = Callable[..., Result]
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def model(base_model: ModelDirectory, manifest: Path, tmp_path: Path) -> ModelDirectory:
    """A copy of the random model whose manifest records what FP16 measures on two clips."""
    shutil.copytree(base_model.path, tmp_path / "model")
    copy = ModelDirectory.open(tmp_path / "model")
    clips = [clip for clip in dataset(str(manifest)) if clip.id in TEST]
    measured = measure({"fp16": load("fp16", copy, LoadOptions(cache=False))}, clips)
    record = {
        "dataset": str(manifest),
        "split": {"calibration": ["0.wav"], "validation": ["2.wav"], "test": TEST},
        "data": {"test": fingerprint(clips)},
        "measured": {row.backend: row.plain() for row in figures(measured, {})},
    }
    manifests.write(copy.path, quantization=record)
    return copy


@pytest.fixture
def verify(model: ModelDirectory) -> Verify:
    """Run the command on it."""
    return lambda *arguments: CliRunner().invoke(
        asrd, ["model", "verify", str(model.path), "--measure", *map(str, arguments)]
    )


def edit(model: ModelDirectory, change: Edit) -> None:
    record = manifests.read(model.path)["quantization"]
    change(record)
    manifests.write(model.path, quantization=record)


def test_what_is_true_holds(verify: Verify) -> None:
    done = verify()
    assert done.exit_code == 0, done.exception
    for words in ("files are as the manifest says", "fp16", "WER", "CER", "yes"):
        assert words in done.stdout
    report = json.loads(verify("--json").stdout)
    assert report["ok"]
    assert [(rate["backend"], rate["metric"], rate["holds"]) for rate in report["measured"]] == [
        ("fp16", "wer", True),
        ("fp16", "cer", True),
    ]


def test_what_is_not_true_fails_with_both_figures(model: ModelDirectory, verify: Verify) -> None:
    was = manifests.read(model.path)["quantization"]["measured"]["fp16"]["cer"][0]

    def boast(record: dict[str, Any]) -> None:
        record["measured"]["fp16"]["cer"][0] = was - 2 * TOLERANCE

    edit(model, boast)
    done = verify("--json")
    assert isinstance(done.exception, ModelError)
    message = str(done.exception)
    assert f"1 of 2 rates of {model.path} do not hold" in message
    assert f"{100 * was:.2f} % CER" in message
    assert f"{100 * (was - 2 * TOLERANCE):.2f} % was recorded" in message
    report = json.loads(done.stdout)
    assert not report["ok"]
    assert [rate["holds"] for rate in report["measured"]] == [True, False]


def test_other_processors_may_round_otherwise() -> None:
    assert Repeated("int8", "wer", 0.1, 0.1049).holds
    assert Repeated("int8", "wer", 0.1, 0.0951).holds
    assert not Repeated("int8", "wer", 0.1, 0.1051).holds


def test_a_test_set_of_the_card_is_measured_too(model: ModelDirectory, verify: Verify, manifest: Path) -> None:
    manifests.write(model.path, evaluation=evaluate(model, {"mine": str(manifest)}, Silent()))
    done = verify("--json", "--test", f"mine={manifest}")
    assert done.exit_code == 0, done.exception
    rates = {(rate["test"], rate["backend"], rate["metric"]) for rate in json.loads(done.stdout)["measured"]}
    metrics = {"wer", "cer", "final wer", "final cer"}
    assert rates >= {("mine", backend, metric) for backend in ("torch", "fp16") for metric in metrics}
    assert "fp16 on mine" in verify("--test", f"mine={manifest}").stdout


def test_a_test_set_that_the_card_lacks_is_refused(verify: Verify, manifest: Path) -> None:
    done = verify("--test", f"other={manifest}")
    assert isinstance(done.exception, UsageError)
    assert "no test set 'other'" in str(done.exception)


def test_changed_files_are_reported_without_measuring(model: ModelDirectory, verify: Verify) -> None:
    vocabulary = model.path / "vocab.json"
    vocabulary.write_bytes(vocabulary.read_bytes() + b" ")
    done = verify("--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["ok"], report["measured"]) == (False, [])
    assert report["problems"][0]["file"] == "vocab.json"


def test_a_data_set_that_moved_can_be_named(model: ModelDirectory, verify: Verify, manifest: Path) -> None:
    edit(model, lambda record: record.update(dataset="/nowhere/speech.jsonl"))
    done = verify()
    assert isinstance(done.exception, AudioError)
    assert "not at hand" in str(done.exception)
    assert "--dataset" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert verify("--dataset", manifest).exit_code == 0


def test_of_clips_listed_twice_the_first_was_measured(verify: Verify, manifest: Path) -> None:
    lines = manifest.read_text(encoding="utf-8").splitlines()
    manifest.write_text("\n".join([*lines, lines[4].replace("utterance 4", "utterance four")]), encoding="utf-8")
    assert verify().exit_code == 0


def test_other_clips_are_not_taken_for_the_same(model: ModelDirectory, verify: Verify, manifest: Path) -> None:
    lines = manifest.read_text(encoding="utf-8").splitlines()
    manifest.write_text("\n".join(lines).replace("utterance 4", "utterance four"), encoding="utf-8")
    done = verify()
    assert isinstance(done.exception, AudioError)
    assert "changed" in str(done.exception)
    manifest.write_text("\n".join(lines[:4]), encoding="utf-8")
    done = verify()
    assert isinstance(done.exception, AudioError)
    assert "lacks 1 of the clips of the measurement, 4.wav first" in str(done.exception)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.clear(),
        lambda record: record.pop("dataset"),
        lambda record: record.update(split=["1.wav"]),
        lambda record: record["measured"].update(fp16={"wer": 0.5, "cer": 0.5}),
        lambda record: record["measured"].clear(),
        lambda record: record["split"]["test"].clear(),
    ],
)
def test_without_a_record_there_is_nothing_to_repeat(model: ModelDirectory, verify: Verify, change: Edit) -> None:
    edit(model, change)
    done = verify()
    assert isinstance(done.exception, ModelError)
    assert "manifest" in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_proof_on_speech_that_is_not_here_gives_way_to_what_ships(model: ModelDirectory) -> None:
    """Unless the place of that speech is named, the card's figures on bundled speech are repeated."""
    facts = manifests.read(model.path)["quantization"]
    row = {"wer": [0.5, 0.4, 0.6], "cer": [0.2, 0.1, 0.3]}
    card = {"dataset": "bundled", "clips": ["a"], "mark": "", "backends": {"fp16": row}}
    manifests.write(model.path, evaluation={"ours": card, "theirs": {**card, "dataset": "theirs.jsonl"}})
    assert [one.test for one in repeatable(model, "")] == ["ours"]
    assert [one.test for one in repeatable(model, "somewhere")] == [""]
    manifests.write(model.path, quantization={**facts, "dataset": "bundled"})
    assert [one.test for one in repeatable(model, "")] == [""]
    manifests.write(model.path, quantization=facts, evaluation={})
    assert [one.test for one in repeatable(model, "")] == [""]
