"""Cuts a stream into utterances.

Pure: audio in, windows out. It knows no clock and no thread. Windows depend on the audio, on what
it was told (`hear`, `use`) and at which position, and not on how the audio was chunked.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from asrd.core.flow import Answer, FloatArray, Onset, Window
from asrd.core.units import Samples
from asrd.daemon import limits, overlong, wordless
from asrd.daemon.endpoint import Endpointer
from asrd.daemon.hearing import PROBE, Hearing
from asrd.daemon.history import History
from asrd.daemon.pauses import Pauses
from asrd.daemon.settings import SegmenterSettings
from asrd.daemon.utterance import OpenUtterance
from asrd.daemon.vad import Vad
from asrd.daemon.windows import Cutter
from asrd.daemon.wordless import Noise
from asrd.models import Geometry


class Segmenter:
    """One stream's segmentation. Windows of an utterance are cut in order, the last with `last`.

    An utterance begins where the VAD hears speech, and ends when both the VAD and the recogniser
    have heard none for long enough. Where the VAD goes on hearing a voice without words (music, a
    crowd), the next utterance begins when the recogniser hears words.

    A stretch of the stream begins with its first sample, or the first after a gap.
    """

    def __init__(self, vad: Vad, geometry: Geometry, settings: SegmenterSettings | None = None) -> None:
        self._vad = vad
        self._geometry = geometry
        self._settings = settings or SegmenterSettings()
        self._pauses = Pauses(self._settings.hangover)
        self._utterances = 0
        self._begin_stream(Samples(0))

    @property
    def position(self) -> Samples:
        """Stream position up to which audio was judged."""
        return Samples(self._position)

    @property
    def settings(self) -> SegmenterSettings:
        """Those in force."""
        return self._settings

    @property
    def doubts(self) -> bool:
        """Whether the VAD hears a voice that has no words: no utterance is open, but windows are cut."""
        return self._doubtful is not None

    @property
    def hangover(self) -> Samples:
        """The silence that would end an utterance of ordinary length now."""
        return Samples(round(limits.for_length(self._pauses.limit(), 0, self._settings)))

    def push(self, pcm: FloatArray) -> list[Onset | Window]:
        """Take the next `(n,)` samples of the stream, any `n`."""
        return list(self.feed(pcm))

    def feed(self, pcm: FloatArray) -> Iterator[Onset | Window]:
        """The same, each item as soon as it is found: what was heard of a window can be told before
        more audio is judged. What is not taken from the iterator comes first with the next samples.
        """
        self._history.append(pcm)
        while self._history.end - self._position >= self._vad.frame:
            frame = self._history.view(self._position, self._position + self._vad.frame)
            self._position += self._vad.frame
            yield from self._judge(frame)
        self._history.forget(self._needed_from())

    def hear(self, answer: Answer) -> None:
        """What was heard in a window that `asks`: counts when `answer.due` is reached, or at once if it was."""
        self._hearing.tell(answer)

    def use(self, settings: SegmenterSettings) -> None:
        """Go by other settings from the next frame on.

        A new `hangover` starts counting the speaker's pauses anew. Window and context cannot change.
        """
        if settings.hangover != self._settings.hangover:
            self._pauses = Pauses(settings.hangover)
            if self._open:
                self._open.limit = self._pauses.limit()
        if settings.min_speech != self._settings.min_speech:
            self._endpointer.resize(self._frames(settings.min_speech))
        self._settings = self._cutter.settings = settings

    def gap(self, start: Samples, reason: str = "gap") -> list[Onset | Window]:
        """The stream is broken: close the open utterance; the next sample is at position `start`."""
        found = self._close(reason, self._history.end) if self._open else []
        self._begin_stream(start)
        return found

    def flush(self) -> list[Onset | Window]:
        """The stream has ended: close the open utterance with what there is."""
        return self._close("end", self._history.end) if self._open else []

    def _begin_stream(self, origin: int) -> None:
        self._position = self._closed = self._silent_from = origin
        self._history = History(Samples(origin))
        self._cutter = Cutter(self._geometry, self._settings, self._history)
        self._open: OpenUtterance | None = None
        self._doubtful: Noise | None = None
        self._hearing = Hearing()
        self._vad.reset()
        self._endpointer = Endpointer(self._frames(self._settings.min_speech))

    def _frames(self, length: float) -> int:
        """The fewest frames that are as long."""
        return max(1, math.ceil(length / self._vad.frame))

    def _judge(self, frame: FloatArray) -> list[Onset | Window]:
        """Advance by one VAD frame, which ends at `_position`."""
        voiced = self._vad.is_speech(frame)
        self._hearing.weigh(self._position, self._open or self._doubtful)
        changed = self._endpointer.accept(voiced, 1 if voiced else self._frames(self._limit()))
        if self._open is None:
            return self._doubt(frame, voiced, changed) if self._doubtful else self._wait(changed)
        spoken = self._open
        if voiced:
            self._pauses.pause(spoken.quiet * self._vad.frame)
            self._pauses.speech(self._vad.frame)
        spoken.hear(frame, voiced=voiced)
        if changed:
            return self._close("silence", self._cutter.whole(spoken))
        return self._wordless(spoken) or self._commit(spoken) or self._cut_overlong() or self._glimpse(spoken)

    def _commit(self, spoken: OpenUtterance) -> list[Onset | Window]:
        """The windows that are full. In a pause they wait, as long as the final window, which may come any time now
        and would have to wait for them, can take all that is left.
        """
        return [] if spoken.quiet and self._cutter.spare(spoken) else [*self._cutter.full(spoken)]

    def _glimpse(self, spoken: OpenUtterance) -> list[Onset | Window]:
        """A provisional window, where it is time for one. In a pause the recogniser is asked once, and there is none
        after that probe, which shows all that was said.
        """
        if not spoken.quiet:
            asks = self._hearing.presses(spoken, seeking=overlong.sought(spoken, self._settings))
            return [*(self._cutter.probe(spoken) if asks else self._cutter.preview(spoken))]
        probe = self._frames(PROBE)
        if spoken.quiet > probe:
            return []
        windows = self._cutter.probe(spoken) if spoken.quiet == probe else self._cutter.preview(spoken)
        left = Samples(self._endpointer.left(self._frames(self._limit())) * self._vad.frame)
        return [replace(window, spare=left) for window in windows]

    def _limit(self) -> float:
        """The silence that ends what is open now."""
        spoken, settings = self._open, self._settings
        if spoken is None:
            return settings.max_hangover
        if not spoken.quiet:
            spoken.limit = self._pauses.limit()
        limit = limits.for_length(spoken.limit, self._position - spoken.start, settings)
        return limits.for_text(limit, spoken.heard, self._hearing.latest, settings)

    def _wait(self, changed: bool) -> list[Onset | Window]:
        if not changed:
            return []
        first_voiced = self._position - (self._endpointer.lookback + 1) * self._vad.frame
        if first_voiced - self._silent_from < self._settings.max_hangover:
            self._pauses.pause(first_voiced - self._silent_from)
        start = first_voiced - self._settings.pre_roll  # which may just have been raised: not all of it was kept
        return [self._begin(max(start, self._closed, self._cutter.earliest))]

    def _doubt(self, frame: FloatArray, voiced: bool, changed: bool) -> list[Onset | Window]:
        """The VAD hears a voice, the recogniser has heard no words: ask whether there are some now."""
        assert self._doubtful
        noise = self._doubtful
        noise.hear(frame, voiced=voiced)
        if changed:
            self._doubtful = None
            return []
        start = noise.onset(self._hearing.words, self._settings.pre_roll)
        return [*noise.probe(self._cutter)] if start is None else [self._begin(start)]

    def _begin(self, start: int) -> Onset:
        self._open = OpenUtterance.at(self._utterances, start, self._position)
        self._open.moments.add(self._history.slice(start, self._position))
        self._doubtful = None
        self._hearing.forget()
        self._utterances += 1
        return Onset(self._open.number, Samples(start))

    def _wordless(self, spoken: OpenUtterance) -> list[Onset | Window]:
        """End an utterance in which the VAD goes on hearing a voice, but the recogniser no words."""
        if not wordless.over(spoken, self._hearing, self._settings):
            return []
        available = self._cutter.whole(spoken)
        end = wordless.end(spoken, self._settings.tail, self._vad.frame)
        found = self._close("silence", available, end=end)
        self._doubtful = Noise.after(spoken, end)
        return found

    def _cut_overlong(self) -> list[Onset | Window]:
        """Cut an utterance that has become too long; the next one follows it directly."""
        assert self._open
        spoken = self._open
        cut = overlong.place(spoken, self._hearing.words, self._history, self._settings)
        if cut is None:
            return []
        if spoken.heard <= cut:
            self._endpointer.switch(speaking=False)
            return self._close("length", self._cutter.whole(spoken))
        windows = self._close("length", self._position, end=cut)
        onset = self._begin(cut)
        self._open.heard = spoken.heard
        return [*windows, onset]

    def _close(self, reason: str, available: int, end: int | None = None) -> list[Onset | Window]:
        """End the utterance at `end`, or after its tail; audio up to `available` may serve as context."""
        assert self._open
        if end is None:
            end = min(self._open.heard + self._settings.tail, available)
        windows = self._cutter.rest(self._open, end, available, reason)
        self._silent_from, self._closed = self._open.heard, end
        self._open = None
        self._hearing.forget()
        return [*windows]

    def _needed_from(self) -> int:
        """The oldest sample that a window may still want."""
        settings, oldest = self._settings, self._position
        if self._open:
            return self._open.committed - settings.window
        if self._doubtful:
            oldest = self._doubtful.committed
        lookback = settings.pre_roll + settings.min_speech + self._vad.frame
        return min(oldest, self._position - lookback) - settings.window
