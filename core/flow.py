"""Data that flows through the daemon, stage by stage.

`Source → AudioChunk → Segmenter → Onset | Window → Backend → Emission → Stitcher/CTC → Hypothesis → Event`. Arrays
are never modified once they are passed on.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from asrd.core.units import Samples

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A piece of a stream as a source delivers it, already mono at 16 kHz.

    pcm: float32 `(n,)` in [-1, 1]; `n` may be 0 when the chunk only reports a loss.
    start: stream position of `pcm[0]`.
    captured: wall-clock seconds (Unix time) at which the last sample was captured.
    lost: samples missing directly before `start`, because a device or a queue overflowed.
    reason: why they are missing, in a few words for people.
    """

    start: Samples
    pcm: FloatArray
    captured: float
    lost: Samples = Samples(0)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Onset:
    """The start of speech: the first sign of an utterance."""

    utterance: int
    start: Samples


NOBODY = -1
"""The utterance of windows that are cut while no utterance is open."""


@dataclass(frozen=True, slots=True)
class Level:
    """Mean and standard deviation of the audio a window is normalised with."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Window:
    """Audio for the model, and the part of it whose output is kept.

    start: stream position of `pcm[0]`, a multiple of the model's stride, so that the frames of
        all windows of a stream lie on one grid.
    pcm: float32 `(n,)`, `n <= MAX_WINDOW`, not normalised.
    left, right: samples of context at either edge; `pcm[left : n - right]` is kept. The kept
        parts of an utterance's committed windows follow each other without gap or overlap. Within a
        letter's length of where two parts meet, `Stitcher` decides which frames are taken from each.
    provisional: a preview of the open end of an utterance; its kept part will be covered again by
        a later window, so it may be skipped when the machine is behind.
    probe: a provisional window that asks the recogniser whether the speaker has finished, or, where
        `utterance` is NOBODY, whether what the VAD takes for speech has words.
    last: the final window of its utterance. `reason` then says why it ended
        ("silence", "length", "gap" or "end").
    speech_end: position where speech was last heard, for latency figures.
    time_left: for a provisional window that was cut in a pause, the samples still to come before its
        utterance may end. A window recognised any later would only hold up the final one.
    """

    utterance: int
    start: Samples
    pcm: FloatArray
    left: Samples
    right: Samples
    level: Level
    provisional: bool = False
    probe: bool = False
    last: bool = False
    reason: str = ""
    speech_end: Samples = Samples(0)
    time_left: Samples | None = None

    @property
    def end(self) -> Samples:
        """Stream position after the last sample, context included."""
        return Samples(self.start + len(self.pcm))

    @property
    def keep_start(self) -> Samples:
        """Stream position of the first kept sample."""
        return Samples(self.start + self.left)

    @property
    def keep_end(self) -> Samples:
        """Stream position after the last kept sample."""
        return Samples(self.end - self.right)

    @property
    def asks(self) -> bool:
        """True if the segmenter needs to know what was heard in it: see `Answer`."""
        return self.probe or not (self.provisional or self.last)


@dataclass(frozen=True, slots=True)
class Emission:
    """Per-frame log-probabilities of one window.

    log_probs: float32 `(frames, vocabulary)`, each row sums to 1 after `exp`.
    start: stream position of the window's first sample.
    stride: samples between the starts of neighbouring frames.
    """

    log_probs: FloatArray
    start: Samples
    stride: Samples


@dataclass(frozen=True, slots=True)
class Answer:
    """The recogniser's answer to the segmenter about a window that `asks`.

    due: stream position at which it takes effect, so that the same audio gives the same windows
        however fast the recogniser is, as long as it answers in time.
    until: stream position after the last frame.
    words: start and end of each, as far as it lies in the window.
    """

    utterance: int
    due: Samples
    until: Samples
    words: tuple[tuple[Samples, Samples], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word: stream positions, and confidence in [0, 1], the probability that it is right."""

    text: str
    start: Samples
    end: Samples
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The text of an utterance, as recognised so far.

    text: the words joined by single spaces.
    stable: length of the prefix of `text` that no later hypothesis will change.
    confidence: mean of the words' confidences, which is the expected share of right words; 0 without words.
    """

    text: str
    words: tuple[Word, ...] = field(default=())
    stable: int = 0
    confidence: float = 0.0
