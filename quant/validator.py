"""Accuracy control: NNCF reverts what costs too much, steered by the daemon's own transcripts."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from asrd.backends import LoadedModel
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory
from asrd.quant.data import Clip
from asrd.quant.evaluation.measure import text_of
from asrd.quant.evaluation.score import error_rate
from asrd.quant.journal import Journal
from asrd.quant.recipe import Metric


class CompiledModel(LoadedModel):
    """An `openvino.CompiledModel` that NNCF hands over for validation."""

    def __init__(self, model: ModelDirectory, compiled: Any) -> None:
        super().__init__(model)
        self._request = compiled.create_infer_request()

    @property
    def arithmetic(self) -> str:
        """Always f32: NNCF validates in it, whatever the machine prefers."""
        return "f32"

    def infer(self, batch: FloatArray) -> FloatArray:
        """Run the compiled model on the whole batch."""
        return np.array(self._request.infer({0: batch})[0], np.float32)


@dataclass(slots=True)
class Validator:
    """NNCF's validation function: accuracy of a compiled model, over all clips and for each.

    steps: accuracies over all of `clips`, in the order they were asked for: the original, the quantized model, and
    then one for each group that was reverted. expected: whether the next accuracy over all clips is such a step; with
    few clips, NNCF ranks groups with all of them too.
    """

    model: ModelDirectory
    clips: Sequence[Clip]
    metric: Metric
    journal: Journal
    probe: FloatArray
    advance: Callable[[int], None] = lambda _: None
    steps: list[float] = field(default_factory=list)
    expected: bool = False

    def expect(self) -> None:
        """Expect the next accuracy over all clips to be a step."""
        self.expected = True

    def __call__(self, compiled: Any, items: Iterable[int]) -> tuple[float, list[float]]:
        """Return the accuracy over all chosen clips, and for each. items: indices into `clips`."""
        chosen = list(items)
        backend = CompiledModel(self.model, compiled)
        key = self._key(backend, chosen)
        known = self.journal.get(key)
        if known is None:
            known = [text_of(backend, self.clips[index]) for index in chosen]
            self.journal.record(key, known)
        self.advance(len(chosen))
        texts = [self.clips[index].text for index in chosen]
        accuracy = 1 - error_rate(self.metric, texts, known)
        each = [1 - error_rate(self.metric, [text], [heard]) for text, heard in zip(texts, known, strict=True)]
        if self.expected and chosen == list(range(len(self.clips))):
            self.steps.append(accuracy)
            self.expected = False
        return accuracy, each

    def _key(self, backend: LoadedModel, chosen: list[int]) -> str:
        """Return a key that tells models apart by their output for the probe, and sets of clips by their indices."""
        digest = hashlib.sha256(backend.logits(self.probe).tobytes())
        digest.update(np.array(chosen, np.int64).tobytes())
        return digest.hexdigest()


class Reverted(logging.Handler):
    """Listens to NNCF's log for the operations it reverts, for progress and the report.

    The layers that are in floating point in the end are read from the graph, not from here. step: called before NNCF
    asks for the accuracy of the original, of the quantized model, and of the model with another group reverted.
    """

    def __init__(self, notice: Callable[[str], None], step: Callable[[], None] = lambda: None) -> None:
        super().__init__(logging.INFO)
        self.groups: list[list[str]] = []
        self._notice, self._step = notice, step

    def emit(self, record: logging.LogRecord) -> None:
        """Extract the names from the message that announces them."""
        first, *names = record.getMessage().splitlines() or [""]
        if re.match(r"Validation of \w+ model was started|Reverted \d+ operations", first):
            self._step()
        if re.match(r"Reverted \d+ operations", first):
            self.groups.append([name.strip() for name in names])
            self._notice(f"{len(self.groups)} groups reverted")
