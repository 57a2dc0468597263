"""From the frames of an utterance to its words."""

from asrd.daemon.decoding.base import Boosts, Decoder, Decoding
from asrd.daemon.decoding.make import make_decoding
from asrd.daemon.decoding.options import DecoderOptions

__all__ = ["Boosts", "Decoder", "DecoderOptions", "Decoding", "make_decoding"]
