"""One reader takes tables of all usual kinds; what is wrong with a row is told by its line."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import FloatArray
from asrd.quant.data import Checked, check, dataset, fingerprint, read
from asrd.quant.data.columns import AUDIO, SPEAKERS, TRANSCRIPTS, named
from asrd.quant.data.fields import SEPARATORS
from asrd.quant.data.lines import objects


@pytest.fixture
def one(tmp_path: Path, babble: FloatArray) -> Path:
    """A folder with three clips: one.wav, clips/two.wav and wavs/three.wav."""
    for name in ("one.wav", "clips/two.wav", "wavs/three.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        soundfile.write(tmp_path / name, babble[:16_000], 16_000)
    return tmp_path


def checked(path: Path, content: str | bytes) -> Checked:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check(dataset(str(path)))


def texts(path: Path, content: str | bytes) -> list[tuple[str, str, str]]:
    found = checked(path, content)
    assert found.skipped == []
    return [(clip.id, clip.text, clip.speaker) for clip in found.clips]


@pytest.mark.parametrize(
    ("row", "text", "speaker"),
    [
        ({"audio": "one.wav", "text": "A", "speaker": "x", "seconds": "any"}, "A", "x"),
        ({"audio_filepath": "one.wav", "duration": 0.01, "text": "A", "offset": None}, "A", ""),
        ({"audio_filepath": "one.wav", "duration": 1e9, "text": "A"}, "A", ""),
        ({"file_name": "one.wav", "sentence": "A", "client_id": 7}, "A", "7"),
        ({"File Name": "one.wav", "Normalized-Text": "A"}, "A", ""),
        ({"wav_filename": "one.wav", "transcript": 5}, "5", ""),
    ],
)
def test_columns_have_the_names_that_others_give_them(one: Path, row: dict[str, Any], text: str, speaker: str) -> None:
    """A duration alone neither cuts nor counts: the length is what is read."""
    assert texts(one / "m.jsonl", json.dumps(row)) == [("one.wav", text, speaker)]
    assert len(read(dataset(str(one / "m.jsonl"))[0])) == 16_000
    assert texts(one / "m.json", json.dumps(row)) == [("one.wav", text, speaker)]  # NeMo calls its manifests so


def test_json_lines_end_where_lines_end(one: Path) -> None:
    """A mark at the beginning, carriage returns and blank lines are no content; other separators are no line ends."""
    inside = "A\u2028B\u2029C\u0085D\x0bE"
    row = json.dumps({"audio": "one.wav", "text": inside}, ensure_ascii=False).replace("\\u000b", "\\u000b")
    second = '{"audio": "wavs/three.wav", "text": "F"}'
    assert texts(one / "m.jsonl", f"\ufeff\r\n{row}\r\n\r\n{second}\r\n") == [
        ("one.wav", inside, ""),
        ("wavs/three.wav", "F", ""),
    ]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_text_survives_json_lines(said: list[str]) -> None:
    content = "\r\n".join(json.dumps({"text": text}, ensure_ascii=False) for text in said)
    assert [row for _, row in objects(content)] == [{"text": text} for text in said]


def test_an_offset_cuts_a_longer_recording(one: Path) -> None:
    rows = [
        {"audio_filepath": "one.wav", "offset": 0.25, "duration": 0.5, "text": "A"},
        {"audio_filepath": "one.wav", "offset": 0.0, "duration": 0.25, "text": "B"},
        {"audio_filepath": "one.wav", "offset": 0.75, "text": "C"},
        {"audio_filepath": "one.wav", "offset": 0.75, "duration": 0.5, "text": "a little too long"},
        {"audio_filepath": "one.wav", "offset": 0.5, "duration": 2, "text": "much too long"},
        {"audio_filepath": "one.wav", "offset": 30, "duration": 2, "text": "not there"},
        {"audio_filepath": "one.wav", "offset": -1, "duration": 2, "text": "before"},
        {"audio_filepath": "one.wav", "offset": "soon", "duration": 2, "text": "no time"},
        {"audio_filepath": "one.wav", "offset": 0.5, "duration": 0, "text": "nothing"},
    ]
    found = checked(one / "m.jsonl", "\n".join(map(json.dumps, rows)))
    whole, _ = soundfile.read(one / "one.wav", dtype="float32")
    assert [clip.id for clip in found.clips] == [
        "one.wav@0.250-0.750",
        "one.wav@0.000-0.250",
        "one.wav@0.750-inf",
        "one.wav@0.750-1.250",
    ]
    cuts = [whole[4000:12_000], whole[:4000], whole[12_000:], whole[12_000:]]
    for clip, cut in zip(found.clips, cuts, strict=True):
        assert np.array_equal(read(clip), cut)
    assert [(name, why) for name, why in found.skipped] == [
        ("one.wav@0.500-2.500", "ends at 2.5 s, 1.5 s after its file; fix the data set (m.jsonl, line 5)"),
        ("one.wav@30.000-32.000", "begins at 30 s, after the end of its file; fix the data set (m.jsonl, line 6)"),
        ("m.jsonl, line 7", "is said to last from -1 s to 1 s, which is no part of a file"),
        ("m.jsonl, line 8", "has 'soon' where a time in seconds is needed"),
        ("m.jsonl, line 9", "is said to last from 0.5 s to 0.5 s, which is no part of a file"),
    ]
    marks = {fingerprint([clip]) for clip in found.clips}
    assert len(marks) == 4
    assert marks == {fingerprint([clip]) for clip in dataset(str(one / "m.jsonl"))[:4]}


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg", "opus"])
def test_every_format_is_cut_where_it_should_be(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 160_000)
    kind = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    soundfile.write(tmp_path / f"a.{suffix}", noise, 16_000, **kind)
    rows = [{"audio": f"a.{suffix}", "text": "A"}, {"audio": f"a.{suffix}", "text": "B", "offset": 3, "duration": 2}]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    whole, cut = map(read, dataset(str(tmp_path / "m.jsonl")))
    np.testing.assert_allclose(cut, whole[48_000:80_000], atol=1e-6)


@pytest.mark.parametrize("unknown", [None, "", "  ", "nan", "NaN", "None", "null", float("nan")])
def test_a_speaker_who_is_unknown_is_none(one: Path, unknown: object) -> None:
    row = {"audio": "one.wav", "text": "A", "speaker": unknown}
    assert texts(one / "m.jsonl", json.dumps(row)) == [("one.wav", "A", "")]
    written = "" if unknown is None else unknown
    assert texts(one / "m.csv", f"audio,text,speaker\none.wav,A,{written}\n") == [("one.wav", "A", "")]


def test_a_bad_line_is_told_and_the_rest_is_used(one: Path) -> None:
    rows = [
        '{"audio": "one.wav", "text": "HI"}',
        "{",
        "3",
        '{"audio": "a.wav"}',
        '{"text": "B"}',
        '{"audio": "", "text": "B"}',
        '{"audio": "a\\u0000.wav", "text": "B"}',
        '{"audio": "one.wav", "text": ["B"]}',
        '{"audio": "one.wav", "text": "\\ud800"}',
        '{"audio": "gone.wav", "text": "B"}',
        '{"audio": "%s", "text": "B"}' % ("long" * 100),
        '{"audio": "wavs/three.wav", "text": null}',
        "[" * 100_000,
    ]
    found = checked(one / "m.jsonl", "\n".join(rows))
    assert [clip.id for clip in found.clips] == ["one.wav"]
    told = dict(found.skipped)
    json_object = 'is no JSON object such as {"audio": "a.flac", "text": "HELLO"}; write one a line'
    for line in (2, 3, 13):
        assert told[f"m.jsonl, line {line}"] == json_object
    assert told["m.jsonl, line 4"].startswith("has no transcripts, in a column text, ")
    assert told["m.jsonl, line 5"].startswith("has no audio, in a column audio, ")
    assert told["m.jsonl, line 6"] == told["m.jsonl, line 7"] == "names no audio"
    assert told["m.jsonl, line 8"] == "has a list where text is needed in 'text'"
    assert told["m.jsonl, line 9"] == "has half a surrogate pair in 'text'"
    assert told["gone.wav"] == "cannot be read (No such file or directory); fix the data set (m.jsonl, line 10)"
    assert told["long" * 100] == "cannot be read (File name too long); fix the data set (m.jsonl, line 11)"
    assert told["wavs/three.wav"] == "no transcript (m.jsonl, line 12)"
    assert len(told) == len(rows) - 1


def test_a_manifest_without_a_sound_line_is_refused(one: Path) -> None:
    with pytest.raises(AudioError, match=r"m\.jsonl, line 2 is no JSON object such as"):
        checked(one / "m.jsonl", "\n{\n3")
    with pytest.raises(AudioError, match=r"m\.jsonl lists no utterances; it needs lines like"):
        checked(one / "m.jsonl", "\n")
    with pytest.raises(AudioError, match=r"m\.json, line 1 is no JSON object such as .*; write one a line"):
        checked(one / "m.json", '[{"audio": "one.wav", "text": "A"}]')
    with pytest.raises(AudioError, match=r"m\.csv lists no utterances; it has a header alone"):
        checked(one / "m.csv", "file_name,text\n")


@pytest.mark.parametrize("mark", SEPARATORS)
@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("header", ["file_name text speaker_id", "Speaker_ID Text File_Name"])
def test_the_separator_and_the_columns_are_found_from_the_header(one: Path, mark: str, space: str, header: str) -> None:
    values = {"file_name": "one.wav", "text": "HE WAS", "speaker_id": "7"}
    rows = [header.split(), [values[name.lower()] for name in header.split()]]
    content = "\r\n".join((mark + space).join(row) for row in rows)
    assert texts(one / "any.csv", f"\ufeff{content}\r\n") == [("one.wav", "HE WAS", "7")]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"Yes, ""sir"""', 'Yes, "sir"'),
        (' "Yes, no"', "Yes, no"),
        ('He said "no"', 'He said "no"'),
        ('"two\nlines"', "two\nlines"),
        ('"two\u2028lines"', "two\u2028lines"),
        ("one\u2028text", "one\u2028text"),
    ],
)
def test_fields_in_quotes(one: Path, written: str, text: str) -> None:
    table = f"file_name,text\none.wav,{written}\n\n,,\nwavs/three.wav,B,\n"
    assert texts(one / "m.csv", table) == [("one.wav", text, ""), ("wavs/three.wav", "B", "")]


