"""Accuracy control: NNCF reverts what costs too much, steered by the daemon's own transcripts."""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from asrd.backends import LoadedModel
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory
from asrd.quant.data import Clip
from asrd.quant.evaluation.cost import pairs
from asrd.quant.evaluation.measure import text_of
from asrd.quant.journal import Journal
from asrd.quant.progress import Progress
from asrd.quant.recipe import Recipe
from asrd.quant.search import Candidate

WORST = 10.0
"""Largest loss told to NNCF: of no accuracy at all, any loss is infinite."""


class CompiledModel(LoadedModel):
    """A candidate that is compiled."""

    def __init__(self, model: ModelDirectory, candidate: Candidate) -> None:
        super().__init__(model)
        self._request = candidate.compiled.create_infer_request()
        self._arithmetic = candidate.arithmetic

    @property
    def arithmetic(self) -> str:
        """That of the candidate's floating-point operations."""
        return self._arithmetic

    def infer(self, batch: FloatArray) -> FloatArray:
        """Run the compiled model on the whole batch."""
        return np.array(self._request.infer({0: batch})[0], np.float32)


@dataclass(slots=True)
class Validator:
    """NNCF's validation function: 1 - what a candidate loses against the original, over all clips and for each.

    What is lost is what the proof holds to the bound: the worst of the recipe's error rates. original: the network
    before quantization, in 32 bits, known once that begins. steps: losses over all of `clips`, in the order they were
    asked for: of the original, of the quantized model, and then one for each group that was reverted.
    """

    model: ModelDirectory
    clips: Sequence[Clip]
    recipe: Recipe
    journal: Journal
    progress: Progress
    original: Candidate | None = None
    steps: list[float] = field(default_factory=list)
    _expected: bool = False
    _reverting: bool = False

    def __call__(self, candidate: Candidate, items: Iterable[int]) -> tuple[float, list[float]]:
        """Return the accuracy over all chosen clips, and for each. items: indices into `clips`."""
        chosen = list(items)
        first = self.original or candidate
        candidate = first if candidate.identity == first.identity else candidate  # the original has its own arithmetic
        heard = self._texts(candidate, chosen, self.progress)
        original = heard if candidate is first else self._texts(first, chosen)
        lost = self._lost(chosen, original, heard)
        each = [self._lost([index], [one], [other]) for index, one, other in zip(chosen, original, heard, strict=True)]
        # With few clips NNCF ranks by all of them, too: that is no step.
        if self._expected and chosen == list(range(len(self.clips))):
            self.steps.append(lost)
            self._expected = False
        return 1 - lost, [1 - one for one in each]

    def prepare(self, candidate: Candidate) -> None:
        """Compile a candidate that nothing is known of; NNCF may do so for several at once."""
        if self.original and candidate.identity == self.original.identity:
            return
        if not any(self.journal.get(self._key(candidate, index)) is not None for index in range(len(self.clips))):
            _ = candidate.compiled

    def ranks(self, groups: int) -> None:
        """Show that so many candidates are ranked from now on."""
        heard = min(self.recipe.ranking_subset, len(self.clips))
        self.progress.stage(f"ranking {groups} groups", groups * heard)
        self._reverting = False

    def step(self, what: str) -> None:
        """Expect the next accuracy over all clips to be a step. what: the network that it is of."""
        self._expected = True
        if what == "reverted":
            if not self._reverting:
                self.progress.stage("reverting groups", None)
            self._reverting = True
            self.progress.notice(f"{max(len(self.steps) - 1, 1)} reverted")
        else:
            self.progress.stage(f"accuracy, {what}", len(self.clips))

    def _lost(self, chosen: Sequence[int], original: Sequence[str], heard: Sequence[str]) -> float:
        references = [self.clips[index].text for index in chosen]
        kind = self.recipe.drop_type
        lost = max(pairs(metric, references, original, heard, kind).value for metric in self.recipe.metrics)
        return min(max(lost, -WORST), WORST)

    def _texts(self, candidate: Candidate, chosen: Sequence[int], progress: Progress | None = None) -> list[str]:
        """Return what a candidate hears in the chosen clips, from the journal where that is known."""
        backend = None
        texts = []
        for index in chosen:
            key = self._key(candidate, index)
            known = self.journal.get(key)
            if known is None:
                backend = backend or CompiledModel(self.model, candidate)
                self.journal.record(key, text_of(backend, self.clips[index]))
            if progress:
                (progress.advance if known is None else progress.skip)()
            texts.append(str(self.journal.get(key)))
        return texts

    @staticmethod
    def _key(candidate: Candidate, index: int) -> str:
        return f"{candidate.identity} {candidate.arithmetic} {index}"


class Reverted(logging.Handler):
    """Listens to NNCF's log for the operations it reverts, for progress and the report.

    The layers that are in floating point in the end are read from the graph, not from here. step: called before NNCF
    asks for the accuracy of the "original", the "quantized" model, and the model with another group "reverted".
    """

    def __init__(self, step: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self.groups: list[list[str]] = []
        self._step = step

    def emit(self, record: logging.LogRecord) -> None:
        """Extract the names from the message that announces them."""
        first, *names = record.getMessage().splitlines() or [""]
        if started := re.match(r"Validation of (\w+) model was started", first):
            self._step("all in 8 bits" if started[1] == "quantized" else "original")
        elif re.match(r"Reverted \d+ operations", first):
            self.groups.append([name.strip() for name in names])
            self._step("reverted")
