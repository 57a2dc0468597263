"""Hot words: what may be one, where they are kept, and that a running daemon takes them."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.core.control import AddWords, ClearWords, LearnWords, ListWords, RemoveWords
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import Final, Status
from asrd.core.flow import FloatArray
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.hotwords import MOST, HotWords
from asrd.models import ModelDirectory

from .conftest import Harness


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "words.json"


@pytest.fixture
def words(file: Path, bundled: ModelDirectory) -> HotWords:
    return HotWords(file, make_decoding(DecoderOptions("beam", lm="none"), bundled))


def test_they_are_kept_over_restarts(words: HotWords, file: Path, bundled: ModelDirectory) -> None:
    assert words.boosts == {}
    words.answer(AddWords({"Saoirse": 8.0, "Niamh Reilly": 5.0}))
    again = HotWords(file, make_decoding(DecoderOptions("beam", lm="none"), bundled))
    assert again.boosts == {"Saoirse": 8.0, "Niamh Reilly": 5.0}
    again.answer(RemoveWords(["niamh  reilly"]))
    assert words.answer(ListWords()) == {"Saoirse": 8.0}
    assert words.answer(ClearWords()) == {}
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_word_is_one_however_it_is_written(words: HotWords) -> None:
    words.add({"saoirse": 8.0})
    assert words.add({"SAOIRSE": 4.0, "Saoirse": 3.0}) == {"Saoirse": 3.0}


@pytest.mark.parametrize(
    ("boosts", "fault"),
    [
        ({"Zoë": 8.0}, "cannot spell 'Zoë': it has no 'ë'"),
        ({"R2D2": 8.0}, "cannot spell"),
        ({" ": 8.0}, "at least one letter"),
        ({"a" * 101: 8.0}, "100 letters at most"),
        ({"ok": 0.0}, "must lie above 0 and be 30 at most"),
        ({"ok": 31.0}, "must lie above 0 and be 30 at most"),
        ({"ok": float("nan")}, "must lie above 0 and be 30 at most"),
        (dict.fromkeys(["x" * n for n in range(1, 101)] + [f"{'y' * n} z" for n in range(1, 99)], 1.0), ""),
    ],
)
def test_what_cannot_be_a_hot_word_is_refused_whole(words: HotWords, boosts: dict[str, float], fault: str) -> None:
    if fault:
        with pytest.raises(UsageError, match=fault):
            words.add({"fine": 8.0} | boosts)
        assert words.boosts == {}
    else:
        assert len(words.add(boosts)) == len(boosts)


def test_many_are_removed_without_holding_up_the_daemon(words: HotWords, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audio waits meanwhile: each is spelled once, not once for every other."""
    many, spelled, spell = [f"{'x' * n} y" for n in range(1, 51)], 0, words._spelled

    def count(text: str) -> object:
        nonlocal spelled
        spelled += 1
        return spell(text)

    words.add(dict.fromkeys(many, 1.0))
    monkeypatch.setattr(words, "_spelled", count)
    assert words.remove(many) == {}
    assert spelled == 2 * len(many)


def test_there_are_only_so_many(words: HotWords) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    many = {a + b + c: 1.0 for a in letters for b in letters for c in letters}
    words.add(dict(list(many.items())[:MOST]))
    with pytest.raises(UsageError, match="there may be 1000 hot words"):
        words.add({"onemore": 1.0})


def test_what_is_no_hot_word_cannot_be_removed(words: HotWords) -> None:
    words.add({"Saoirse": 8.0})
    with pytest.raises(UsageError, match="'Niamh' is no hot word"):
        words.remove(["Saoirse", "Niamh"])
    assert words.boosts == {"Saoirse": 8.0}


def test_those_of_another_model_are_kept_but_not_used(file: Path, words: HotWords) -> None:
    words.add({"Saoirse": 8.0})
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | {"Zoë": 8.0}), encoding="utf-8")
    assert words.add({"Niamh": 2.0}) == {"Saoirse": 8.0, "Zoë": 8.0, "Niamh": 2.0}
    assert words.boosts == {"Saoirse": 8.0, "Niamh": 2.0}


@pytest.mark.parametrize("content", ["{", "[1]", '{"a": "b"}', "7"])
def test_a_damaged_file_is_said_and_left_alone(file: Path, bundled: ModelDirectory, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content, encoding="utf-8")
    with pytest.raises(AsrdError, match=r"words\.json cannot be read \((?!.*attribute).*\); fix or remove it"):
        HotWords(file, make_decoding(DecoderOptions("greedy"), bundled))
    assert file.read_text(encoding="utf-8") == content


def test_greedy_decoding_knows_none(file: Path, bundled: ModelDirectory) -> None:
    words = HotWords(file, make_decoding(DecoderOptions("greedy"), bundled))
    with pytest.raises(UsageError, match="--decoder beam"):
        words.add({"Saoirse": 8.0})
    with pytest.raises(UsageError, match="greedy decoding uses no language model"):
        make_decoding(DecoderOptions("greedy", lm="en"), bundled)


def test_learning_takes_what_the_language_model_does_not_know(file: Path, bundled: ModelDirectory) -> None:
    arpa = file.parent.parent / "tiny.arpa"
    arpa.write_text(
        "\\data\\\nngram 1=3\nngram 2=1\n\n\\1-grams:\n-1\t<s>\t0\n-1\t</s>\n-1\tmet\t0\n\n"
        "\\2-grams:\n-1\t<s> met\n\n\\end\\\n",
        encoding="utf-8",
    )
    words = HotWords(file, make_decoding(DecoderOptions("beam", lm=str(arpa)), bundled))
    assert words.answer(LearnWords(["met", "Niamh", "Zoë"], 6.0)) == {"Niamh": 6.0}
    assert words.boosts == {"Niamh": 6.0}


async def test_a_running_daemon_takes_them(harness: Harness, sentences: list[FloatArray], tmp_path: Path) -> None:
    """A word that nothing in the audio speaks for leaves it alone; one that sounds like it takes its place."""

    def asrd_words(*arguments: str) -> dict[str, float]:
        command = ["words", *arguments, "--control", harness.control_address, "--json"]
        result = CliRunner().invoke(asrd, command, catch_exceptions=False)
        assert result.exit_code == 0
        return json.loads(result.stdout)

    async with harness.running():
        await harness.play(sentences[1])
        first = await harness.until(lambda item: isinstance(item, Final))
        longest = max(first.text.split(), key=len)
        wanted = longest[:-1]  # nobody says it, but it sounds nearly the same
        assert await asyncio.to_thread(asrd_words, "add", wanted, "--boost", "30") == {wanted: 30.0}
        await harness.until(lambda item: isinstance(item, Status) and item.words == (wanted,))
        assert await asyncio.to_thread(asrd_words, "list") == {wanted: 30.0}
        await harness.play(sentences[1])
        await harness.until(lambda item: len(harness.of(Final)) == 2)
        assert wanted in harness.of(Final)[1].text.split()
        state = await asyncio.to_thread(harness.control.status)
        assert (state.decoder, state.hot_words) == ("beam", 1)
        assert await asyncio.to_thread(asrd_words, "clear") == {}
