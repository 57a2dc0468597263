"""`asrd replay`: run a recording again, and compare."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from asrd.cli.errors import tell
from asrd.cli.recognition import check_words, recognition, recognition_options
from asrd.cli.recording import chosen_takes, export_utterances, show_recording
from asrd.cli.say import echo
from asrd.cli.values import NewFile, Number
from asrd.core.errors import AsrdError, UsageError
from asrd.core.events import Final, decode
from asrd.core.units import counted, seconds

if TYPE_CHECKING:
    from asrd.daemon.replay.takes import Take


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--stream", help="Replay only this stream.")
@click.option(
    "--list", "as_list", is_flag=True, help="List the streams of the recording, or with --stream its utterances."
)
@click.option("--text", is_flag=True, help="Compare texts of utterances instead of whole events.")
@click.option(
    "--compare/--no-compare", default=True, show_default=True, help="Fail if the events differ from the recorded ones."
)
@click.option(
    "--speed",
    default=0.0,
    type=Number(0),
    show_default=True,
    help="Speed of replay: 1 is real time, 0 is as fast as possible.",
)
@click.option("--export", type=NewFile(), help="Write the chosen utterances to a small recording.")
@click.option(
    "--utterance", "utterances", multiple=True, type=click.IntRange(0), help="Utterance to export. Repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@recognition_options
@click.pass_context
def replay(ctx: click.Context, /, recording: Path, **params: Any) -> None:
    """Run a recording of 'asrd start --record DIR' again, and check that it gives the same events, bit for bit.

    RECORDING is the directory, or a single file. With --backend, --model or another recognition option, it is
    transcribed with that instead, and texts that change are shown. Exit code 1 if anything differs, or is damaged.

    \b
    Examples:
      asrd replay ~/asrd-recording
      asrd replay ~/asrd-recording --backend fp16
      asrd replay ~/asrd-recording --export report.asrd --utterance 17
    """
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    given = {name for name, source in sources.items() if source is ParameterSource.COMMANDLINE}
    chosen = given - {parameter.name for parameter in _own(ctx)}
    if params["utterances"] and not params["export"]:
        raise UsageError("--utterance chooses what --export FILE writes; without that, leave it out")
    check_words(ctx)
    damage: list[AsrdError] = []

    def damaged(error: AsrdError) -> None:
        tell(error)
        damage.append(error)

    found, same = chosen_takes(recording, params["stream"], damaged, with_audio=not params["as_list"]), True
    if params["as_list"]:
        show_recording(found, params["stream"], as_json=params["as_json"])
    elif params["export"]:
        export_utterances(found, params["export"], params["utterances"])
    else:
        same = _rehear(found, params, chosen) if chosen or params["text"] else _replay(found, params)
    ctx.exit(1 if damage or (params["compare"] and not same) else 0)


def _own(ctx: click.Context) -> list[click.Parameter]:
    """List the parameters that do not concern recognition."""

    @recognition_options
    def nothing() -> None: ...

    shared = {parameter.name for parameter in getattr(nothing, "__click_params__", [])}
    return [parameter for parameter in ctx.command.params if parameter.name not in shared]


def _replay(found: "Iterator[Take]", params: dict[str, Any]) -> bool:
    """Replay every event by the recording's own clock; return whether all are the same."""
    from asrd.daemon.replay import environment
    from asrd.daemon.replay.compare import difference
    from asrd.daemon.replay.detector import DivergedError
    from asrd.daemon.replay.replay import Player

    backends, told = environment.Backends(), set[str]()
    events, samples, differing, first = 0, 0, 0, ""
    for _, run in groupby(found, key=lambda take: (take.begin.daemon, take.begin.stream)):
        player: Player | None = None
        for take in run:
            if player is None:
                model = environment.model(take.begin)
                _tell(told, environment.check(take.begin, model))
                player = Player(model, backends.of(model, environment.options(take.begin)))
            samples += take.samples
            pace = Pace(take.begin.time, params["speed"])
            try:
                for pair in player.play(take):
                    events += 1
                    differing += not pair.same
                    first = first or ("" if pair.same else difference(pair))
                    if pair.made:
                        _show(pair.made, pace, as_json=params["as_json"])
            except DivergedError as error:
                differing, first, player = differing + 1, first or f"{take.begin.stream}, {take.path}: {error}", None
    backends.close()
    verdict = f"{differing} differ; the first: {first}" if differing else "the same, bit for bit"
    echo(f"{events} events of {seconds(samples):.0f} s of audio: {verdict}", err=True)
    return not differing


def _rehear(found: "Iterator[Take]", params: dict[str, Any], chosen: set[str]) -> bool:
    """Transcribe the same audio with the chosen options and show the texts that change; return whether all are the
    same.
    """
    from asrd.daemon.recognition.decoding import make_decoding
    from asrd.daemon.recognition.hotwords import HotWords
    from asrd.daemon.replay import environment
    from asrd.daemon.replay.compare import changes
    from asrd.daemon.replay.retranscribe import retranscribe
    from asrd.models.store import resolve

    backends, wanted, utterances, differing = environment.Backends(), recognition(params), 0, 0
    for (_, stream), run in groupby(found, key=lambda take: (take.begin.daemon, take.begin.stream)):
        first = next(run)
        options = environment.chosen(environment.options(first.begin), wanted, chosen)
        model = resolve(options.model) if "model" in chosen else environment.model(first.begin)
        backend = backends.of(model, options)(options.backend)
        then: list[Final] = []

        def noted(take: "Take", then: list[Final] = then) -> "Take":
            then += take.finals()
            return take

        boosts = None
        if "words" in chosen:
            boosts = HotWords(params["words"], make_decoding(options.decoding, model)).boosts
        now = list(retranscribe(map(noted, chain([first], run)), backend, options, chosen, boosts))
        utterances += len(then)
        for change in changes(then, now):
            differing += 1
            if params["as_json"]:
                echo(json.dumps({"stream": stream, **asdict(change)}))
                continue
            echo(f"{stream} {seconds(change.start):.2f}–{seconds(change.end):.2f} s")
            echo(f"  - {change.recorded}", fg="red")
            echo(f"  + {change.now}", fg="green")
    backends.close()
    echo(f"{counted(utterances, 'utterances')}: {differing or 'none'} with another text", err=True)
    return not differing


class Pace:
    """Waits for moments of a recording. speed: how fast time goes by; 0 does not wait. began: Unix seconds in the
    recording.
    """

    def __init__(self, began: float, speed: float) -> None:
        self._recorded, self._now = began, time.monotonic()
        self._speed = speed

    def reach(self, moment: float) -> None:
        """Wait until a moment of the recording."""
        if self._speed:
            time.sleep(max(0.0, self._now + (moment - self._recorded) / self._speed - time.monotonic()))


def _show(payload: bytes, pace: Pace, *, as_json: bool) -> None:
    event = decode(payload)
    pace.reach(event.time)
    if as_json:
        echo(payload.decode())
    elif isinstance(event, Final):
        echo(f"{event.stream} {seconds(event.start):8.2f}  {event.text}")


def _tell(told: set[str], lines: list[str]) -> None:
    for line in lines:
        if line not in told:
            echo(f"asrd: {line}", err=True)
            told.add(line)
