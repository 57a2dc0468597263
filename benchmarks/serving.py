"""Measure what a model server costs: CPU time of the daemon a window, and the time to its answer.

    python benchmarks/serving.py NAME=ADDRESS...

Windows go by turns to the backend int8 in this process and to every address, which should serve the same model.
"""

import statistics
import time

import click
import numpy as np

from asrd.backends import Backend, LoadOptions, load
from asrd.core.units import MAX_WINDOW
from asrd.models.store import resolve


@click.command()
@click.argument("addresses", nargs=-1)
@click.option("--model", default="asrd-tiny-en", show_default=True)
@click.option("--rounds", default=200, show_default=True)
def main(addresses: tuple[str, ...], model: str, rounds: int) -> None:
    """Print a line for each."""
    directory = resolve(model)
    backends: dict[str, Backend] = {"in process": load("int8", directory)}
    for one in addresses:
        name, _, address = one.partition("=")
        backends[name] = load("kserve", directory, LoadOptions(model_server=address))
    took: dict[str, list[float]] = {name: [] for name in backends}
    spent: dict[str, list[float]] = {name: [] for name in backends}
    audio = np.random.default_rng(1).standard_normal((1, MAX_WINDOW)).astype(np.float32)
    for backend in backends.values():
        backend.warm_up(MAX_WINDOW)
    for _ in range(rounds):
        for name, backend in backends.items():
            began, cpu = time.perf_counter(), time.process_time()
            backend.logits(audio)
            took[name].append(1000 * (time.perf_counter() - began))
            spent[name].append(1000 * (time.process_time() - cpu))
    for name, times in took.items():
        quarter, median, _ = statistics.quantiles(times, n=4)
        cpu = statistics.median(spent[name])
        click.echo(f"{name}: {median:.1f} ms (lower quartile {quarter:.1f}), {cpu:.1f} ms CPU in this process")
    for backend in backends.values():
        backend.close()


if __name__ == "__main__":
    main()
