"""A little speech in shards as training keeps them, and a small random encoder in place of Whisper's."""

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from asrd.quant.data import Clip, dataset, read
from asrd.training.align import Positions
from asrd.training.assemble import assemble
from asrd.training.augment import Augmenter
from asrd.training.batches import normalized
from asrd.training.export import export
from asrd.training.library import Library
from asrd.training.store import Shard, Utterance, shards, write_shard
from asrd.training.whisper import Weights

CLIPS = 24
WIDTH, BLOCKS = 64, 2
"""Size of the small encoder; the front end before it has its real size."""


@pytest.fixture(scope="session", autouse=True)
def one_augmenter() -> Iterator[None]:
    """Share one augmenter: its noises take a second to make, and nothing changes them."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("batches", "epochs"):
            patch.setattr(f"asrd.training.{module}.Augmenter", cache(Augmenter))
        yield


@pytest.fixture(scope="session")
def speech() -> list[Clip]:
    """Short bundled clips, of every speaker."""
    return [clip for clip in dataset("bundled") if ".opus" in clip.id][:: 200 // CLIPS][:CLIPS]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory, speech: list[Clip]) -> Path:
    """A folder with two shards, "even" and "odd", not aligned."""
    folder = tmp_path_factory.mktemp("clips")
    for name, part in (("even-000", speech[::2]), ("odd-000", speech[1::2])):
        spoken = []
        for clip in part:
            pcm = read(clip)[:48_000]
            spoken.append((pcm, Utterance(0, len(pcm), clip.text, clip.speaker)))
        write_shard(folder / f"{name}.jsonl", spoken)
    return folder


@pytest.fixture(scope="session")
def aligned(tmp_path_factory: pytest.TempPathFactory, clips: Path) -> Path:
    """The same folder, with all letters equally long and a pause before every word."""
    folder = tmp_path_factory.mktemp("aligned")
    shutil.copytree(clips, folder, dirs_exist_ok=True)
    for shard in shards(folder):
        spans = []
        for utterance in shard.utterances:
            edges = np.linspace(0, utterance.samples, len(utterance.text) + 1).astype(int)
            found = np.stack([edges[:-1], edges[1:] - 1], 1)
            spaces = np.array([letter == " " for letter in utterance.text])
            found[:-1, 1][spaces[1:]] -= 400
            found[1:, 0][spaces[:-1]] += 1200
            spans.append(np.minimum(found, utterance.samples - 1))
        Positions(spans, [-0.3] * len(spans)).save(shard.path)
    return folder


@pytest.fixture(scope="session")
def even(aligned: Path) -> Shard:
    """One of the shards."""
    return Shard(aligned / "even-000.jsonl")


@pytest.fixture(scope="session")
def library(aligned: Path) -> Library:
    """The library of both shards."""
    return Library(aligned, {}, aligned=True)


@pytest.fixture(scope="session")
def sound(speech: list[Clip]) -> torch.Tensor:
    """Two seconds of each clip, `(clips, 32000)` of unit variance."""
    pcm = [np.resize(read(clip), 32_000).astype(np.float32) for clip in speech]
    return torch.from_numpy(np.stack([normalized(one) for one in pcm]))


@pytest.fixture(scope="session")
def whisper() -> Weights:
    """Weights of an encoder like Whisper's, but small and random."""
    generator = torch.Generator().manual_seed(0)

    def matrix(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) / float(np.prod(shape[1:])) ** 0.5

    weights = {"conv1.weight": matrix(WIDTH, 80, 3), "conv2.weight": matrix(WIDTH, WIDTH, 3)}
    shapes = {"qkv": (3 * WIDTH, WIDTH), "out": (WIDTH, WIDTH), "up": (4 * WIDTH, WIDTH), "down": (WIDTH, 4 * WIDTH)}
    for block in range(BLOCKS):
        weights |= {f"blocks.{block}.{name}.weight": matrix(*shape) for name, shape in shapes.items()}
        for name in ("attention_norm", "feed_norm"):
            weights[f"blocks.{block}.{name}.weight"] = 1 + 0.1 * torch.randn(WIDTH, generator=generator)
    weights["norm.weight"] = torch.ones(WIDTH)
    for name in [name.removesuffix(".weight") for name in weights]:
        weights[f"{name}.bias"] = 0.1 * torch.randn(len(weights[f"{name}.weight"]), generator=generator)
    for block in range(BLOCKS):
        weights[f"blocks.{block}.qkv.bias"][WIDTH : 2 * WIDTH] = 0  # keys have none
    return weights


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, whisper: Weights, sound: torch.Tensor) -> Path:
    """The directory of an untrained model."""
    return export(assemble(whisper, sound), tmp_path_factory.mktemp("start") / "model").path
