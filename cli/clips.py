"""The clips of a data set, for commands that need transcribed speech."""

import random
from typing import TYPE_CHECKING

import click

from asrd.cli.stages import Stages

if TYPE_CHECKING:
    from asrd.quant.data import Clip

SHOWN = 10
"""Clips that cannot be used and are named one by one."""


def usable(spec: str, stages: Stages, limit: int | None = None, seed: int = 0) -> "list[Clip]":
    """Those that can be used, in the data set's order; the others are counted and named.

    limit: take so many at random. Raises what reading the data set raises.
    """
    from asrd.quant.data import check, dataset

    clips = dataset(spec)
    if limit is not None and limit < len(clips):
        clips = [clips[index] for index in sorted(random.Random(seed).sample(range(len(clips)), limit))]
    stages.stage("reading", len(clips))
    checked = check(clips, stages.advance)
    for name, why in checked.skipped[:SHOWN]:
        click.echo(f"skipped {name}: {why}", err=True)
    if len(checked.skipped) > SHOWN:
        click.echo(f"skipped {len(checked.skipped) - SHOWN} more", err=True)
    return checked.clips
