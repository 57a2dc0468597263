"""Speech that is sent to a daemon while something happens to it."""

import contextlib
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from asrd.clients.sender import Sender
from asrd.core.errors import TransportError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.daemon.sources.files import read_blocks
from asrd.models.speech import bundled

BLOCK = SAMPLE_RATE // 10


def sentences(count: int) -> FloatArray:
    """Return so many recorded sentences, over and over, with a second of silence after each."""
    clips, pause = bundled("real"), np.zeros(SAMPLE_RATE, np.float32)
    return np.concatenate(
        [part for index in range(count) for part in (*read_blocks(clips[index % len(clips)].audio), pause)]
    )


@contextmanager
def playing(address: str, audio: FloatArray, speed: float = 2.0) -> Iterator[threading.Thread]:
    """Send audio in the background, faster than it was spoken. Leaving waits until it was sent, unless the daemon has
    ended.
    """
    hurry = threading.Event()
    sender = Sender(address, timeout=60, away=math.inf, waits=True)

    def play() -> None:
        with contextlib.suppress(TransportError), sender:
            for first in range(0, len(audio), BLOCK):
                sender.send(audio[first : first + BLOCK])
                hurry.wait(BLOCK / SAMPLE_RATE / speed)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield thread
    finally:
        hurry.set()
        sender.away = 0.0
        thread.join()
