"""Batches made by a second process, so that the first one never waits for them."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full
from typing import Any

from asrd.core.errors import AsrdError
from asrd.models import Geometry
from asrd.models.recipe.batches import Batch, Batches
from asrd.models.recipe.learner import Learner
from asrd.models.recipe.plan import Plan

_AHEAD = 6
_PATIENCE_S = 5.0


def stream(folder: Path, geometry: Geometry, learner: Learner) -> Iterator[Batch]:
    """Batches from the learner's step on, until its plan is done. Raises AsrdError where the other process dies."""
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue(_AHEAD)
    progress = context.Value("d", learner.progress)
    maker = context.Process(
        target=_make,
        args=(folder, geometry, learner.plan),
        kwargs={"number": learner.step, "queue": queue, "shared": progress},
        daemon=True,
    )
    maker.start()
    try:
        while learner.progress < 1:
            progress.value = learner.progress
            try:
                batch = queue.get(timeout=_PATIENCE_S)
            except Empty:
                if maker.is_alive():
                    continue
                raise AsrdError("the process that prepares audio died; the same command goes on from here") from None
            yield batch
    finally:
        maker.terminate()
        maker.join()


def _make(folder: Path, geometry: Geometry, plan: Plan, *, number: int, queue: Any, shared: Any) -> None:
    os.nice(5)
    parent = os.getppid()
    batches = Batches(folder, geometry, plan.seed, plan.shares)
    while True:
        progress = number / plan.steps if plan.steps else shared.value
        batch = batches(number, plan.longest(progress), plan.total(progress))
        number += 1
        sent = False
        while not sent:
            if os.getppid() != parent:  # killed without a chance to end this process
                return
            with suppress(Full):
                queue.put(batch, timeout=_PATIENCE_S)
                sent = True
