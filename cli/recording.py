"""List a recording's content, and export a part of it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asrd.cli.plain import print_table
from asrd.cli.say import echo
from asrd.core.errors import AsrdError, UsageError
from asrd.core.units import counted, seconds

if TYPE_CHECKING:
    from asrd.daemon.replay.takes import Take


def chosen_takes(
    recording: Path, stream: str | None, damaged: Callable[[AsrdError], None], *, with_audio: bool = True
) -> "Iterator[Take]":
    """Yield the takes of a recording, or those of one stream. damaged: called with the error of each damaged file.

    Raises UsageError if there is no such stream.
    """
    from asrd.daemon.replay.takes import takes

    others = set[str]()
    chosen = False
    for take in takes(recording, with_audio=with_audio, damaged=damaged):
        if stream in (None, take.begin.stream):
            chosen = True
            yield take
        else:
            others.add(take.begin.stream)
    if not chosen and others:
        raise UsageError(f"no stream is called '{stream}' in {recording}; there are: {', '.join(sorted(others))}")


def show_recording(found: "Iterator[Take]", stream: str | None, *, as_json: bool) -> None:
    """Show every stream of every run, or the utterances of one stream."""
    from rich.table import Table

    rows = list(_utterances(found) if stream else _streams(found))
    if as_json:
        for row in rows:
            echo(json.dumps(row))
        return
    table = Table(*(rows[0] if rows else ["nothing in it"]), box=None)
    for row in rows:
        table.add_row(*map(str, row.values()))
    print_table(table)


def _streams(found: "Iterator[Take]") -> Iterator[dict[str, Any]]:
    from asrd.daemon.replay import environment as equipment

    for (daemon, stream), group in groupby(found, key=lambda take: (take.begin.daemon, take.begin.stream)):
        parts = [(take.begin, take.samples, [final.utterance for final in take.finals()], take.path) for take in group]
        heard = [number for _, _, numbers, _ in parts for number in numbers]
        yield {
            "stream": stream,
            "daemon": daemon,
            "from": _time(parts[0][0].time),
            "audio": f"{seconds(sum(samples for _, samples, _, _ in parts)):.1f} s",
            "utterances": f"{min(heard)}–{max(heard)}" if heard else "none",
            "backend": equipment.options(parts[0][0]).backend,
            "size": f"{sum(path.stat().st_size for path in {path for *_, path in parts}) / 1e6:.1f} MB",
        }


def _utterances(found: "Iterator[Take]") -> Iterator[dict[str, Any]]:
    for take in found:
        for final in take.finals():
            yield {
                "utterance": final.utterance,
                "said": _time(final.stages.heard),
                "at": f"{seconds(final.start):.2f} s",
                "reason": final.reason,
                "backend": final.backend,
                "text": final.text,
            }


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def export_utterances(found: "Iterator[Take]", path: Path, utterances: tuple[int, ...]) -> None:
    """Write a recording of these utterances alone. Raises UsageError if it is not clear which are meant."""
    from asrd.daemon.replay import environment
    from asrd.daemon.replay.excerpt import excerpt, write
    from asrd.daemon.replay.replay import Player

    if not utterances:
        raise UsageError("which utterances? --export needs --utterance N; --list --stream NAME shows them")
    holding = [(take, final.utterance) for take in found for final in take.finals() if final.utterance in utterances]
    for number in utterances:
        runs = {(take.begin.daemon, take.begin.stream) for take, utterance in holding if utterance == number}
        if not runs:
            raise UsageError(
                f"there is no utterance {number} in this recording; --list --stream NAME shows what there is"
            )
        if len(runs) > 1:
            raise UsageError(
                f"{len(runs)} streams have an utterance {number}; name one with --stream, or a single file"
            )
    backends, excerpts = environment.Backends(), []
    for take, number in holding:
        model = environment.model(take.begin)
        excerpts.append(excerpt(take, number, Player(model, backends.of(model, environment.options(take.begin)))))
    backends.close()
    size = write(path, excerpts)
    echo(f"{path}: {counted(len(excerpts), 'utterances')}, {size / 1000:.0f} kB. It holds their audio.", err=True)
