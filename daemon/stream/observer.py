"""Observers of a stream: the outlet of its events, and the tape of everything that determines them."""

from collections.abc import Callable
from typing import Protocol

from asrd.core import events
from asrd.core.events import Event
from asrd.core.flow import AudioChunk, Window
from asrd.daemon.recognition.decoding import Boosts
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.stream.state import StreamState
from asrd.daemon.vad import Vad


class Outlet(Protocol):
    """Receives the events of a stream."""

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Number, timestamp and send an event."""
        ...


class Tape:
    """A tape that records nothing; recorders override it. Every method is called on the event loop, at the moment
    that its name says.
    """

    def vad(self, vad: Vad) -> Vad:
        """Return the detector to use in place of `vad`."""
        return vad

    def rest(self, state: Callable[[], StreamState | None]) -> None:
        """Note that no utterance is open and a chunk is about to come. state: returns the state to continue from."""

    def heard(self, chunk: AudioChunk) -> None:
        """Note a chunk that enters the stream."""

    def used(self, settings: SegmenterSettings) -> None:
        """Note that the stream is about to apply other settings."""

    def cut(self, window: Window) -> None:
        """Note a window that is about to be submitted to the scheduler."""

    def queued(self) -> None:
        """Note that the submission has returned."""

    def answered(self, result: Result, boosts: Boosts) -> None:
        """Note a result that the scheduler delivers."""

    def said(self, payload: bytes) -> None:
        """Note an event of this stream that was published."""

    def ended(self, failure: str) -> None:
        """Note that the source has ended, or failed."""

    def abandoned(self, now: float, backend: str) -> None:
        """Note that there is no more time for open utterances."""
