"""Data sets of the Hugging Face hub and in its formats, through its library `datasets`."""

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError, MissingExtraError, UsageError, reason
from asrd.models import runtime
from asrd.quant.data import arrow
from asrd.quant.data.clip import Clip

SAVED = ("dataset_info.json", "dataset_dict.json")
"""Files that mark a directory written by `save_to_disk`."""


def clips(spec: str) -> list[Clip]:
    """List the clips of `hf:NAME[:CONFIG[:SPLIT]]`; NAME may be a local directory, CONFIG may be empty.

    Only the files of the split are downloaded. Raises UsageError if the name, configuration or split does not exist or
    must be given, AudioError if the data cannot be fetched, or has no audio or no transcripts.
    """
    name, config, part = [*spec.removeprefix("hf:").split(":"), "", ""][:3]
    if not name:
        raise UsageError("hf: names no data set; give hf:NAME, such as hf:librispeech_asr:clean:test")
    try:
        return arrow.clips(_load(name, config, part, spec), spec, Path(name))
    except AudioError as error:
        if not Path(name).is_dir():
            raise
        raise AudioError(f"{error}; or leave out 'hf:', and asrd reads the directory itself") from error


def local(path: Path) -> list[Clip]:
    """List the clips of a Parquet file, or of a directory that holds some or was written by `save_to_disk`. Raises as
    `clips` does.
    """
    if path.is_file():
        return arrow.clips(_load("parquet", "", "train", str(path), [glob.escape(str(path))]), str(path), path.parent)
    return arrow.clips(_load(str(path), "", "", str(path)), str(path), path)


def _load(name: str, config: str, part: str, spec: str, names: Sequence[str] = ()) -> Any:
    """Load a `datasets.Dataset`: one split, without what belongs to the others. names: files to load as NAME's."""
    try:
        datasets = runtime.datasets()
    except MissingExtraError as error:
        raise MissingExtraError(error.extra, f"'{spec}'") from error
    with _explained(spec, bool(names) or Path(name).exists()), _without_codec(datasets):
        if any((Path(name) / mark).is_file() for mark in SAVED):
            loaded = datasets.load_from_disk(name)
            saved = loaded if isinstance(loaded, datasets.DatasetDict) else {part: loaded}
            return saved[_choose(name, config, part, [*map(str, saved)])]
        builder = datasets.load_dataset_builder(name, config or None, data_files=list(names) or None)
        files = {str(split): found for split, found in (builder.config.data_files or {}).items()}
        part = _choose(name, config, part, [*map(str, files or builder.info.splits or [part])])
        found = [glob.escape(file) if Path(file).exists() else file for file in files.get(part, ())]
        chosen = {"data_files": {part: found}, "verification_mode": "no_checks"} if files else {}
        return datasets.load_dataset(name, config or None, split=part, **chosen)


def _choose(name: str, config: str, part: str, present: list[str]) -> str:
    """Return the split that was asked for, or the only one."""
    part = part or (present[0] if len(present) == 1 else "")
    if part not in present:
        raise UsageError(f"{name} has the splits {', '.join(present)}; name one: hf:{name}:{config}:{present[0]}")
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
def _explained(spec: str, here: bool) -> Iterator[None]:
    """Turn the library's errors into ours. A ValueError is about names, of configurations for instance; any other
    error, also of the libraries underneath, means that the data is not available. here: it is on this machine.
    """
    from pyarrow import ArrowException

    try:
        yield
    except UsageError:
        raise
    except ValueError as error:
        if isinstance(error, ArrowException):
            raise AudioError(f"'{spec}' cannot be read: {reason(error)}; it is damaged, copy it again") from error
        raise UsageError(f"'{spec}' cannot be loaded: {' '.join(str(error).splitlines()[:2])}") from error
    except Exception as error:
        remedy = "check the files" if here else "check its name and the connection"
        raise AudioError(f"'{spec}' cannot be had: {' '.join(str(_innermost(error)).split())}; {remedy}") from error


def _innermost(error: BaseException) -> BaseException:
    """Return the first cause that says anything: what is raised in the end often says only that something failed."""
    found = error
    while cause := error.__cause__ or error.__context__:
        error = cause
        found = error if str(error).strip() else found
    return found
