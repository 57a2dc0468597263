"""The protocols of decoders and decodings."""

from collections.abc import Mapping
from typing import Protocol

from asrd.core.flow import Hypothesis
from asrd.daemon.recognition.decoding.frames import Frames

Boosts = Mapping[str, float]
"""Hot words and phrases as the user wrote them, each with its boost in nats."""


class Decoder(Protocol):
    """Decode one utterance, window by window; a decoder may remember what it was given before."""

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        """Return the hypothesis so far.

        frames: all frames of the utterance so far. settled: number of leading frames that no later call will change.
        last: the utterance has ended, and this is the last call.

        The first `stable` characters of the text also begin the text of every later call.
        """


class Decoding(Protocol):
    """Make the decoder of each utterance, and hold what decoders share."""

    def begin(self, boosts: Boosts) -> Decoder:
        """Return the decoder of an utterance with these hot words."""
