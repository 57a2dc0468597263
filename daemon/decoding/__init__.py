"""From the frames of an utterance to its words."""

from asrd.daemon.decoding.base import Decoder, Decoding

__all__ = ["Decoder", "Decoding"]
