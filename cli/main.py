"""`asrd`: finds the command, and turns errors into one line and an exit code."""

import atexit
import io
import logging
import os
import sys
import threading
from collections import UserDict
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from asrd.cli.errors import tell
from asrd.cli.logs import log
from asrd.cli.say import echo
from asrd.cli.signals import at_once
from asrd.core.errors import AsrdError
from asrd.core.home import expanded

COMMANDS = {
    "demo": "asrd.cli.demo:demo",
    "live": "asrd.cli.live:live",
    "start": "asrd.cli.start:start",
    "serve": "asrd.cli.serve:serve",
    "stop": "asrd.cli.control:stop",
    "status": "asrd.cli.control:status",
    "pause": "asrd.cli.pause:pause",
    "resume": "asrd.cli.pause:resume",
    "reload": "asrd.cli.control:reload",
    "set": "asrd.cli.settings:set_",
    "listen": "asrd.cli.listen:listen",
    "type": "asrd.cli.dictate:type_",
    "send": "asrd.cli.send:send",
    "journal": "asrd.cli.journal:journal",
    "replay": "asrd.cli.replay:replay",
    "transcribe": "asrd.cli.transcribe:transcribe",
    "words": "asrd.cli.words:words",
    "devices": "asrd.cli.devices:devices",
    "backend": "asrd.cli.backend:backend",
    "model": "asrd.cli.model:model",
    "quantize": "asrd.cli.quantize:quantize",
    "tune": "asrd.cli.tune:tune",
    "calibrate-confidence": "asrd.cli.calibrate:calibrate",
    "finetune": "asrd.cli.finetune:finetune",
    "compare": "asrd.cli.compare:compare",
    "key": "asrd.cli.key:key",
    "install-service": "asrd.cli.install_service:install_service",
    "doctor": "asrd.cli.doctor:doctor",
}
"""Commands as "module:attribute", so that `asrd listen` does not import what `asrd start` needs."""

FORMER = {"calibrate": COMMANDS["calibrate-confidence"]}
"""Names that commands had before. They work, and help does not list them."""


SUMMARIES = {
    "Live transcription": {
        "demo": "transcribe bundled speech live, to see asrd work",
        "live": "show what the microphone hears",
        "start": "run the daemon",
        "serve": "run the daemon for HTTP and WebSocket clients",
        "stop": "stop the daemon",
        "pause": "hear nothing until resumed",
        "resume": "hear again",
        "status": "show what the daemon is doing",
        "reload": "have the daemon read settings and clients again",
        "listen": "show transcripts live",
        "type": "type what is said into the focused window",
        "journal": "read what was said before; delete it",
        "send": "send a file, microphone or stdin to a daemon",
        "set": "change endpointing while the daemon runs",
        "words": "add names and terms to listen for",
        "backend": "list backends; switch the daemon to another",
        "devices": "list microphones",
        "key": "make a key that lets other machines connect",
        "install-service": "have systemd start the daemon",
    },
    "Files": {
        "transcribe": "turn files into text, JSON, SRT or VTT",
        "replay": "run a recording of 'asrd start --record DIR' again",
    },
    "Models": {
        "model": "list, pull, verify, convert and train models",
        "quantize": "build an INT8 model and prove what it costs",
        "compare": "compare accuracy and speed of backends",
        "tune": "find the best weights for a language model",
        "calibrate-confidence": "turn confidences into probabilities",
        "finetune": "train a model further on your own speech",
    },
    "Help": {
        "doctor": "find problems and say how to fix them",
    },
}
"""Summaries of the commands in `asrd --help`, by section, so that it imports none of them."""


class Imported(UserDict[str, Any]):
    """Commands by name, imported when they are asked for; click needs only the names to suggest one."""

    def __getitem__(self, name: str) -> Any:
        """Import the command."""
        module, attribute = super().__getitem__(name).split(":")
        with at_once():
            return getattr(import_module(module), attribute)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line per command, by section. Its own help says more."""
        width = max(map(len, COMMANDS))
        for title, commands in SUMMARIES.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), summary) for name, summary in commands.items()])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the order of the help."""
        return [name for commands in SUMMARIES.values() for name in commands]

    def invoke(self, ctx: click.Context) -> Any:
        """Run as usual, except that a closed pipe (`| head`) is no failure, as it is to click."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _discard_output()
            ctx.exit(0)


@click.group(
    cls=LazyGroup, commands=Imported(COMMANDS | FORMER), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="asrd")
@click.option("--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails.")
@click.option("--verbose", "-v", is_flag=True, help="Log more detail.")
def asrd(verbose: bool) -> None:
    """Streaming speech to text on your own CPU.

    \b
    Try it:    asrd demo
    Start it:  asrd start --source mic
    Read it:   asrd listen
    """
    if verbose:
        log(logging.DEBUG)


def main() -> None:
    """Run the command that was called, and end the program."""
    code = _run()
    if any(thread.daemon for thread in threading.enumerate()):
        # The interpreter would crash if it ended a thread that runs native code.
        with suppress(OSError):
            sys.stdout.flush()
        logging.shutdown()
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)


def _run() -> int:
    """Run the command and return its exit code; report what it raised in one line."""
    _prepare_output()
    try:
        code = asrd.main(_arguments(), standalone_mode=False)  # what a command gave to ctx.exit(), or None
        sys.stdout.flush()
    except SystemExit as error:  # a signal, with the shell's code for it
        code = error.code
    except click.ClickException as error:
        if isinstance(error, click.exceptions.NoArgsIsHelpError):  # whose message is the help
            error.show()
        else:
            echo(f"asrd: {_complaint(error)}", err=True)
        return error.exit_code
    except AsrdError as error:
        tell(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        echo("asrd: interrupted", err=True)
        return 130
    except BrokenPipeError:
        _discard_output()
        return 0
    except OSError as error:
        tell(error, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        _discard_output()
        return 1
    return code if isinstance(code, int) else 0


def _arguments() -> list[str]:
    """Return the arguments without `--debug`, which may stand on either side of the command; `tell` looks for it.

    Paths in them, and in variables of settings, may begin with `~/` wherever a shell does not see to that.
    """
    os.environ |= {name: expanded(value) for name, value in os.environ.items() if name.startswith("ASRD_")}
    given = [*map(expanded, sys.argv[1:])]
    end = given.index("--") if "--" in given else len(given)
    return [one for one in given[:end] if one != "--debug"] + given[end:]


def _complaint(error: click.ClickException) -> str:
    """Return what click found wrong in one line, with its origin and what to do."""
    message = " ".join(error.format_message().split())
    if not isinstance(error, click.UsageError) or not error.ctx:
        return message
    if isinstance(error, click.BadParameter):
        from asrd.cli.config import file_of

        if origin := file_of(error.param, error.ctx):
            return f"{origin}: {message}"
    see = f"see '{error.ctx.command_path} --help'"
    return f"{message} S{see[1:]}" if message.endswith("?") else f"{message.rstrip('.')}; {see}"


def _prepare_output() -> None:
    """Make sure that neither a closed standard output nor a character it cannot encode is an error."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _discard_output() -> None:
    """Discard what could not be written, so that nothing complains about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
