"""Compare the speed of the backends: wav2vec2-base at full size, one window of 30480 samples.

    pip install '.[torch,quant]'
    python benchmarks/backends.py

Weights are random, which does not affect speed and says nothing of accuracy. The contenders take turns within one run,
so that other load on the machine affects all alike, and ratios hold.
"""

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import numpy as np
from platformdirs import user_cache_path
from rich.console import Console
from rich.table import Table

from asrd.backends import Backend, LoadOptions, load
from asrd.backends.openvino import Int8Backend, OpenVinoBackend
from asrd.core.flow import FloatArray
from asrd.core.units import MAX_WINDOW, SAMPLE_RATE, seconds
from asrd.models import ModelDirectory, convert
from asrd.quant.graph import kept
from asrd.quant.quantize import quantize, read_network

GOALS = {("int8", "torch"): 4.0, ("int8", "openvino f32"): 2.5, ("int8", "int8, all"): 1.15}
"""Goals: how many times as fast as the second backend the first must be."""

ALL = "int8-all"
"""File name of the network as the converter gives it, with all its layers in 8 bits."""

CALIBRATION_WINDOWS = 16
WARM_UP_ROUNDS = 3


class F32Backend(OpenVinoBackend):
    """OpenVINO without speed-ups: weights and arithmetic in 32 bits."""

    precision = "f32"


class AllInt8Backend(Int8Backend):
    """INT8 without a rewritten front end, and with the positional convolution in 8 bits, too."""

    precision = ALL


def speech_like(windows: int) -> FloatArray:
    """Synthesise `(windows, MAX_WINDOW)`: a voice's harmonics under a syllable rhythm, and breath, normalised."""
    random = np.random.default_rng(0)
    clock = np.arange(MAX_WINDOW) / SAMPLE_RATE
    rows = []
    for _ in range(windows):
        melody = random.uniform(90, 220) + 30 * np.sin(2 * np.pi * random.uniform(0.5, 2) * clock)
        phase = 2 * np.pi * np.cumsum(melody) / SAMPLE_RATE
        voice = sum(np.sin(phase * harmonic) / harmonic for harmonic in range(1, 25))
        rhythm = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(3, 6) * clock)
        sound = rhythm * voice + 0.05 * random.standard_normal(MAX_WINDOW)
        rows.append((sound - sound.mean()) / sound.std())
    return np.stack(rows).astype(np.float32)


def build(path: Path) -> ModelDirectory:
    """Build a checkpoint of the base-960h kind with random weights, and its f32, FP16 and INT8 models."""
    import torch
    import transformers

    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
    path.mkdir(parents=True, exist_ok=True)
    (path / "vocab.json").write_text(
        json.dumps({letter: index for index, letter in enumerate(letters)}), encoding="utf-8"
    )
    transformers.Wav2Vec2Processor(
        transformers.Wav2Vec2FeatureExtractor(return_attention_mask=False),
        transformers.Wav2Vec2CTCTokenizer(path / "vocab.json"),
    ).save_pretrained(path)
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config()).save_pretrained(path)
    model = ModelDirectory.open(path)
    convert.save(convert.trace(model, rewrite=False), model.openvino("f32"), compress=False)
    convert.convert(model)
    windows = speech_like(CALIBRATION_WINDOWS)
    for name, network, spared in (
        ("int8", read_network(model), kept(read_network(model), ())),
        (ALL, convert.trace(model, rewrite=False), []),
    ):
        convert.save(quantize(network, windows, keep_float=spared)[0], model.openvino(name), compress=True)
    return model


def prepare(cache: Path) -> ModelDirectory:
    """Return the benchmark's model, which is kept between runs until a package that built it changes its version."""
    makers = ("transformers", "openvino", "nncf")
    path = cache / "-".join(["wav2vec2-base", *(version(maker).split("+")[0] for maker in makers)])
    if (path / "openvino" / f"{ALL}.xml").is_file():
        return ModelDirectory.open(path)
    click.echo(f"building the model in {path}, which takes minutes the first time", err=True)
    return build(path)


