"""`asrd compare` makes one table, JSON or a page from one run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from asrd.cli.main import asrd
from asrd.core.errors import ModelError, UsageError
from asrd.models import ModelDirectory

Compare = Callable[..., Result]


@pytest.fixture
def compare(base_model: ModelDirectory, manifest: Path) -> Compare:
    """Run the command on the small random model and the small data set."""

    def run(*arguments: str | Path) -> Result:
        usual = ["--model", str(base_model.path), "--dataset", str(manifest), "--backends", "torch,fp16"]
        return CliRunner().invoke(asrd, ["compare", *usual, *map(str, arguments)])

    return run


def test_json_has_the_figures_of_every_backend(compare: Compare, base_model: ModelDirectory, manifest: Path) -> None:
    done = compare("--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["model", "dataset", "utterances", "seed", "machine", "lost", "backends"]
    assert found["machine"]["cores"] >= 1
    for value, low, high in found["lost"].values():
        assert low <= value <= high  # none lost, where the random model had nothing right
    assert (found["model"], found["dataset"]) == (base_model.name, str(manifest))
    assert (found["utterances"], found["seed"]) == (6, 0)
    assert list(found["backends"]) == ["torch", "fp16"]
    for figures in found["backends"].values():
        assert set(figures) == {
            *("arithmetic", "wer", "cer", "words", "characters", "exact_match"),
            *("window_ms", "times_first", "real_time_factor", "bytes"),
        }
        assert figures["arithmetic"] == "f32"
        assert figures["words"] == 12
        value, low, high = figures["wer"]
        assert 0 < low <= value <= high
        assert 0 < figures["window_ms"]["p10"] <= figures["window_ms"]["median"] <= figures["window_ms"]["p90"]
    assert found["backends"]["torch"]["times_first"] == 1
    assert found["backends"]["torch"]["exact_match"] == 1


def test_the_table_states_arithmetic_and_the_rule_for_texts(compare: Compare, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = compare("--limit", "2", "--html", page)
    assert done.exit_code == 0, done.stderr
    costs = "fp16 leaves WER as it is (95 % interval"
    for words in ("torch", "fp16", "f32", "WER", "CER", "RTF", "4 words of 2 utterances", "upper case", costs):
        assert words in done.stdout
    assert "torch" in page.read_text(encoding="utf-8")
    assert f"wrote {page}" in done.stderr


def test_the_seed_chooses_the_clips(compare: Compare, manifest: Path) -> None:
    lines = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
    longer = [{**line, "text": "word " * 2**index} for index, line in enumerate(lines)]  # each sum tells which
    manifest.write_text("\n".join(map(json.dumps, longer)), encoding="utf-8")
    words = []
    for seed in (1, 1, 2, 3):
        done = compare("--backends", "fp16", "--json", "--limit", "2", "--seed", str(seed))
        words.append(json.loads(done.stdout)["backends"]["fp16"]["words"])
    assert words[0] == words[1]
    assert len(set(words)) > 1


def test_clips_that_cannot_be_used_are_named_and_left_out(compare: Compare, manifest: Path) -> None:
    manifest.with_name("2.wav").write_text("no audio", encoding="utf-8")
    done = compare("--json")
    assert json.loads(done.stdout)["utterances"] == 5
    assert "skipped 2.wav" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--backends", ""], UsageError),
        (["--backends", "fp16,fp16"], UsageError),
        (["--backends", "fp16,abacus"], UsageError),
        (["--backends", "int8"], ModelError),  # the random model has none
        (["--dataset", "nowhere"], UsageError),
        (["--backends", "fp16", "--limit", "1", "--html", "/nowhere/at/all.html"], UsageError),
    ],
)
def test_what_is_wrong_is_said_in_one_line(compare: Compare, arguments: list[str], error: type[Exception]) -> None:
    done = compare(*arguments)
    assert isinstance(done.exception, error)
    assert "\n" not in str(done.exception)
    assert "reading" not in done.stderr  # for nothing


def test_a_narrow_terminal_shows_rates_whole(compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    shown = compare("--limit", "2").stdout
    assert "–" in shown
    assert "…" not in "".join(line for line in shown.splitlines() if "–" in line)
