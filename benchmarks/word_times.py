"""Measure the error of word times against when flite spoke the words.

    apt install flite
    pip install '.[quant]'
    python benchmarks/word_times.py --backend fp16

The errors are mean absolute errors of word starts and ends, in milliseconds, over the daemon's own windows and
decoding: of the correctly recognised words, and by forced alignment of all words. "letters" are the times of the
letters' frames, "calibrated" those that asrd publishes. The model's times are calibrated with two of the voices and
other sentences.
"""

import json

import click

from asrd.backends import load
from asrd.models.calibration import UNCALIBRATED
from asrd.models.store import DEFAULT_MODEL, resolve
from asrd.quant.confidence.times import FITTED_ON, MEASURED_ON, errors, sentences

GOAL = 80.0
"""Largest mean error of starts and ends, in milliseconds."""

SEED = 2
"""Seed of the sentences; not the one that times are calibrated with."""


@click.command()
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--backend", default="fp16", show_default=True)
@click.option("--sentences", "count", default=25, show_default=True, help="Of each voice.")
@click.option("--json", "as_json", is_flag=True)
def main(model: str, backend: str, count: int, as_json: bool) -> None:
    """Measure, and fail where the goal is missed."""
    source = resolve(model)
    loaded = load(backend, source)
    rows, missed = [], False
    for voice in (*MEASURED_ON, *FITTED_ON):
        forced, recognised = sentences(loaded, [voice], count, SEED)
        for how, heard in (("forced alignment", forced), ("recognised right", recognised)):
            for times, calibration in (("letters", UNCALIBRATED), ("calibrated", source.calibration)):
                found = errors(heard, calibration)
                rows.append({"voice": voice, "words by": how, "times": times, **found._asdict()})
                missed |= times == "calibrated" and max(found.start, found.end) > GOAL
    loaded.close()
    if as_json:
        click.echo(json.dumps({"model": source.name, "backend": backend, "goal_ms": GOAL, "rows": rows}, indent=2))
    else:
        click.echo(f"{source.name}, {backend}; mean absolute error in milliseconds, at most {GOAL:.0f} wanted")
        click.echo(f"{'voice':8}{'words by':19}{'times':12}{'words':>6}{'start':>8}{'end':>8}")
        for row in rows:
            columns = f"{row['voice']:8}{row['words by']:19}{row['times']:12}"
            click.echo(f"{columns}{row['words']:6}{row['start']:8.1f}{row['end']:8.1f}")
    raise SystemExit(missed)


if __name__ == "__main__":
    main()
