"""Overrides for transcribing a recording again, and their effect on what changed while it was recorded."""

from dataclasses import dataclass

from asrd.backends import Backend
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import Boosts, Decoding
from asrd.daemon.recognition.hotwords import usable
from asrd.daemon.replay import environment
from asrd.daemon.segmentation.settings import SegmenterSettings


@dataclass(frozen=True, slots=True)
class Overrides:
    """options: used, except for settings that were changed while recording. names: options that hold throughout,
    whatever was changed. boosts: hot words in place of the recorded ones; None to keep those.
    """

    backend: Backend
    options: RecognitionOptions
    names: frozenset[str]
    boosts: Boosts | None
    decoding: Decoding

    def settings(self, recorded: SegmenterSettings) -> SegmenterSettings:
        """Return the settings to use in place of recorded ones. Raises UsageError if they contradict each other."""
        changed: SegmenterSettings = environment.chosen(recorded, self.options.segmenter, set(self.names))
        return changed

    def hot(self, recorded: Boosts) -> Boosts:
        """Return the hot words to use in place of recorded ones."""
        return usable(recorded, self.decoding) if self.boosts is None else self.boosts
