"""Data sets of the Hugging Face hub, through its library `datasets`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError, UsageError
from asrd.models import runtime
from asrd.quant.data.clip import Clip
from asrd.quant.data.columns import SPEAKERS, TRANSCRIPTS, named, plain

SAVED = ("dataset_info.json", "dataset_dict.json")
"""Files that mark a directory written by `save_to_disk`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row's audio, read from the data set's memory-mapped table when it is asked for."""

    table: Any
    column: str
    index: int

    def read_bytes(self) -> bytes:
        """Return the sound file of the row, which holds it or names it."""
        audio = self.table[self.index][self.column] or {}
        if audio.get("bytes") is not None:
            return bytes(audio["bytes"])
        if not audio.get("path"):
            raise OSError("the row has no audio")
        return Path(audio["path"]).read_bytes()


def clips(spec: str) -> list[Clip]:
    """List the clips of `hf:NAME[:CONFIG[:SPLIT]]`; NAME may be a local directory, CONFIG may be empty.

    Only the files of the split are downloaded. Nothing is decoded by `datasets`, whose decoder is another large
    dependency. A clip is named by the column `id`, or by its place.
    Raises UsageError if the name, configuration or split does not exist or must be given, AudioError if the data
    cannot be fetched, or has no audio or no transcripts.
    """
    name, config, part = [*spec.removeprefix("hf:").split(":"), "", ""][:3]
    datasets = runtime.datasets()
    with _explained(spec), _without_codec(datasets):
        table = _load(datasets, name, config, part, spec)
    column = next((key for key, kind in table.features.items() if isinstance(kind, datasets.Audio)), None)
    text, speaker = named(TRANSCRIPTS, table.column_names), named(SPEAKERS, table.column_names)
    if column is None or text is None:
        missing = f"transcripts, in a column {', '.join(TRANSCRIPTS)}" if column else "audio"
        raise AudioError(f"'{spec}' has no {missing}; its columns are {', '.join(table.column_names)}")
    table = table.cast_column(column, datasets.Audio(decode=False))
    speakers = table[speaker] if speaker else [""] * len(table)
    ids = [plain(name) for name in table["id"]] if "id" in table.column_names else []
    if len(set(ids)) != len(table) or "" in ids:
        ids = [f"row {index}" for index in range(len(table))]
    return [
        Clip(name, plain(said), Row(table, column, index), plain(who))
        for index, (name, said, who) in enumerate(zip(ids, table[text], speakers, strict=True))
    ]


def _load(datasets: Any, name: str, config: str, part: str, spec: str) -> Any:
    """Load a `datasets.Dataset`: one split, without what belongs to the others."""
    if any((Path(name) / mark).is_file() for mark in SAVED):
        loaded = datasets.load_from_disk(name)
        found = loaded if isinstance(loaded, datasets.DatasetDict) else {part: loaded}
        return found[_choose(part, list(found), spec)]
    builder = datasets.load_dataset_builder(name, config or None)
    files = builder.config.data_files or {}
    part = _choose(part, list(files or builder.info.splits or [part]), spec)
    chosen = {"data_files": {part: list(files[part])}, "verification_mode": "no_checks"} if files else {}
    return datasets.load_dataset(name, config or None, split=part, **chosen)


def _choose(part: str, present: list[str], spec: str) -> str:
    """Return the split that was asked for, or the only one."""
    part = part or (present[0] if len(present) == 1 else "")
    if part not in present:
        raise UsageError(f"'{spec}' has the splits {', '.join(present)}; name one: hf:NAME:CONFIG:SPLIT")
    return part


@contextmanager
def _without_codec(datasets: Any) -> Iterator[None]:
    """Let rows that name or hold a sound file be built without the library's codec, which it asks for before it looks
    at a row.
    """
    with_codec = datasets.Audio.encode_example

    def encode(kind: Any, value: Any) -> Any:
        if isinstance(value, str | Path):
            return {"bytes": None, "path": str(value)}
        if isinstance(value, dict) and "array" not in value and (value.get("bytes") or value.get("path")):
            return {"bytes": value.get("bytes"), "path": value.get("path")}
        return with_codec(kind, value)

    datasets.Audio.encode_example = encode
    try:
        yield
    finally:
        datasets.Audio.encode_example = with_codec


@contextmanager
def _explained(spec: str) -> Iterator[None]:
    """Turn the library's errors into ours. A ValueError is about names, of configurations for instance; any other
    error, also of the libraries underneath, means that the data is not available.
    """
    try:
        yield
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"'{spec}' cannot be loaded: {' '.join(str(error).splitlines()[:2])}") from error
    except Exception as error:
        raise AudioError(
            f"'{spec}' cannot be had: {' '.join(str(_innermost(error)).split())}; check its name and the connection"
        ) from error


def _innermost(error: BaseException) -> BaseException:
    """Return the first cause that says anything: what is raised in the end often says only that something failed."""
    found = error
    while cause := error.__cause__ or error.__context__:
        error = cause
        found = error if str(error).strip() else found
    return found
