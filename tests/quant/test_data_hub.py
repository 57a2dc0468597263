"""Data sets of the hub are read from disk through the real `datasets`, without a network."""

import gc
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile

from asrd.core.errors import AudioError, UsageError
from asrd.core.flow import FloatArray
from asrd.quant.data import check, dataset, fingerprint, read

CARD = """---
configs:
- config_name: clean
  data_files:
  - {split: test, path: clean/test.parquet}
  - {split: train, path: clean/train.parquet}
- config_name: other
  data_files:
  - {split: test, path: other/test.parquet}
dataset_info:
- config_name: clean
  splits:
  - {name: test, num_bytes: 1, num_examples: 3}
  - {name: train, num_bytes: 1, num_examples: 3}
- config_name: other
  splits:
  - {name: test, num_bytes: 1, num_examples: 3}
---
"""


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def encoded(pcm: FloatArray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, 8000, format="FLAC")
    return file.getvalue()


def table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Make a table as the hub keeps it, with encoded audio; `datasets` would need a codec to write one."""
    kinds = {"audio": datasets.Audio(), "speaker_id": datasets.Value("int64")}
    features = datasets.Features({name: kinds.get(name, datasets.Value("string")) for name in rows[0]})
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=features.arrow_schema), path)


@pytest.fixture
def published(tmp_path: Path, babble: FloatArray) -> Path:
    """Two configurations; the training split of the first is damaged."""
    folder = tmp_path / "published"
    for config in ("clean", "other"):
        rows = [
            {
                "file": f"{number}.flac",
                "audio": {"bytes": encoded(babble[: 1000 * (number + 1)]), "path": f"{number}.flac"},
                "text": f"{config} {number}",
                "speaker_id": number // 2,
                "id": f"{config}-{number}",
            }
            for number in range(3)
        ]
        table(folder / config / "test.parquet", rows)
    (folder / "clean" / "train.parquet").write_bytes(b"damaged")
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    return folder


def test_a_split_is_loaded_without_the_others(published: Path) -> None:
    clips = dataset(f"hf:{published}:clean:test")
    assert [(clip.id, clip.text, clip.speaker) for clip in clips] == [
        ("clean-0", "clean 0", "0"),
        ("clean-1", "clean 1", "0"),
        ("clean-2", "clean 2", "1"),
    ]
    assert [len(read(clip)) for clip in clips] == [2000, 4000, 6000]
    assert fingerprint(clips) == fingerprint(dataset(f"hf:{published}:clean:test"))


def test_the_only_split_need_not_be_named(published: Path) -> None:
    assert [clip.id for clip in dataset(f"hf:{published}:other")] == ["other-0", "other-1", "other-2"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "Config name is missing. Please pick one among the available configs: ['clean', 'other']"),
        (":clear", "BuilderConfig 'clear' not found. Available: ['clean', 'other']"),
        (":clean", "published has the splits test, train; name one: hf:"),
        (":clean:dev", "published:clean:test"),
    ],
)
def test_what_must_be_chosen_is_listed(published: Path, spec: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        dataset(f"hf:{published}{spec}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_saved_data_set(published: Path, tmp_path: Path) -> None:
    loaded = datasets.load_dataset(str(published), "other")
    loaded.save_to_disk(tmp_path / "saved")
    loaded["test"].save_to_disk(tmp_path / "split")
    expected = fingerprint(dataset(f"hf:{published}:other:test"))
    for spec in ("saved", "saved::test", "split"):
        assert fingerprint(dataset(f"hf:{tmp_path}/{spec}")) == expected
    with pytest.raises(UsageError, match="has the splits test"):
        dataset(f"hf:{tmp_path}/saved::train")


def test_audio_beside_the_table_and_holes_in_it(tmp_path: Path, babble: FloatArray) -> None:
    """Common Voice and others name files; some rows lack a transcript, the audio, or an id of their own."""
    soundfile.write(tmp_path / "a.wav", babble, 16_000)
    rows = [
        {"id": "x", "audio": {"bytes": None, "path": str(tmp_path / "a.wav")}, "sentence": "Yes"},
        {"id": "x", "audio": {"bytes": b"damaged", "path": None}, "sentence": "No"},
        {"id": "y", "audio": None, "sentence": "No"},
        {"id": "z", "audio": {"bytes": encoded(babble), "path": None}, "sentence": None},
        {"id": "z", "audio": {"bytes": None, "path": str(tmp_path / "b.wav")}, "sentence": "No"},
    ]
    table(tmp_path / "data" / "train.parquet", rows)
    checked = check(dataset(f"hf:{tmp_path / 'data'}"))
    [clip] = checked.clips
    assert (clip.id, clip.text, clip.speaker) == ("row 0", "Yes", "")
    np.testing.assert_allclose(read(clip), babble, atol=1e-4)
    assert [(name, why.split(";")[0]) for name, why in checked.skipped] == [
        ("row 1", "cannot be read as audio"),
        ("row 2", "cannot be read (the row has no audio)"),
        ("row 3", "no transcript"),
        ("row 4", "cannot be read (No such file or directory)"),
    ]


def test_tables_without_speech_say_what_they_have(tmp_path: Path, babble: FloatArray) -> None:
    table(tmp_path / "words" / "train.parquet", [{"text": "A", "label": "b"}])
    table(tmp_path / "sounds" / "train.parquet", [{"audio": {"bytes": encoded(babble), "path": None}, "label": "b"}])
    with pytest.raises(AudioError, match=r"has no audio, in a column audio, .*; its columns are text, label"):
        dataset(f"hf:{tmp_path / 'words'}")
    with pytest.raises(AudioError, match=r"has no transcripts, in a column text, .*; its columns are audio, label"):
        dataset(f"hf:{tmp_path / 'sounds'}")


def test_a_name_must_be_given() -> None:
    with pytest.raises(UsageError, match="hf: names no data set; give hf:NAME"):
        dataset("hf:")


@pytest.mark.parametrize("name", ["nobody/nothing", "nothing", "/no/such/folder"])
def test_what_cannot_be_had_is_one_line(name: str) -> None:
    with pytest.raises(AudioError, match=f"'hf:{name}' cannot be had: .*; check its name and the connection") as caught:
        dataset(f"hf:{name}")
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # datasets leaves the table open
def test_an_audiofolder_needs_no_codec(tmp_path: Path, babble: FloatArray) -> None:
    for name in ("one", "two"):
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / "set" / f"{name}.flac").write_bytes(encoded(babble[:8000]))
    (tmp_path / "set" / "metadata.csv").write_text(
        "file_name,text\none.flac,HE WAS NOT\ntwo.flac,AN ILL\n", encoding="utf-8"
    )
    before = datasets.Audio.encode_example
    clips = dataset(f"hf:{tmp_path / 'set'}")
    assert [(clip.text, len(read(clip))) for clip in clips] == [("HE WAS NOT", 16_000), ("AN ILL", 16_000)]
    assert datasets.Audio.encode_example is before
    gc.collect()  # the open table is found here, where the warning is expected, and not in another test


def test_the_innermost_cause_is_told(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library itself says only that an error occurred."""

    def fail(*_: Any, **__: Any) -> None:
        raise datasets.exceptions.DatasetGenerationError("An error occurred") from OSError("the disk is full")

    monkeypatch.setattr(datasets, "load_dataset_builder", fail)
    with pytest.raises(AudioError, match="cannot be had: the disk is full; check"):
        dataset(f"hf:{published}:clean:test")
