"""Make batches in a second process, so that training never waits for them."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Full
from typing import Any

from asrd.core.errors import AsrdError
from asrd.training.batches import Batch, Batches
from asrd.training.plan import Plan

_AHEAD = 6
_PATIENCE_S = 5.0


def stream(
    kind: type[Batches], folder: Path, plan: Plan, *, number: int, wanted: Callable[[], bool]
) -> Iterator[Batch]:
    """Yield batches of a kind from `number` on, as long as `wanted` returns True.

    Raises AsrdError where the other process dies.
    """
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue(_AHEAD)
    maker = context.Process(target=_make, args=(kind, folder, plan, number, queue), daemon=True)
    maker.start()
    try:
        while wanted():
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


def _make(kind: type[Batches], folder: Path, plan: Plan, number: int, queue: Any) -> None:
    os.nice(5)
    parent = os.getppid()
    batches = kind(folder, plan)
    while True:
        batch = batches(number)
        number += 1
        sent = False
        while not sent:
            if os.getppid() != parent:  # the parent was killed and could not end this process
                return
            with suppress(Full):
                queue.put(batch, timeout=_PATIENCE_S)
                sent = True
