"""Tell the segmenter where a window's emission has words."""

import numpy as np

from asrd.core.flow import NOBODY, Answer, Emission, Window
from asrd.core.units import Samples, samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.greedy import GreedyDecoder
from asrd.models import ModelDirectory

LAG = samples(0.16)
"""Stream time in which the recogniser can answer: about 50 ms for a block of the source, the rest for inference."""

SPELLED = 3
"""Letters that the recogniser must hear in a voice without words before it is an utterance: in drums and single
instruments it sometimes hears one or two.
"""


def answer(window: Window, emission: Emission, model: ModelDirectory) -> Answer:
    """Return where the best path through the window alone has words.

    Only this window is used, so that it does not matter which windows were recognised before. An emission without
    frames, from a window that could not be recognised, says nothing: `until` is its start. If the window belongs to
    no utterance yet, fewer than `SPELLED` letters do not count as words; the next window will hear the rest.
    """
    stride, count = emission.stride, len(emission.log_probs)
    positions = window.start + model.geometry.receptive_field // 2 - stride // 2 + stride * np.arange(count)
    decoder = GreedyDecoder(model.vocabulary, stride)
    frames = Frames(emission.log_probs, positions, (window.start, window.end))
    words = decoder.decode(frames, settled=0, last=False).words
    if window.utterance == NOBODY and sum(len(word.text) for word in words) < SPELLED:
        words = ()
    until = Samples(int(positions[-1]) + stride) if count else window.start
    return Answer(window.utterance, Samples(window.end + LAG), until, tuple((word.start, word.end) for word in words))
