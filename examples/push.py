"""Send a WAV file with 16-bit samples to a daemon, with nothing of asrd: `python examples/push.py talk.wav ADDRESS`.

Any language that has ZeroMQ and JSON can do the same. Start the daemon with `asrd start --source call=pcm:ADDRESS`, and
with `?streams=each` after the address if many send at once. `core/pcm.py` says what each field means.
"""

import json
import sys
import time
import uuid
import wave

import zmq

path, address = sys.argv[1:]
session = uuid.uuid4().hex
with wave.open(path) as file, zmq.Context() as context, context.socket(zmq.PUSH) as socket:
    assert file.getsampwidth() == 2, "16-bit samples"
    socket.connect(address)
    position = 0
    while position < file.getnframes():
        pcm = file.readframes(file.getframerate() // 10)
        header = {
            "schema": 1,
            "session": session,
            "rate": file.getframerate(),
            "channels": file.getnchannels(),
            "format": "s16le",
            "position": position,
            "captured": time.time(),
            "length": file.getnframes(),  # a microphone leaves this out
            "waits": True,  # a microphone leaves this out, too
        }
        position = file.tell()
        socket.send_multipart([json.dumps(header).encode(), pcm])  # waits while the daemon is behind
    end = {**header, "position": position, "end": True}
    socket.send_multipart([json.dumps(end).encode(), b""])
