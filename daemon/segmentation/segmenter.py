"""Cuts a stream into utterances.

Pure: audio in, windows out. It knows no clock and no thread. Windows depend on the audio, on what
it was told (`hear`, `use`) and at which position, and not on how the audio was chunked.
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
    """pauses: the speaker's. segment: the one that the stream is in."""

    pauses: PausesState
    segment: SegmentState


class Segmenter(Stateful[SegmenterState]):
    """One stream's segmentation. Windows of an utterance are cut in order, the last with `last`.

    An utterance begins where the VAD hears speech, and ends when both the VAD and the recogniser
    have heard none for long enough. Where the VAD goes on feedback a voice without words (music, a
    crowd), the next utterance begins when the recogniser hears words.

    A segment of the stream begins with its first sample, or the first after a gap.
    """

    def __init__(self, vad: Vad, geometry: Geometry, settings: SegmenterSettings | None = None) -> None:
        self._vad = vad
        self._geometry = geometry
        self._settings = settings or SegmenterSettings()
        self._hangover = Hangover(self._settings)
        self._segment = self._begin(Samples(0), 0)

    def state(self) -> SegmenterState:
        """What it knows, but for the settings in force, and what the VAD has learned."""
        return SegmenterState(self._hangover.state(), self._segment.state())

    def resume(self, state: SegmenterState) -> None:
        """Go on from there; other settings are told first, with `use`."""
        self._hangover.resume(state.pauses)
        self._segment.resume(state.segment)

    @property
    def position(self) -> Samples:
        """Stream position up to which audio was judged."""
        return Samples(self._segment.position)

    @property
    def settings(self) -> SegmenterSettings:
        """Those in force."""
        return self._settings

    @property
    def doubts(self) -> bool:
        """Whether the VAD hears a voice that has no words: no utterance is open, but windows are cut."""
        return self._segment.doubts

    @property
    def hangover(self) -> Samples:
        """The silence that would end an utterance of ordinary length now."""
        return self._hangover.ordinary

    def push(self, pcm: FloatArray) -> list[Onset | Window]:
        """Take the next `(n,)` samples of the stream, any `n`."""
        return list(self.feed(pcm))

    def feed(self, pcm: FloatArray) -> Iterator[Onset | Window]:
        """The same, each item as soon as it is found: what was heard of a window can be told before
        more audio is judged. What is not taken from the iterator comes first with the next samples.
        """
        segment = self._segment
        segment.history.append(pcm)
        while segment.history.end - segment.position >= self._vad.frame:
            frame = segment.history.view(segment.position, segment.position + self._vad.frame)
            yield from segment.advance(frame, voiced=self._vad.is_speech(frame))
        segment.forget()

    def hear(self, answer: Answer) -> None:
        """What was heard in a window that `asks`: counts when `answer.due` is reached, or at once if it was."""
        self._segment.hear(answer)

    def use(self, settings: SegmenterSettings) -> None:
        """Go by other settings from the next frame on.

        A new `hangover` starts counting the speaker's pauses anew. Window and context cannot change.
        """
        self._segment.use(settings)
        self._settings = settings

    def gap(self, start: Samples, reason: str = "gap") -> list[Onset | Window]:
        """The stream is broken: close the open utterance; the next sample is at position `start`."""
        found = self._segment.end(reason)
        self._segment = self._begin(start, self._segment.number)
        return found

    def flush(self) -> list[Onset | Window]:
        """The stream has ended: close the open utterance with what there is."""
        return self._segment.end("end")

    def _begin(self, origin: Samples, number: int) -> Segment:
        self._vad.reset()
        return Segment(self._vad.frame, self._geometry, self._settings, self._hangover, origin=origin, number=number)
