"""A directory is read in the form it has; of several tables or splits one must be named."""

import gc
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile

from asrd.core.errors import AsrdError, AudioError, MissingExtraError, UsageError
from asrd.core.flow import FloatArray
from asrd.quant.data import check, dataset, fingerprint, read

ROW = "file_name,text\none.wav,A\n"


@pytest.fixture
def wav(tmp_path: Path, babble: FloatArray) -> Path:
    """A sound file outside of the data set `tmp_path / "set"`."""
    (tmp_path / "set").mkdir()
    soundfile.write(tmp_path / "spare.wav", babble[:16_000], 16_000)
    return tmp_path / "spare.wav"


def build(wav: Path, **content: str | None) -> Path:
    """Write the files of a data set, named with a "__" for each slash and a "_" for each dot; None is the sound."""
    folder = wav.parent / "set"
    for name, text in content.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            shutil.copy(wav, path)
        else:
            path.write_text(text, encoding="utf-8")
    return folder


def found(folder: Path) -> list[tuple[str, str, str]]:
    checked = check(dataset(str(folder)))
    assert checked.skipped == []
    return [(clip.id, clip.text, clip.speaker) for clip in checked.clips]


def test_common_voice(wav: Path) -> None:
    rows = "client_id\tpath\tsentence\n7\tone.wav\tHe was.\n"
    lengths = "clip\tduration[ms]\none.wav\t5\n"
    folder = build(wav, validated_tsv=rows, clips__one_wav=None, lengths_tsv=lengths, reported_tsv="sentence\treason\n")
    assert found(folder) == [("one.wav", "He was.", "7")]
    (folder / "test.tsv").write_text(rows.replace("was", "is"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"has the tables test\.tsv, validated\.tsv; give one .*/test\.tsv$"):
        dataset(str(folder))
    assert found(folder / "test.tsv") == [("one.wav", "He is.", "7")]


def test_a_malformed_table_is_not_overlooked_for_another(wav: Path) -> None:
    folder = build(wav, one_wav=None, one_txt="A", list_csv=ROW + "one.wav,B,C\n")
    with pytest.raises(AudioError, match=r"list\.csv, line 3: more fields"):
        dataset(str(folder))


def test_the_table_called_metadata_is_taken_before_others(wav: Path) -> None:
    folder = build(wav, one_wav=None, metadata_tsv="path\ttext\none.wav\tA\n", other_csv=ROW, more_csv=ROW)
    assert found(folder) == [("one.wav", "A", "")]


def test_ljspeech(wav: Path) -> None:
    folder = build(wav, LJ__metadata_csv="one|He was.|He was.\n", LJ__wavs__one_wav=None)
    assert found(folder / "LJ") == [("one", "He was.", "")]
    assert found(folder) == [("LJ/one", "He was.", "")]


def test_splits_are_never_read_together(wav: Path) -> None:
    folder = build(wav, data__train__metadata_csv=ROW, data__train__one_wav=None)
    assert found(folder) == [("data/train/one.wav", "A", "")]
    build(wav, data__test__metadata_csv=ROW, data__test__one_wav=None)
    with pytest.raises(UsageError, match=r"has the splits data/test, data/train; give one .*data/test$"):
        dataset(str(folder))
    assert found(folder / "data" / "test") == [("one.wav", "A", "")]


def test_other_folders_are_read_together(wav: Path) -> None:
    folder = build(
        wav, monday__metadata_csv=ROW, monday__one_wav=None, friday__a_jsonl='{"audio": "b.wav", "text": "B"}'
    )
    build(wav, friday__b_wav=None)
    assert found(folder) == [("friday/b.wav", "B", ""), ("monday/one.wav", "A", "")]


def test_pairs_of_audio_and_text(wav: Path) -> None:
    folder = build(wav, one_wav=None, one_txt="\ufeffHE\nWAS \n", deep__er__two_wav=None, deep__er__two_txt="NOT")
    assert found(folder) == [("deep/er/two.wav", "NOT", ""), ("one.wav", "HE WAS", "")]
    (folder / "one.wav").rename(folder / "one.WAV")
    (folder / "one.txt").rename(folder / "one.TXT")
    assert found(folder) == [("deep/er/two.wav", "NOT", ""), ("one.WAV", "HE WAS", "")]
    build(wav, alone_wav=None, bad_wav=None, bad_txt="", latin_wav=None, three_m4a="?", three_txt="C")
    (folder / "latin.txt").write_bytes(b"\xe9")
    checked = check(dataset(str(folder)))
    assert [clip.id for clip in checked.clips] == ["deep/er/two.wav", "one.WAV"]
    assert [(name, why.split(";")[0].replace(str(folder), "")) for name, why in checked.skipped] == [
        ("alone.wav", "has no transcript: there is no alone.txt beside it"),
        ("bad.wav", "no transcript"),
        ("latin.wav", "has no transcript: /latin.txt, line 1: cannot be read as text"),
        ("three.m4a", "cannot be read as audio"),
    ]


def test_audio_without_any_transcript_is_no_data_set(wav: Path) -> None:
    with pytest.raises(UsageError, match="lists no speech"):
        dataset(str(build(wav, one_wav=None)))


def test_a_table_without_speech_says_what_it_lacks(wav: Path) -> None:
    with pytest.raises(AudioError, match=r"list\.csv has no transcripts, .* its columns are file_name, words"):
        dataset(str(build(wav, one_wav=None, list_csv="file_name,words\none.wav,A\n")))


def test_a_transcript_in_librispeechs_tree_may_hold_other_separators(wav: Path) -> None:
    folder = build(wav, **{"1__2__1-2-0000_flac": None, "1__2__1-2_trans_txt": "1-2-0000 A\u2028B\r\n1-2-0001 C\n"})
    checked = check(dataset(str(folder)))
    assert [(clip.id, clip.text) for clip in checked.clips] == [("1-2-0000", "A\u2028B")]
    missing = "cannot be read (No such file or directory); fix the data set (1-2.trans.txt, line 2)"
    assert checked.skipped == [("1-2-0001", missing)]


KALDI = {"wav_scp": "u1 a.wav\nu2\ta.wav\n", "text": "u1 HE  WAS\nu2 NOT\n", "a_wav": None}


def test_kaldi(wav: Path) -> None:
    folder = build(wav, **KALDI, utt2spk="u1 ann\nu2 u2\n")
    assert found(folder) == [("u1", "HE  WAS", "ann"), ("u2", "NOT", "")]


def test_kaldi_names_audio_relative_to_where_it_runs(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build(wav, wav_scp="u1 spare.wav\n", text="u1 A\n")
    monkeypatch.chdir(wav.parent)
    assert found(folder) == [("u1", "A", "")]


def test_kaldi_segments_cut_recordings(wav: Path) -> None:
    segments = "u1 r 0.25 0.5\nu2 r 0.5 -1\nu3 r 1 x\nu4 r 1\nu5 r 0.5 0.25\nu6 s 0 1\nu7 r 0 0.5\nu9 r 0.5 9\n"
    said = "".join(f"u{number} A\n" for number in (1, 2, 3, 4, 5, 6, 8, 9))
    folder = build(wav, wav_scp="r a.wav\n", a_wav=None, text=said, segments=segments)
    checked = check(dataset(str(folder)))
    whole, _ = soundfile.read(wav, dtype="float32")
    assert [clip.id for clip in checked.clips] == ["u1", "u2"]
    for clip, cut in zip(checked.clips, (whole[4000:8000], whole[8000:]), strict=True):
        assert np.array_equal(read(clip), cut)
    assert checked.skipped == [
        ("u3", "has 'x' where a time in seconds is needed (text, line 3)"),
        ("u4", "has no line UTTERANCE RECORDING START END in segments (text, line 4)"),
        ("u5", "is said to last from 0.5 s to 0.25 s, which is no part of a file (text, line 5)"),
        ("u6", "has no audio: wav.scp does not list 's' (text, line 6)"),
        ("u8", "has no line UTTERANCE RECORDING START END in segments (text, line 7)"),
        ("u9", "ends at 9 s, 8.0 s after its file; fix the data set (text, line 8)"),
        ("u7", "no transcript"),
    ]
    before = fingerprint(checked.clips)
    (folder / "segments").write_text(segments.replace("0.25 0.5", "0.25 0.51", 1), encoding="utf-8")
    assert fingerprint(check(dataset(str(folder))).clips) != before


def test_kaldi_commands_are_never_run(wav: Path) -> None:
    trap = wav.parent / "trap"
    folder = build(wav, **KALDI | {"wav_scp": f"u1 touch {trap} |\nu2 a.wav\n"})
    checked = check(dataset(str(folder)))
    assert [clip.id for clip in checked.clips] == ["u2"]
    told = "is made by a command in wav.scp, which asrd never runs; name a file there instead"
    assert checked.skipped == [("u1", f"{told} (text, line 1)")]
    (folder / "wav.scp").write_text(f"u1 touch {trap} |\nu2 touch {trap}|\n", encoding="utf-8")
    with pytest.raises(AudioError, match=r"set: u1 is made by a command in wav\.scp, which asrd never runs"):
        dataset(str(folder))
    assert not trap.exists()


@pytest.mark.parametrize(("said", "message"), [(None, "no 'text' with lines"), ("\n", "text lists no utterances")])
def test_kaldi_needs_texts(wav: Path, said: str | None, message: str) -> None:
    folder = build(wav, wav_scp="u1 a.wav\n") if said is None else build(wav, text=said, wav_scp="")
    with pytest.raises(AsrdError, match=message):
        dataset(str(folder))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("audio", ["struct", "bytes", "path in a struct", "path"])
def test_parquet_of_any_program(wav: Path, audio: str) -> None:
    """Only `datasets` marks its columns of audio; pandas and others write the same without the mark."""
    raw = wav.read_bytes()
    value = {
        "struct": {"bytes": raw, "path": None},
        "bytes": raw,
        "path in a struct": {"bytes": None, "path": "one.wav"},
        "path": "one.wav",
    }[audio]
    folder = build(wav, **{"[1]__one_wav": None}) / "[1]"
    table = pyarrow.Table.from_pylist([{"Audio": value, "Sentence": "A", "client_id": "nan"}])
    pyarrow.parquet.write_table(table, folder / "a.parquet")
    assert found(folder / "a.parquet") == [("row 0", "A", "")]
    assert np.array_equal(read(dataset(str(folder / "a.parquet"))[0]), soundfile.read(wav, dtype="float32")[0])


def test_parquet_without_its_library_says_what_to_install(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    says = r"a\.parquet' needs an optional part of asrd: .*pip install '\.\[quant\]'"
    with pytest.raises(MissingExtraError, match=says):
        dataset(str(build(wav, a_parquet="") / "a.parquet"))


@pytest.mark.usefixtures("cache")
def test_parquet_with_samples_in_place_of_files_is_told(wav: Path) -> None:
    folder = build(wav)
    pyarrow.parquet.write_table(pyarrow.table({"audio": [[0.5]], "text": ["A"]}), folder / "a.parquet")
    with pytest.raises(UsageError, match=r"first is row 0: cannot be read \(the row has no audio\)"):
        check(dataset(str(folder / "a.parquet")))


@pytest.mark.usefixtures("cache")
def test_directories_of_parquet_and_saved_ones_need_no_prefix(wav: Path) -> None:
    datasets = pytest.importorskip("datasets")
    folder = build(wav, data__README_md="") / "data"
    rows = [{"audio": {"bytes": wav.read_bytes(), "path": "x.wav"}, "text": "A", "id": "x"}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "train-0-of-1.parquet")
    assert found(folder) == found(folder.parent) == [("x", "A", "")]
    datasets.load_dataset("parquet", data_files=str(folder / "*.parquet")).save_to_disk(wav.parent / "saved")
    assert found(wav.parent / "saved") == [("x", "A", "")]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "test-0-of-1.parquet")
    with pytest.raises(UsageError, match=rf"has the splits .*; name one: hf:{folder}::t"):
        dataset(str(folder))
    assert dataset(f"hf:{folder}::test")[0].id == "x"
    (folder / "test-0-of-1.parquet").write_bytes(b"damaged")
    with pytest.raises(AudioError, match=r"parquet' cannot be read: Parquet .*; it is damaged") as caught:
        dataset(str(folder / "test-0-of-1.parquet"))
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("cache")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # datasets leaves the table open
def test_a_form_that_datasets_does_not_know_needs_no_prefix(wav: Path) -> None:
    folder = build(wav, validated_tsv="path\tsentence\none.wav\tA\n", clips__one_wav=None)
    with pytest.raises(AudioError, match=r"has no transcripts, .*; or leave out 'hf:', and asrd reads the directory"):
        dataset(f"hf:{folder}")
    assert found(folder) == [("one.wav", "A", "")]
    gc.collect()  # the open table is found here, where the warning is expected, and not in another test
