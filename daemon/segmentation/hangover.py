"""How long a silence ends an utterance."""

from asrd.core.flow import Answer
from asrd.core.units import Samples
from asrd.daemon.segmentation import limits
from asrd.daemon.segmentation.pauses import Pauses, PausesState
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.daemon.state import Stateful


class Hangover(Stateful[PausesState]):
    """It follows the speaker's pauses, within the bounds that the settings, the length of the utterance and the
    recogniser give it (`limits`).
    """

    def __init__(self, settings: SegmenterSettings) -> None:
        self._settings = settings
        self._pauses = Pauses(settings.hangover)

    def state(self) -> PausesState:
        """The speaker's pauses."""
        return self._pauses.state()

    def resume(self, state: PausesState) -> None:
        """Go on with this speaker."""
        self._pauses.resume(state)

    @property
    def ordinary(self) -> Samples:
        """The silence that would end an utterance of ordinary length now."""
        return Samples(round(limits.for_length(self._pauses.limit(), 0, self._settings)))

    def use(self, settings: SegmenterSettings, spoken: OpenUtterance | None) -> None:
        """Go by other settings from now on. A new `hangover` starts counting the speaker's pauses anew."""
        if settings.hangover != self._settings.hangover:
            self._pauses = Pauses(settings.hangover)
            if spoken:
                spoken.limit = self._pauses.limit()
        self._settings = settings

    def began(self, silence: int) -> None:
        """An utterance begins after so many samples of silence: a pause, unless it is longer than any hangover."""
        if silence < self._settings.max_hangover:
            self._pauses.pause(silence)

    def spoke(self, length: int, silence: int) -> None:
        """So many more samples of an utterance are speech, after that many of silence."""
        self._pauses.pause(silence)
        self._pauses.speech(length)

    def limit(self, spoken: OpenUtterance | None, position: int, heard: Answer | None) -> float:
        """The silence, in samples, that ends what is open at a position; the longest, where nothing is.

        heard: the latest answer of the recogniser about it. What the speaker's pauses are is taken before each silence.
        """
        if spoken is None:
            return self._settings.max_hangover
        if not spoken.quiet:
            spoken.limit = self._pauses.limit()
        limit = limits.for_length(spoken.limit, position - spoken.start, self._settings)
        return limits.for_text(limit, spoken.heard, heard, self._settings)
