"""Write audio files of all kinds with FFmpeg's encoders."""

from pathlib import Path

import av
import numpy as np

from asrd.core.flow import FloatArray


def encode(path: Path, pcm: FloatArray, codec: str, rate: int, container: str | None = None, **options: str) -> Path:
    """Encode float32 `(n,)` or `(n, channels)`. container: if the suffix does not say. options: of the container."""
    planes = np.ascontiguousarray(np.atleast_2d(pcm.T))
    layout = "mono" if len(planes) == 1 else "stereo"
    with av.open(str(path), "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        if codec == "wmav2":
            stream.bit_rate = 64_000  # has no default
        whole = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        whole.sample_rate, whole.pts = rate, 0
        for frame in (whole, None):
            file.mux(stream.encode(frame))
    return path
