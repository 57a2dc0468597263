"""Cut excerpts of a long recording: single utterances, each from the moment of rest before it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from asrd.core import events
from asrd.core.errors import AsrdError
from asrd.core.events import Final
from asrd.daemon.recorder import blocks
from asrd.daemon.recorder.records import AnyRecord, Begin, Closed, Said
from asrd.daemon.recorder.tape import RecordingTape
from asrd.daemon.replay.detector import DivergedError
from asrd.daemon.replay.replay import Player
from asrd.daemon.replay.takes import Take
from asrd.daemon.stream.state import StreamState

EXCERPT = -1
"""Index of a file that is neither the beginning of a stream nor follows another file."""


def excerpt(take: Take, utterance: int, player: Player) -> list[AnyRecord]:
    """Return all records needed to replay an utterance of a take.

    The take is replayed up to there, to learn the stream's state at the last moment of rest; if the replay differs
    from the recording, the excerpt begins where the take does. Raises AsrdError if the utterance is not in the take.
    """
    last = next((index for index, record in enumerate(take.records) if ends(record, utterance)), None)
    if last is None:
        raise AsrdError(f"utterance {utterance} of stream {take.begin.stream} is not in {take.path}")
    tape = _Excerpt(take, utterance)
    try:
        for pair in player.play(take, tape):
            if tape.found or not pair.same:
                break
    except DivergedError:
        tape.found.clear()
    return tape.found if tape.found and pair.same else [take.begin, *take.records[: last + 1], Closed()]


def write(path: Path, excerpts: Iterable[list[AnyRecord]]) -> int:
    """Write excerpts to one file, and return its size in bytes. Raises OSError if that fails."""
    data = blocks.MAGIC + b"".join(blocks.pack(records) for records in excerpts)
    path.write_bytes(data)
    path.chmod(0o600)
    return len(data)


def ends(record: AnyRecord, utterance: int) -> bool:
    """Return whether a record is the final of an utterance."""
    if not isinstance(record, Said):
        return False
    event = events.decode(record.payload)
    return isinstance(event, Final) and event.utterance == utterance


class _Excerpt(RecordingTape):
    """Discard, at every moment of rest, the records before it, until the utterance has come."""

    def __init__(self, take: Take, utterance: int) -> None:
        super().__init__(self._opening)
        self._origin = take.begin
        self._utterance = utterance
        self.found: list[AnyRecord] = []

    def rest(self, state: Callable[[], StreamState | None]) -> None:
        """Begin anew, unless the utterance has come."""
        if not self.found:
            self.take()
            self._begin(state())

    def said(self, payload: bytes) -> None:
        """Record an event, and keep the records if it ends the utterance."""
        super().said(payload)
        if not self.found and ends(Said(payload), self._utterance):
            self.found = [*self.take(), Closed()]

    def _opening(self, index: int, rest: bool, state: StreamState | None) -> Begin:
        """Return the excerpt's first record. Only the beginning of a stream has index 0; other excerpts get
        `EXCERPT`.
        """
        beginning = index == 0 and self._origin.index == 0
        return msgspec.structs.replace(self._origin, index=0 if beginning else EXCERPT, rest=rest, state=state)