def contenders(model: ModelDirectory, threads: int) -> dict[str, Backend]:
    """Load the backends to compare, by name. bf16 takes part where the processor has it."""
    from asrd.models import runtime

    options = LoadOptions(threads=threads)
    half = LoadOptions(threads=threads, arithmetic="bf16")
    found = {
        "torch": load("torch", model, options),
        "openvino f32": F32Backend.load(model, options),
        "fp16": load("fp16", model, options),
        "int8, all": AllInt8Backend.load(model, options),
        "int8": load("int8", model, options),
    }
    if "BF16" in runtime.openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        found["fp16, bf16"] = load("fp16", model, half)
        found["int8, bf16"] = load("int8", model, half)
    return found


def measure(backends: Mapping[str, Backend], window: FloatArray, rounds: int) -> dict[str, FloatArray]:
    """Return the seconds of processor time, of all threads together, that each backend took in each round, `(rounds,)`
    by name; they take turns.
    """
    times: dict[str, list[float]] = {name: [] for name in backends}
    for _ in range(WARM_UP_ROUNDS + rounds):
        for name, backend in backends.items():
            began = time.process_time()
            backend.logits(window)
            times[name].append(time.process_time() - began)
    return {name: np.array(taken[WARM_UP_ROUNDS:], np.float32) for name, taken in times.items()}


def summarize(backends: Mapping[str, Backend], times: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Make one row per backend: milliseconds, and how many times as fast as the two references it is.

    A ratio is the median of the rounds' own ratios, so that a slow moment of the machine affects both sides.
    """
    rows = []
    for name, taken in times.items():
        p10, median, p90 = (float(1000 * value) for value in np.percentile(taken, [10, 50, 90]))
        rows.append(
            {
                "backend": name,
                "arithmetic": backends[name].arithmetic,
                "median_ms": median,
                "p10_ms": p10,
                "p90_ms": p90,
                "real_time_factor": median / 1000 / seconds(MAX_WINDOW),
                "times_torch": float(np.median(times["torch"] / taken)),
                "times_openvino_f32": float(np.median(times["openvino f32"] / taken)),
                "times_int8,_all": float(np.median(times["int8, all"] / taken)),
            }
        )
    return rows


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the table, and whether the goals are reached."""
    table = Table("backend", "arithmetic", "median ms", "p10", "p90", "× torch", "× OpenVINO f32", "real-time factor")
    for row in rows:
        milliseconds = (f"{row[key]:.1f}" for key in ("median_ms", "p10_ms", "p90_ms"))
        ratios = (f"{row[key]:.2f}" for key in ("times_torch", "times_openvino_f32"))
        table.add_row(row["backend"], row["arithmetic"], *milliseconds, *ratios, f"{row['real_time_factor']:.3f}")
    Console(width=110).print(table)
    for (fast, slow), goal in GOALS.items():
        (reached,) = (row[f"times_{slow.replace(' ', '_')}"] for row in rows if row["backend"] == fast)
        verdict = "reached" if reached >= goal else "missed"
        click.echo(f"{fast} is {reached:.2f} times as fast as {slow}; the goal of {goal} is {verdict}")


@click.command()
@click.option("--rounds", default=40, show_default=True, help="Turns each backend takes.")
@click.option("--threads", default=0, help="Threads a backend may use; 0 leaves it to the runtime.")
@click.option("--cache", type=click.Path(path_type=Path), help="Where the built model is kept.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
def main(rounds: int, threads: int, cache: Path | None, as_json: bool) -> None:
    """Compare the backends on one window at full model size."""
    model = prepare(cache or user_cache_path("asrd") / "benchmarks")
    backends = contenders(model, threads)
    rows = summarize(backends, measure(backends, speech_like(1), rounds))
    if as_json:
        machine = {"machine": platform.machine(), "cpus": os.cpu_count(), "rounds": rounds}
        click.echo(json.dumps({**machine, "rows": rows}))
    else:
        show(rows)


if __name__ == "__main__":
    main()
