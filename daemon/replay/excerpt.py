"""From a long recording to a small one: single utterances, each from the moment of rest before it."""

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
"""Index of a file that neither is the beginning of a stream nor follows another."""


def excerpt(take: Take, utterance: int, player: Player) -> list[AnyRecord]:
    """All that is needed to replay an utterance of a take.

    The take is replayed up to there, to learn what the stream knew at the last moment of rest; where
    it does not say again what it said, the excerpt begins where the take does. Raises AsrdError where
    the utterance is not in the take.
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
    """Make one file of them, and return its size in bytes. Raises OSError where that cannot be."""
    data = blocks.MAGIC + b"".join(blocks.pack(records) for records in excerpts)
    path.write_bytes(data)
    path.chmod(0o600)
    return len(data)


def ends(record: AnyRecord, utterance: int) -> bool:
    """Whether this is the final of an utterance."""
    if not isinstance(record, Said):
        return False
    event = events.decode(record.payload)
    return isinstance(event, Final) and event.utterance == utterance


class _Excerpt(RecordingTape):
    """Forgets at every moment of rest what came before it, until the utterance has come."""

    def __init__(self, take: Take, utterance: int) -> None:
        super().__init__(self._opening)
        self._origin = take.begin
        self._utterance = utterance
        self.found: list[AnyRecord] = []

    def rest(self, state: Callable[[], StreamState | None]) -> None:
        """Begin anew."""
        if not self.found:
            self.take()
            self._begin(state())

    def said(self, payload: bytes) -> None:
        """Look whether it is the one that is wanted."""
        super().said(payload)
        if not self.found and ends(Said(payload), self._utterance):
            self.found = [*self.take(), Closed()]

    def _opening(self, index: int, rest: bool, state: StreamState | None) -> Begin:
        """Only the very beginning of a stream is one; anything else is the middle of nothing."""
        beginning = index == 0 and self._origin.index == 0
        return msgspec.structs.replace(self._origin, index=0 if beginning else EXCERPT, rest=rest, state=state)
