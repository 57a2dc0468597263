"""The VAD of a recording: what it said then, held to what the real one says now."""

from collections.abc import Iterator, Sequence

from asrd.core.errors import AsrdError
from asrd.core.flow import FloatArray
from asrd.daemon.recorder.records import AnyRecord, Judged
from asrd.daemon.vad import Vad


class DivergedError(AsrdError):
    """The replay does something else than the recording: it cannot be followed further."""


class RecordedVad:
    """Says what was said at the time, and notices where the real one says something else.

    following: the real one did not hear what came before, so it is not asked until the stream
    begins anew. strict: whether it must then say the same; else what it says now counts.
    """

    def __init__(self, real: Vad, *, following: bool, strict: bool = True) -> None:
        self.frame = real.frame
        self._real = real
        self._following = following
        self._strict = strict
        self._judged: Iterator[str] | None = None

    def expect(self, records: Sequence[AnyRecord] | None) -> None:
        """The decisions that follow; None while a segmenter is built, which resets what has heard nothing."""
        frames = None if records is None else [record.frames for record in records if isinstance(record, Judged)]
        self._judged = None if frames is None else iter("".join(frames))

    def is_speech(self, pcm: FloatArray) -> bool:
        """The recorded decision, which must also be the real one's if it heard all there was."""
        voiced = next(self._judged or iter(""), "") == "1"
        if self._following:
            return voiced
        now = self._real.is_speech(pcm)
        if self._strict and now != voiced:
            raise DivergedError("the VAD judges a frame otherwise than it did")
        return now

    def reset(self) -> None:
        """From here on the real one knows all that the recorded one knew."""
        if self._judged is None:
            return
        if next(self._judged, "") != "r" and self._strict:
            raise DivergedError("the stream begins anew where it did not")
        self._following = False
        self._real.reset()
