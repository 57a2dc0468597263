"""The VAD of a recording: its recorded decisions, compared with those of the real VAD."""

from collections.abc import Iterator, Sequence

from asrd.core.errors import AsrdError
from asrd.core.flow import FloatArray
from asrd.daemon.recorder.records import AnyRecord, Judged
from asrd.daemon.vad import Vad


class DivergedError(AsrdError):
    """The replay differs from the recording so that it cannot continue."""


class RecordedVad:
    """Return the recorded decisions, and compare them with those of the real VAD.

    following: the real VAD has not heard the audio before, so it is not used until the stream begins anew. strict: it
    must then decide the same; if False, its own decisions count.
    """

    def __init__(self, real: Vad, *, following: bool, strict: bool = True) -> None:
        self.frame = real.frame
        self._real = real
        self._following = following
        self._strict = strict
        self._judged: Iterator[str] | None = None

    def expect(self, records: Sequence[AnyRecord] | None) -> None:
        """Set the decisions that follow; None while a segmenter is built, which resets a VAD that has heard nothing."""
        frames = None if records is None else [record.frames for record in records if isinstance(record, Judged)]
        self._judged = None if frames is None else iter("".join(frames))

    def is_speech(self, pcm: FloatArray) -> bool:
        """Return the recorded decision; once the real VAD has heard everything since a reset, its own. Raises
        DivergedError if strict and they differ.
        """
        voiced = next(self._judged or iter(""), "") == "1"
        if self._following:
            return voiced
        now = self._real.is_speech(pcm)
        if self._strict and now != voiced:
            raise DivergedError("the VAD judges a frame otherwise than it did")
        return now

    def reset(self) -> None:
        """Reset the real VAD: from here on it has the same state as the recorded one. Raises DivergedError if strict
        and the recording has no reset here.
        """
        if self._judged is None:
            return
        if next(self._judged, "") != "r" and self._strict:
            raise DivergedError("the stream begins anew where it did not")
        self._following = False
        self._real.reset()