@pytest.mark.parametrize("mark", ["\t", "|"])
@pytest.mark.parametrize(
    ("written", "text"),
    [('"Yes, ""sir"""', 'Yes, "sir"'), ('"Yes" or "no"', '"Yes" or "no"'), ('"Never closed', '"Never closed')],
)
def test_a_quote_is_a_letter_where_tabs_and_bars_separate(one: Path, mark: str, written: str, text: str) -> None:
    table = f"path{mark}sentence\none.wav{mark}{written}\nthree.wav{mark}B\n"
    assert texts(one / "m.tsv", table) == [("one.wav", text, ""), ("three.wav", "B", "")]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "m.csv",
            "file_name,text\none.wav,A\none.wav,HE WAS, NOT",
            "line 3: more fields than the header; put texts",
        ),
        (
            "m.csv",
            "file_name;text\none.wav;HE; NOT",
            "line 2: more fields than the header; put texts with semicolons",
        ),
        ("m.tsv", "path\ttext\none.wav\tA\tB", "line 2: more fields than the header; take the tabs out of its text"),
        (
            "m.csv",
            "file_name,text\none.wav,HE WAS\nNOT\n",
            "line 3: fewer fields than the header; put each text",
        ),
        (
            "m.csv",
            'file_name,text\none.wav,"A\n\none.wav,B',
            "line 2: unexpected end of data; put texts with quotes in",
        ),
        ("m.csv", 'file_name,text\n\none.wav,"A" B', "line 3: .* expected after .*; put texts with quotes in quotes"),
        ("m.csv", 'file_name,text\na.wav,"A' + "\nb.wav,B" * 20_000, "line 2: field larger than"),
        (
            "m.csv",
            "file_name,words\na.wav,A\n",
            "has no transcripts, in a column text, .* file_name, words",
        ),
        ("m.csv", "name,text\na.wav,A\n", "has no audio, in a column audio, .* its columns are name, text"),
        (
            "m.csv",
            "file_name:text\na.wav:A\n",
            "are file_name:text; separate them with a comma, semicolon, tab",
        ),
        ("m.csv", " \n", "is empty; give a table with a header such as: file_name,text"),
        ("m.csv", b"file_name,text\na.wav,\xe9\n", "line 2: cannot be read as text; save it in UTF-8"),
        ("m.tsv", "path\ttext\none.wav\tA".encode("utf-16"), "line 1: cannot be read as text; save it in UTF-8"),
        ("m.csv", "file_name,text\n,A\n", "line 2 names no audio"),
    ],
)
def test_a_malformed_table_is_refused_by_its_line(one: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(AudioError, match=message) as caught:
        checked(one / name, content)
    assert str(one / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_without_audio_is_told_and_the_rest_is_used(one: Path) -> None:
    found = checked(one / "m.csv", "file_name,text\none.wav,A\n,B\ngone.wav,C\n")
    assert [clip.id for clip in found.clips] == ["one.wav"]
    assert found.skipped == [
        ("m.csv, line 3", "names no audio"),
        ("gone.wav", "cannot be read (No such file or directory); fix the data set (m.csv, line 4)"),
    ]


def test_ljspeech_has_no_header(one: Path) -> None:
    table = 'three|Mr. "Smith|Mister "Smith\none|Yes, 5.|\ngone|A|A\n'
    found = checked(one / "metadata.csv", table)
    assert [(clip.id, clip.text) for clip in found.clips] == [("three", 'Mister "Smith'), ("one", "Yes, 5.")]
    assert [name for name, _ in found.skipped] == ["gone"]
    assert texts(one / "metadata.csv", "wavs/three.wav|A B\n") == [("wavs/three.wav", "A B", "")]
    with pytest.raises(AudioError, match="line 2: more fields than the first line; take the bars out of its text"):
        checked(one / "metadata.csv", "three|A B\none|A | B\n")
    with pytest.raises(AudioError, match=r"no header to say what its columns are; add one such as: file_name\|text"):
        checked(one / "metadata.csv", "three|A B C D|7\n")
    with pytest.raises(AudioError, match="has no audio"):
        checked(one / "metadata.csv", "gone|A|A\n")


def test_nothing_usable_names_the_first_line(one: Path) -> None:
    with pytest.raises(UsageError, match=r"first is gone\.wav: cannot be read .* \(m\.csv, line 2\)"):
        checked(one / "m.csv", "file_name,text\ngone.wav,A\n")


def test_the_page_lists_the_names_of_columns() -> None:
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    for what, names in (("audio", AUDIO), ("transcript", TRANSCRIPTS), ("speaker, optional", SPEAKERS)):
        assert f"| {what} | {' '.join(f'`{name}`' for name in names)} |" in page


def test_names_of_columns_are_written_as_they_are_looked_up() -> None:
    for name in (*AUDIO, *TRANSCRIPTS, *SPEAKERS):
        assert named([name], [name.upper().replace("_", "  ")])
