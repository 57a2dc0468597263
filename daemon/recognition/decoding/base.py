"""What a decoder is."""

from collections.abc import Mapping
from typing import Protocol

from asrd.core.flow import Hypothesis
from asrd.daemon.recognition.decoding.frames import Frames

Boosts = Mapping[str, float]
"""Hot words and phrases as people wrote them, each with the nats that it is worth."""


class Decoder(Protocol):
    """Decodes one utterance, window by window; it may remember what it was given before."""

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        """What the utterance says, as far as it is known.

        frames: all of the utterance so far. settled: how many leading ones no later call will
        change. last: the utterance has ended, and this is the last call.

        The first `stable` characters of the text are those of every later call's text.
        """


class Decoding(Protocol):
    """Makes the decoder of each utterance, and holds what they share."""

    def begin(self, boosts: Boosts) -> Decoder:
        """For an utterance with these hot words."""
