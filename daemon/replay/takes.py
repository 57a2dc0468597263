"""Split the files of a recording into takes: spans that can be replayed, each beginning with the stream at rest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from asrd.core import events
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import Final
from asrd.core.shell import quoted
from asrd.daemon.recorder import blocks, ring
from asrd.daemon.recorder.blocks import DamagedError
from asrd.daemon.recorder.records import AnyRecord, Begin, Captured, Closed, Said


@dataclass(slots=True)
class Take:
    """begin: the first record. records: those that followed. whole: whether nothing is missing at its end. follows:
    whether it continues where the take before it ended.
    """

    begin: Begin
    follows: bool
    path: Path
    records: list[AnyRecord] = field(default_factory=list)
    whole: bool = False

    @property
    def samples(self) -> int:
        """Number of samples of audio."""
        return sum(record.samples for record in self.records if isinstance(record, Captured))

    def finals(self) -> list[Final]:
        """Return the finals that were published."""
        said = [events.decode(record.payload) for record in self.records if isinstance(record, Said)]
        return [event for event in said if isinstance(event, Final)]


def paths(where: Path) -> list[Path]:
    """Return the files of a recording, the oldest first; a single file is one, whatever its name. Raises UsageError
    for a directory without any.
    """
    if not where.is_dir():
        return [where]
    found = ring.files(where)
    if not found:
        raise UsageError(f"{where} holds no recording; asrd start --record {quoted(where)} makes one")
    return found


def _refuse(error: DamagedError) -> NoReturn:
    raise error


def takes(where: Path, *, with_audio: bool = True, damaged: Callable[[DamagedError], None] = _refuse) -> Iterator[Take]:
    """Yield all takes, those of one stream of one run in order of time.

    The oldest remaining file of a stream may begin within an utterance; it is then skipped up to the next file that
    does not. damaged: called for each damaged file, and the others follow; by default the error is raised. Raises
    AsrdError or UsageError if nothing can be read.
    """
    files = sorted(paths(where), key=_series)
    open_take: Take | None = None
    any_take = False
    last: Begin | None = None
    whole = False
    for path, record in _records(files, with_audio, damaged):
        if isinstance(record, Begin):
            follows = whole and last is not None and _next(last, record)
            if record.rest or not follows:
                if open_take:
                    any_take = True
                    yield open_take
                open_take = Take(record, follows, path) if record.rest and record.options else None
            last, whole = record, False
        elif isinstance(record, Closed):
            whole = True
        elif open_take:
            open_take.records.append(record)
        if open_take:
            open_take.whole = whole
    if open_take:
        yield open_take
    elif not any_take:
        raise AsrdError(f"nothing in {where} can be replayed: it is damaged, or broke off before anything was heard")


def _records(
    files: list[Path], with_audio: bool, damaged: Callable[[DamagedError], None]
) -> Iterator[tuple[Path, AnyRecord]]:
    """Yield the intact records of each file. Only a stream's last file may break off, as when a daemon is killed."""
    goes_on = {one for one, other in pairwise(files) if _series(one)[0] == _series(other)[0]}
    for path in files:
        record: AnyRecord | None = None
        try:
            for record in blocks.read(path, with_audio=with_audio):
                yield path, record
            if path in goes_on and not isinstance(record, Closed):
                raise DamagedError(f"{path} breaks off, though its stream goes on in another file; copy it again")
        except DamagedError as error:
            damaged(error)


def _next(last: Begin, begin: Begin) -> bool:
    return begin.index > 0 and (last.daemon, last.stream, last.index + 1) == (begin.daemon, begin.stream, begin.index)


def _series(path: Path) -> tuple[str, ...]:
    """Return a sort key: run and stream before the time."""
    stamp, _, rest = path.name.partition("-")
    return rest.rpartition("-")[0], stamp
