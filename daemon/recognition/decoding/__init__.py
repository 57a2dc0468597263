"""Decode the frames of an utterance into words."""

from asrd.daemon.recognition.decoding.base import Boosts, Decoder, Decoding
from asrd.daemon.recognition.decoding.make import make_decoding
from asrd.daemon.recognition.decoding.options import DecoderOptions

__all__ = ["Boosts", "Decoder", "DecoderOptions", "Decoding", "make_decoding"]
