"""Synthetic voices that come as packages; each is varied in speed and pitch, because they are few."""

import random
import subprocess
import tempfile
import wave
from collections.abc import Callable

import numpy as np
import soxr

from asrd.core.errors import AsrdError, MissingExtraError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE

Speech = tuple[FloatArray, str]
"""Samples at 16 kHz, and the speaker."""

Voice = Callable[[str, random.Random], Speech]

_FLITE = {"slt": 170, "rms": 100, "awb": 125, "kal16": 105}
"""flite's 16 kHz voices, and the mean pitch of each in Hz."""


def flite() -> Voice:
    """Return flite's voices: two American men, a Scotsman and an American woman (free software of Carnegie Mellon
    University), at 70 times real time.
    """

    def speak(text: str, rng: random.Random) -> Speech:
        speaker = rng.choice(["slt", "slt", "rms", "rms", "awb", "awb", "kal16"])
        pitch, f0 = rng.uniform(0.82, 1.22), _FLITE[speaker] * rng.uniform(0.85, 1.25)
        stretch = pitch / rng.uniform(0.8, 1.3)
        options = ["--setf", f"duration_stretch={stretch:.3f}", "--setf", f"int_f0_target_mean={f0:.0f}"]
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            command = ["flite", "-voice", speaker, *options, "-t", text, "-o", file.name]
            try:
                subprocess.run(command, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError) as error:
                raise AsrdError(
                    f"flite cannot speak ({error}); 'apt install flite', or leave that voice out"
                ) from error
            with wave.open(file.name) as spoken:
                rate, pcm = spoken.getframerate(), np.frombuffer(spoken.readframes(spoken.getnframes()), np.int16)
        return _shifted(np.multiply(pcm, 1 / 32768, dtype=np.float32), rate, pitch), f"flite-{speaker}"

    return speak


def hibari() -> Voice:
    """Return hibari's voice, an American woman (Apache-2.0), at 100 times real time."""
    try:
        from hibari import Hibari
    except ImportError as error:
        raise MissingExtraError("training", "the voice of hibari") from error
    tts = Hibari(threads=1)

    def speak(text: str, rng: random.Random) -> Speech:
        pitch = rng.choice([rng.uniform(0.9, 1.1), rng.uniform(0.72, 0.9), rng.uniform(1.05, 1.25)])
        speed = min(2.0, max(0.5, rng.uniform(0.8, 1.35) / pitch))
        return _shifted(tts(text, speed=speed, seed=rng.randrange(1 << 30)), tts.sample_rate, pitch), "hibari"

    return speak


VOICES: dict[str, Callable[[], Voice]] = {"flite": flite, "hibari": hibari}


def _shifted(pcm: FloatArray, rate: int, pitch: float) -> FloatArray:
    """Resample to 16 kHz, played `pitch` times as fast.

    Pitch and formants move together, as between large and small people.
    """
    shifted: FloatArray = soxr.resample(pcm, rate * pitch, SAMPLE_RATE)
    return shifted
