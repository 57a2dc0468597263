"""Send a recording to a daemon as if it were spoken now: `python examples/sender.py talk.wav tcp://127.0.0.1:7000`.

Start the daemon with `asrd start --source pcm:tcp://127.0.0.1:7000`.
"""

import sys
import time

import soundfile

from asrd.clients.sender import Sender

BLOCK_S = 0.1

path, address = sys.argv[1:]
with soundfile.SoundFile(path) as file:
    block = round(BLOCK_S * file.samplerate)
    with Sender(address, rate=file.samplerate, channels=file.channels) as sender:
        due = time.monotonic()
        for pcm in file.blocks(block, dtype="float32"):
            due += len(pcm) / file.samplerate
            time.sleep(max(0.0, due - time.monotonic()))  # the pace of a microphone
            sender.send(pcm)
