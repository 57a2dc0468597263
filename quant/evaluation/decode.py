"""Decode kept frames again and again, as the daemon would, to tune and measure decoders."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from asrd.backends import Backend
from asrd.core.units import Samples, seconds
from asrd.daemon.recognition.decoding import Boosts, Decoding
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.recognizer import NO_BOOSTS
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.quant.data import Clip, read
from asrd.quant.evaluation.frames import utterances

Utterances = list[Frames]
"""The frames of each utterance of a clip."""


def emissions(backend: Backend, clips: Sequence[Clip], advance: Callable[[], None] = lambda: None) -> list[Utterances]:
    """Compute the frames of clips. Raises AudioError if one cannot be read, BackendError if the backend fails."""
    heard = []
    for clip in clips:
        heard.append(utterances(backend, read(clip)))
        advance()
    return heard


@dataclass(slots=True)
class Clock:
    """Time that decoding took.

    audio: seconds of speech decoded. spent: seconds of processor time it took. finals: of these, those after the end
    of each utterance.
    """

    audio: float = 0.0
    spent: float = 0.0
    finals: list[float] = field(default_factory=list)


def text(
    decoding: Decoding,
    clip: Utterances,
    stride: Samples,
    *,
    boosts: Boosts = NO_BOOSTS,
    clock: Clock | None = None,
) -> str:
    """Decode a clip, its frames settled window by window as in the daemon, with those ahead known."""
    clock = clock or Clock()
    settings = SegmenterSettings()
    hop, ahead = max(1, settings.hop // stride), settings.right_context // stride
    texts = []
    for frames in clip:
        decoder = decoding.begin(boosts)
        count = len(frames.positions)
        began = time.thread_time()
        for settled in range(hop, count, hop):
            decoder.decode(frames.part(0, min(settled + ahead, count)), settled, last=False)
        ended = time.thread_time()
        texts.append(decoder.decode(frames, count, last=True).text)
        clock.finals.append(time.thread_time() - ended)
        clock.spent += time.thread_time() - began
        clock.audio += seconds(Samples(count * stride))
    return " ".join(found for found in texts if found)
