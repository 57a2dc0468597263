"""The hangover: the silence that ends an utterance."""

from asrd.core.flow import Answer
from asrd.core.units import Samples
from asrd.daemon.segmentation import limits
from asrd.daemon.segmentation.pauses import Pauses, PausesState
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.segmentation.utterance import OpenUtterance
from asrd.daemon.state import Stateful


class Hangover(Stateful[PausesState]):
    """Adapt the hangover to the speaker's pauses, within the bounds set by the settings, the length of the utterance
    and the recogniser (`limits`).
    """

    def __init__(self, settings: SegmenterSettings) -> None:
        self._settings = settings
        self._pauses = Pauses(settings.hangover)

    def state(self) -> PausesState:
        """Return what is known of the speaker's pauses."""
        return self._pauses.state()

    def resume(self, state: PausesState) -> None:
        """Continue with this speaker's pauses."""
        self._pauses.resume(state)

    @property
    def ordinary(self) -> Samples:
        """The silence that would end an utterance of ordinary length now."""
        return Samples(round(limits.for_length(self._pauses.limit(), 0, self._settings)))

    def use(self, settings: SegmenterSettings, spoken: OpenUtterance | None) -> None:
        """Apply other settings from now on. A new `hangover` restarts the statistics of the speaker's pauses."""
        if settings.hangover != self._settings.hangover:
            self._pauses = Pauses(settings.hangover)
            if spoken:
                spoken.limit = self._pauses.limit()
        self._settings = settings

    def began(self, silence: int) -> None:
        """Note that an utterance begins after `silence` samples: a pause, unless it is longer than any hangover."""
        if silence < self._settings.max_hangover:
            self._pauses.pause(silence)

    def spoke(self, length: int, silence: int) -> None:
        """Note `length` more samples of speech in an utterance, after `silence` samples."""
        self._pauses.pause(silence)
        self._pauses.speech(length)

    def limit(self, spoken: OpenUtterance | None, position: int, heard: Answer | None) -> float:
        """Return the silence, in samples, that ends the open utterance at a position; the longest one if none is
        open.

        heard: the recogniser's latest answer about the utterance. The speaker's pauses are read before each silence,
        not during it.
        """
        if spoken is None:
            return self._settings.max_hangover
        if not spoken.quiet:
            spoken.limit = self._pauses.limit()
        limit = limits.for_length(spoken.limit, position - spoken.start, self._settings)
        return limits.for_text(limit, spoken.heard, heard, self._settings)
