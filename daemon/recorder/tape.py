"""The tape of a recorded stream: everything that happens to it, as records."""

import logging
import time
from collections import deque
from collections.abc import Callable

from asrd.core.flow import AudioChunk, FloatArray, Window
from asrd.core.units import seconds
from asrd.daemon.recognition.decoding import Boosts
from asrd.daemon.recorder.records import (
    Abandoned,
    Answered,
    AnyRecord,
    Begin,
    Captured,
    Ended,
    Judged,
    Queued,
    Said,
    Used,
)
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.stream.observer import Tape
from asrd.daemon.stream.state import RecordedSettings, StreamState
from asrd.daemon.vad import Vad

log = logging.getLogger(__name__)

AT_REST, AT_MOST = 60.0, 600.0
"""Seconds, of audio or by the clock, after which a file ends: at the next moment between two utterances, and in any
case.
"""


class RecordingTape(Tape):
    """Collect records until they are taken.

    begin: makes the record that opens a file, from its index, whether the stream is at rest there, and the state.
    """

    def __init__(self, begin: Callable[[int, bool, StreamState | None], Begin]) -> None:
        self._make = begin
        self._records: list[AnyRecord] = []
        self._judged: list[str] = []
        self._windows: deque[tuple[int, Window]] = deque()
        self._cut = 0
        self._index = -1
        self._began, self._heard = 0.0, 0
        self._stopped = False
        self.bytes = 0

    def stop(self) -> None:
        """Discard the records collected, and record nothing more."""
        self.take()
        self._stopped = True

    def take(self) -> list[AnyRecord]:
        """Return the records collected since the last call."""
        self._flush()
        records, self._records, self.bytes = self._records, [], 0
        return records

    def vad(self, vad: Vad) -> Vad:
        """Return a detector whose decisions are recorded."""
        return _Overheard(vad, self._judged)

    def rest(self, state: Callable[[], StreamState | None]) -> None:
        """Begin a new file if it is time."""
        if self._index < 0 or self._age() > AT_REST:
            try:
                self._begin(state())
            except Exception:  # a state that cannot be recorded must not end the stream
                log.exception("the state of a stream cannot be recorded")
                self._begin(rest=False)

    def heard(self, chunk: AudioChunk) -> None:
        """Record the chunk."""
        if self._age() > AT_MOST:
            self._begin(rest=False)
        self._heard += len(chunk.pcm)
        pcm = chunk.pcm.astype("<f4", copy=False).tobytes()
        self._add(Captured(chunk.start, len(chunk.pcm), chunk.captured, chunk.lost, chunk.reason, pcm), len(pcm))

    def used(self, settings: SegmenterSettings) -> None:
        """Record the settings."""
        self._add(Used(RecordedSettings.of(settings)))

    def cut(self, window: Window) -> None:
        """Number the window."""
        self._windows.append((self._cut, window))
        self._cut += 1

    def queued(self) -> None:
        """Record that the stream continued here."""
        self._add(Queued())

    def answered(self, result: Result, boosts: Boosts) -> None:
        """Record which window was answered. Those cut before it are never answered: they were left out."""
        while self._windows:
            number, window = self._windows.popleft()
            if window is result.window:
                break
        times = (result.cut, result.started, result.recognized)
        self._add(Answered(number, result.backend, *times, result.failure, result.row, result.rows, dict(boosts)))

    def ended(self, failure: str) -> None:
        """Record the end of the source."""
        self._add(Ended(failure))

    def abandoned(self, now: float, backend: str) -> None:
        """Record the time that the finals will bear."""
        self._add(Abandoned(now, backend))

    def said(self, payload: bytes) -> None:
        """Record the event's payload."""
        self._add(Said(payload), len(payload))

    def _age(self) -> float:
        return max(time.monotonic() - self._began, seconds(self._heard))

    def _begin(self, state: StreamState | None = None, *, rest: bool = True) -> None:
        self._index += 1
        self._began, self._heard = time.monotonic(), 0
        if rest:
            self._cut = 0
            self._windows.clear()
        self._add(self._make(self._index, rest, state))

    def _add(self, record: AnyRecord, size: int = 0) -> None:
        if self._stopped:
            self._judged.clear()
            return
        if self._index < 0 and not isinstance(record, Begin):  # the stream ended before its first chunk
            self._begin()
        self._flush()
        self._records.append(record)
        self.bytes += 64 + size

    def _flush(self) -> None:
        if self._judged:
            self._records.append(Judged("".join(self._judged)))
            self._judged.clear()


class _Overheard:
    """A VAD that records its decisions."""

    def __init__(self, vad: Vad, judged: list[str]) -> None:
        self.frame = vad.frame
        self._vad = vad
        self._judged = judged

    def is_speech(self, pcm: FloatArray) -> bool:
        voiced = self._vad.is_speech(pcm)
        self._judged.append("1" if voiced else "0")
        return voiced

    def reset(self) -> None:
        self._judged.append("r")
        self._vad.reset()
