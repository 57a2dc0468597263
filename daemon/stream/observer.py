"""Who is told what happens to a stream: the outlet of its events, and the tape of all that decides them."""

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
    """Where events go."""

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        """Number, stamp and send an event."""
        ...


class Tape:
    """Keeps nothing. Every method is called on the event loop, at the moment that its name says."""

    def vad(self, vad: Vad) -> Vad:
        """The detector to use in place of `vad`."""
        return vad

    def rest(self, state: Callable[[], StreamState | None]) -> None:
        """No utterance is open, and a chunk is about to come. state: gives what to go on from here."""

    def heard(self, chunk: AudioChunk) -> None:
        """A chunk enters the stream."""

    def used(self, settings: SegmenterSettings) -> None:
        """The stream is about to go by other settings."""

    def cut(self, window: Window) -> None:
        """A window is about to be submitted to the scheduler."""

    def queued(self) -> None:
        """The submission has returned."""

    def answered(self, result: Result, boosts: Boosts) -> None:
        """The scheduler delivers a result."""

    def said(self, payload: bytes) -> None:
        """An event of this stream was published."""

    def ended(self, failure: str) -> None:
        """The source has ended, or failed."""

    def abandoned(self, now: float, backend: str) -> None:
        """There is no more time for what is open."""
