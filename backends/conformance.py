"""Conformance tests for backends. Needs pytest.

A third party subclasses this in its own test suite, next to its entry point:

    from asrd.backends.conformance import BackendConformance

    class TestMine(BackendConformance):
        name = "mine"

The bundled model is used unless the fixture `model` is overridden; parametrize it to try models of other geometries.
The tests check only the contract in `asrd.backends.base`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asrd.backends.base import Backend, LoadOptions
from asrd.backends.registry import load
from asrd.core.errors import BackendError
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW
from asrd.models import ModelDirectory
from asrd.models.store import DEFAULT_MODEL, resolve


class BackendConformance:
    """The tests. Set `name`; override the fixture `model`, `options` or `tolerance` where needed."""

    name: str
    """The backend's entry point."""

    options = LoadOptions()

    tolerance = 1e-3
    """Largest difference of a logit when the same audio is computed in another batch or after another load."""

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls) -> ModelDirectory:
        """The model to load."""
        return resolve(DEFAULT_MODEL)

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, model: ModelDirectory) -> Iterator[Backend]:
        """The backend under test, shared by the class: earlier calls must not matter."""
        backend = load(cls.name, model, cls.options)
        yield backend
        backend.close()

    @pytest.fixture(scope="class")
    @classmethod
    def windows(cls) -> FloatArray:
        """Three full windows, `(3, MAX_WINDOW)`, of zero mean and unit variance."""
        return np.random.default_rng(3).standard_normal((3, MAX_WINDOW)).astype(np.float32)

    def test_answers_in_the_models_shape(self, backend: Backend, windows: FloatArray) -> None:
        """Logits are `(batch, frames, vocabulary)`, float32, finite, and not the same everywhere."""
        logits = backend.logits(windows)
        assert logits.shape == (3, backend.model.geometry.frames(MAX_WINDOW), len(backend.model.vocabulary))
        assert logits.dtype == np.float32
        assert np.isfinite(logits).all()
        assert logits.std() > 0

    def test_shorter_windows(self, backend: Backend, windows: FloatArray) -> None:
        """Any length from the shortest up gives as many frames as the geometry says."""
        geometry = backend.model.geometry
        shortest, stride = geometry.shortest, geometry.stride
        for samples in (shortest, shortest + stride - 1, shortest + stride, MAX_WINDOW // 2, MAX_WINDOW - 1):
            assert backend.logits(windows[:1, :samples]).shape[1] == geometry.frames(samples)

    def test_too_short(self, backend: Backend, windows: FloatArray) -> None:
        """Audio that is too short is refused, naming the length needed, and does no harm."""
        shortest = backend.model.geometry.shortest
        before = backend.logits(windows[:1])
        for samples in (0, shortest - 1):
            with pytest.raises(BackendError, match=rf"{samples} samples is too short.* {shortest}$"):
                backend.logits(windows[:1, :samples])
        np.testing.assert_array_equal(backend.logits(windows[:1]), before)

    def test_a_batch_is_its_single_windows(self, backend: Backend, windows: FloatArray) -> None:
        """Windows of one batch do not affect each other."""
        for samples in (MAX_WINDOW, MAX_WINDOW // 2):
            batch = windows[:, :samples]
            single = np.concatenate([backend.logits(row[None]) for row in batch])
            np.testing.assert_allclose(backend.logits(batch), single, rtol=self.tolerance, atol=self.tolerance)

    def test_is_deterministic_and_keeps_no_state(self, backend: Backend, windows: FloatArray) -> None:
        """The same audio gives the same bits, whatever was computed in between."""
        first = backend.logits(windows[:1])
        backend.logits(windows[1:2])
        backend.logits(windows[1:2, : MAX_WINDOW // 3])
        np.testing.assert_array_equal(backend.logits(windows[:1]), first)

    def test_the_first_window_may_be_of_any_length(self, backend: Backend, windows: FloatArray) -> None:
        """What a backend computes first, such as one frame, has no effect on longer windows later."""
        audio = windows[:1, : MAX_WINDOW - 1]
        first = load(self.name, backend.model, self.options)
        first.logits(audio[:, : backend.model.geometry.shortest])
        np.testing.assert_allclose(first.logits(audio), backend.logits(audio), atol=self.tolerance)
        first.close()

    def test_an_answer_is_the_callers(self, backend: Backend, windows: FloatArray) -> None:
        """A result kept by the caller survives the next call: there is no shared output buffer."""
        kept = backend.logits(windows[:1])
        copy = kept.copy()
        backend.logits(windows[1:2])
        np.testing.assert_array_equal(kept, copy)

    def test_leaves_its_input_alone(self, backend: Backend, windows: FloatArray) -> None:
        """Audio is only read, so read-only memory will do."""
        audio = windows[:1].copy()
        audio.flags.writeable = False
        backend.logits(audio)
        np.testing.assert_array_equal(audio, windows[:1])

    def test_takes_audio_that_is_not_contiguous(self, backend: Backend, windows: FloatArray) -> None:
        """A slice of a longer recording works as well as a copy of it."""
        spread = np.zeros((1, 2 * MAX_WINDOW), np.float32)
        spread[:, ::2] = windows[:1]
        np.testing.assert_array_equal(backend.logits(spread[:, ::2]), backend.logits(windows[:1]))

    def test_runs_in_another_thread(self, backend: Backend, windows: FloatArray) -> None:
        """A backend loaded in one thread works in another: the daemon's scheduler has a thread of its own."""
        here = backend.logits(windows[:1])
        with ThreadPoolExecutor(1) as pool:
            there = pool.submit(backend.logits, windows[:1]).result()
        np.testing.assert_allclose(there, here, atol=self.tolerance)

    def test_two_at_once(self, backend: Backend, windows: FloatArray) -> None:
        """A second backend loads beside the first, answers alike, and closes without harming it."""
        first = backend.logits(windows[:1])
        second = load(self.name, backend.model, self.options)
        np.testing.assert_allclose(second.logits(windows[:1]), first, atol=self.tolerance)
        second.close()
        second.close()
        np.testing.assert_array_equal(backend.logits(windows[:1]), first)

    def test_says_what_it_computes_in(self, backend: Backend) -> None:
        """The arithmetic is named by a short word for tables, the same one each time."""
        assert backend.arithmetic == backend.arithmetic.strip().lower() != ""
