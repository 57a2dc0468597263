"""Samples come out as another library reads them, however bytes were cut."""

from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from asrd.gateway.pcm import ENCODINGS, Unpacker

SUBTYPES = {"s16le": "PCM_16", "f32le": "FLOAT", "ulaw": "ULAW", "alaw": "ALAW"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_samples_are_those_of_libsndfile(encoding, tmp_path):
    path = tmp_path / "raw"
    path.write_bytes(bytes(range(256)) if encoding in ("ulaw", "alaw") else np.arange(-8, 8, dtype="<f4").tobytes())
    wanted, _ = soundfile.read(
        path, dtype="float32", samplerate=8_000, channels=1, format="RAW", subtype=SUBTYPES[encoding]
    )
    samples = Unpacker(encoding).push(path.read_bytes())[:, 0]
    scale = 32768 if samples.dtype == np.int16 else 1
    assert np.array_equal(samples / np.float32(scale), wanted, equal_nan=True)


@given(encoding=st.sampled_from(ENCODINGS), channels=st.integers(1, 3), cuts=st.lists(st.integers(0, 480), max_size=8))
def test_the_cuts_change_nothing(encoding, channels, cuts):
    data = np.random.default_rng(7).uniform(-1, 1, 120).astype("<f4").tobytes()
    unpacker, bounds = Unpacker(encoding, channels), [0, *sorted(cuts), len(data)]
    parts = [unpacker.push(data[first:last]) for first, last in pairwise(bounds)]
    assert np.array_equal(np.concatenate(parts), Unpacker(encoding, channels).push(data))
