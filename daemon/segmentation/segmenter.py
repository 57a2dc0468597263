"""Cut a stream into utterances.

Pure: audio in, windows out. It uses no clock and no thread. Windows depend on the audio and on what the segmenter was
told (`hear`, `use`) at which position, not on how the audio was chunked.
"""

from collections.abc import Iterator

from asrd.core.flow import Answer, FloatArray, Onset, Window
from asrd.core.units import Samples
from asrd.daemon.segmentation.hangover import Hangover
from asrd.daemon.segmentation.pauses import PausesState
from asrd.daemon.segmentation.segment import Segment, SegmentState
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.state import State, Stateful
from asrd.daemon.vad import Vad
from asrd.models import Geometry


class SegmenterState(State, frozen=True):
    """pauses: the speaker's pauses. segment: the current segment of the stream."""

    pauses: PausesState
    segment: SegmentState


class Segmenter(Stateful[SegmenterState]):
    """Segment one stream. The windows of an utterance are cut in order, the last with `last`.

    An utterance begins where the VAD hears speech, and ends when both the VAD and the recogniser have heard none for
    long enough. If the VAD still hears a voice but the recogniser no words (music, a crowd), the next utterance
    begins when the recogniser hears words.

    A segment of the stream begins with its first sample, or the first after a gap.
    """

    def __init__(self, vad: Vad, geometry: Geometry, settings: SegmenterSettings | None = None) -> None:
        self._vad = vad
        self._geometry = geometry
        self._settings = settings or SegmenterSettings()
        self._hangover = Hangover(self._settings)
        self._segment = self._begin(Samples(0), 0)

    def state(self) -> SegmenterState:
        """Return the state, without the settings in force and without what the VAD has learned."""
        return SegmenterState(self._hangover.state(), self._segment.state())

    def resume(self, state: SegmenterState) -> None:
        """Continue from a state; call `use` first if other settings apply."""
        self._hangover.resume(state.pauses)
        self._segment.resume(state.segment)

    @property
    def position(self) -> Samples:
        """Stream position up to which audio was judged."""
        return Samples(self._segment.position)

    @property
    def settings(self) -> SegmenterSettings:
        """The settings in force."""
        return self._settings

    @property
    def doubts(self) -> bool:
        """True while the VAD hears a voice without words: no utterance is open, but windows are cut."""
        return self._segment.doubts

    @property
    def hangover(self) -> Samples:
        """The silence that would end an utterance of ordinary length now."""
        return self._hangover.ordinary

    def push(self, pcm: FloatArray) -> list[Onset | Window]:
        """Take the next `(n,)` samples of the stream, any `n`; return the onsets and windows found."""
        return list(self.feed(pcm))

    def feed(self, pcm: FloatArray) -> Iterator[Onset | Window]:
        """Do the same, but yield each item as soon as it is found: the recogniser's answer to a window can be passed
        to `hear` before more audio is judged. Items not taken from the iterator come first with the next samples.
        """
        segment = self._segment
        segment.history.append(pcm)
        while segment.history.end - segment.position >= self._vad.frame:
            frame = segment.history.view(segment.position, segment.position + self._vad.frame)
            yield from segment.advance(frame, voiced=self._vad.is_speech(frame))
        segment.forget()

    def take(self, answer: Answer) -> None:
        """Take what was heard in a window that `asks`. It takes effect when `answer.due` is reached, or at once if
        that has passed.
        """
        self._segment.take(answer)

    def use(self, settings: SegmenterSettings) -> None:
        """Apply other settings from the next frame on.

        A new `hangover` restarts the statistics of the speaker's pauses. Window and context cannot change.
        """
        self._segment.use(settings)
        self._settings = settings

    def gap(self, start: Samples, reason: str = "gap") -> list[Onset | Window]:
        """Close the open utterance because the stream is broken; the next sample is at position `start`."""
        found = self._segment.end(reason)
        self._segment = self._begin(start, self._segment.number)
        return found

    def flush(self) -> list[Onset | Window]:
        """Close the open utterance with the audio so far, because the stream has ended."""
        return self._segment.end("end")

    def _begin(self, origin: Samples, number: int) -> Segment:
        self._vad.reset()
        return Segment(self._vad.frame, self._geometry, self._settings, self._hangover, origin=origin, number=number)
