"""What a recording is heard anew with, and what becomes then of what changed while it was recorded."""

from dataclasses import dataclass

from asrd.backends import Backend
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import Boosts, Decoding
from asrd.daemon.recognition.hotwords import usable
from asrd.daemon.replay import environment
from asrd.daemon.segmentation.settings import SegmenterSettings


@dataclass(frozen=True, slots=True)
class Overrides:
    """options: to hear with, but for settings that were changed while recording. names: options that hold
    throughout, whatever was changed. boosts: hot words in place of the recorded ones; None for those.
    """

    backend: Backend
    options: RecognitionOptions
    names: frozenset[str]
    boosts: Boosts | None
    decoding: Decoding

    def settings(self, recorded: SegmenterSettings) -> SegmenterSettings:
        """What becomes of settings that were used then. Raises UsageError for what contradicts itself."""
        changed: SegmenterSettings = environment.chosen(recorded, self.options.segmenter, set(self.names))
        return changed

    def hot(self, recorded: Boosts) -> Boosts:
        """What becomes of hot words that there were then."""
        return usable(recorded, self.decoding) if self.boosts is None else self.boosts
