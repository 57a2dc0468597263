"""Settings of segmentation, in samples, the unit of the code."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from asrd.core.control import Setting
from asrd.core.errors import UsageError
from asrd.core.units import MAX_WINDOW, Samples, samples, seconds
from asrd.models import Geometry


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Settings of segmentation. All lengths are in samples.

    window: input of the model, context included.
    hop: new audio that a committed window settles. The smaller it is, the sooner words are stable, and the
        more windows are computed.
    right_context: real audio after the kept part of a window. The model hears across the cut; the frames near
        the edges, which have less context, are dropped. The left context is the rest of the window.
    min_speech: span in which mostly voiced frames start an utterance.
    pre_roll: audio before the first voiced frame that belongs to the utterance: quiet consonants, which no
        detector hears, start many words.
    hangover: silence that ends an utterance, until the speaker's own pauses give a better estimate.
    min_hangover, max_hangover: bounds of the hangover after it is adapted to the pauses, the utterance's length and
        what the recogniser heard.
    tail: audio after the last voiced frame that belongs to the utterance.
    max_utterance: length at which an utterance is cut even if the speaker continues.
    partial_interval: interval between previews of the open end of an utterance; 0 for none. The default is a VAD
        frame less than 300 ms, which leaves inference that time to give a partial every 300 ms.
    """

    window: Samples = MAX_WINDOW
    hop: Samples = samples(0.60)
    right_context: Samples = samples(0.40)
    min_speech: Samples = samples(0.10)
    pre_roll: Samples = samples(0.30)
    hangover: Samples = samples(0.60)
    min_hangover: Samples = samples(0.30)
    max_hangover: Samples = samples(0.90)
    tail: Samples = samples(0.20)
    max_utterance: Samples = samples(25.0)
    partial_interval: Samples = samples(0.28)

    @classmethod
    def of_seconds(cls, **chosen: float) -> "SegmenterSettings":
        """Return settings with lengths in seconds, by name; the others keep their defaults, or follow.

        Raises UsageError for settings that contradict each other.
        """
        return DEFAULTS._with({name: samples(value) for name, value in chosen.items()})

    def check(self, geometry: Geometry) -> None:
        """Raise UsageError if hop, right context and the alignment to frames leave a window no left context, or if a
        context is shorter than the model's receptive field, so that frames at the seams would be missing.
        """
        field, stride = geometry.receptive_field, geometry.stride
        shortest, longest = field + 2 * stride, self.window - self.right_context - field - stride
        if self.right_context < field:
            raise UsageError(f"the right context must be at least {seconds(field):.3f} s for this model")
        if not shortest <= self.hop <= longest:
            limits = f"from {seconds(shortest):.3f} to {seconds(longest):.3f} s"
            raise UsageError(f"with {seconds(self.right_context):.3f} s of right context the hop must be {limits}")

    def __post_init__(self) -> None:
        """Raise UsageError for settings that contradict each other."""
        if not 0 < self.window <= MAX_WINDOW:
            raise UsageError(f"a window is at most {seconds(MAX_WINDOW):.3f} s")
        if min(self.min_speech, self.min_hangover, self.max_utterance) <= 0:
            raise UsageError("minimum speech, hangover and maximum utterance must be longer than 0 s")
        if not self.min_hangover <= self.hangover <= self.max_hangover:
            raise UsageError(
                f"the hangover, {seconds(self.hangover):g} s, must lie within its bounds, "
                f"{seconds(self.min_hangover):g} and {seconds(self.max_hangover):g} s; move them too"
            )
        if min(self.pre_roll, self.tail, self.partial_interval) < 0:
            raise UsageError("pre-roll, tail and partial interval must not be negative")
        if self.max_utterance < self.window:
            raise UsageError(f"the maximum utterance must be at least one window, {seconds(self.window):.3f} s")
        if self.tail > self.min_hangover:
            raise UsageError("the tail cannot be longer than the shortest hangover, in which it lies")

    def changed(self, values: Mapping[str, int]) -> "SegmenterSettings":
        """Return these settings with other values for some of `SETTABLE`; others may follow.

        Raises UsageError for an unknown name, for a value out of range, or for values that contradict each other.
        """
        for name, value in values.items():
            if name not in SETTABLE:
                known = ", ".join(map(_flag, SETTABLE))
                raise UsageError(f"'{_flag(name)}' cannot be set while running; {known} can")
            if value > LONGEST:
                raise UsageError(f"{_flag(name)} is at most {seconds(LONGEST):g} s, not {seconds(value):g}")
            if value < 0:
                raise UsageError(f"{_flag(name)} must not be negative (got {seconds(value):g} s)")
        return self._with({SETTABLE[name]: Samples(value) for name, value in values.items()})

    def _with(self, lengths: Mapping[str, Samples]) -> "SegmenterSettings":
        """Return these settings with other lengths, by field. A hangover moves those of its bounds that are not among
        them, and the tail is at most the shortest hangover.
        """
        hangover = lengths.get("hangover", self.hangover)
        least, most = min(self.min_hangover, hangover), max(self.max_hangover, hangover)
        chosen = {"min_hangover": least, "max_hangover": most} | dict(lengths)
        return replace(self, **chosen, tail=min(DEFAULTS.tail, chosen["min_hangover"]))

    def settable(self) -> dict[str, Setting]:
        """Return the settings that can change while the daemon runs, with their values, defaults and bounds."""
        nearer = {
            "hangover": (1, LONGEST),
            "min_hangover": (1, self.hangover),
            "max_hangover": (self.hangover, LONGEST),
            "min_speech": (1, LONGEST),
            "max_utterance": (self.window, LONGEST),
        }
        return {
            name: Setting(getattr(self, field), getattr(DEFAULTS, field), *nearer.get(name, (0, LONGEST)))
            for name, field in SETTABLE.items()
        }


def _flag(name: str) -> str:
    """Return the setting's name on the command line."""
    return name.replace("_", "-")


DEFAULTS = SegmenterSettings()

LONGEST = samples(60.0)
"""Upper bound of every length set while the daemon runs."""

SETTABLE = {
    name: name for name in ("hangover", "min_hangover", "max_hangover", "max_utterance", "min_speech", "pre_roll")
} | {"partials": "partial_interval"}
"""Settings that can change while the daemon runs: name on the command line and field."""
