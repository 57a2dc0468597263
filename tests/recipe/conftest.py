"""A little speech with made-up times of words and phones, in shards as the recipe keeps them."""

from pathlib import Path

import pytest

from asrd.models.recipe.store import Shard, Utterance, write_shard
from asrd.quant.data import Clip, dataset, read

CLIPS = 24


@pytest.fixture(scope="session")
def speech() -> list[Clip]:
    """Short bundled clips, of every speaker."""
    return [clip for clip in dataset("bundled") if ".opus" in clip.id][:: 200 // CLIPS][:CLIPS]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory, speech: list[Clip]) -> Path:
    """A folder with two shards. In "timed" every word lasts equally long, and is one phone; "plain" has no times."""
    folder = tmp_path_factory.mktemp("clips")
    for name, part in (("timed-000", speech[::2]), ("plain-000", speech[1::2])):
        spoken = []
        for clip in part:
            pcm = read(clip)[:48_000]
            words = clip.text.split()
            each = len(pcm) / 16_000 / len(words)
            times = (
                [(word, index * each, (index + 1) * each) for index, word in enumerate(words)] if name[0] == "t" else []
            )
            phones = [("AA", start, end) for _, start, end in times]
            spoken.append((pcm, Utterance(0, len(pcm), clip.text, clip.speaker, times, phones)))
        write_shard(folder / f"{name}.jsonl", spoken)
    return folder


@pytest.fixture(scope="session")
def timed(clips: Path) -> Shard:
    """The shard with times."""
    return Shard(clips / "timed-000.jsonl")
