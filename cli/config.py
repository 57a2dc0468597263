"""Where settings come from: defaults < /etc < ~/.config < ASRD_* variables < flags.

A file is TOML with the long names of the options; underscores are as good as dashes:

    backend = "int8"
    source = ["desk=mic:USB"]
    pre-roll = 0.4
    words = "~/words.json"
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import cloup
from click.core import ParameterSource

from asrd.core.config import config_files, read
from asrd.core.errors import UsageError, alternatives

_RECOGNITION = (
    "backend",
    "model",
    "device",
    "threads",
    "vad",
    "pre_roll",
    "min_speech",
    "hangover",
    "min_hangover",
    "max_hangover",
    "max_utterance",
    "hop",
    "right_context",
)
_DECODING = ("decoder", "lm", "beam_width", "lm_weight", "word_bonus", "blank_penalty", "unknown_penalty", "words")
_TEXT = ("raw", "numbers", "sentence_pause", "spelling")
_RECORD = ("record", "record_limit", "record_hours")
SETTINGS = (
    *_RECOGNITION,
    *_DECODING,
    "partials",
    "source",
    "pace",
    "events",
    "control",
    "key",
    "insecure",
    "metrics",
    "stream",
    "format",
    "wait",
    *_TEXT,
    *_RECORD,
)
"""What may be set so: for all commands together, because they share the files. Anything else is
refused as a misspelling. What one asks for on one occasion (--check, --json) is no setting."""


class ConfiguredCommand(cloup.Command):
    """A command whose options may also be set in files and in the environment."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if (name := setting(parameter)) in SETTINGS:
                parameter.envvar = variable(name)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the files, then parse as usual. Whether they can be read matters only to who asks for more than help."""
        found: dict[str, tuple[Any, Path]] = {}
        unreadable: UsageError | None = None
        try:
            found = read_files()
        except UsageError as error:
            unreadable = error
        defaults = {}
        for parameter in self.params:
            if isinstance(parameter, click.Option) and (name := setting(parameter)) in found:
                defaults[parameter.name or ""] = _fit(found[name][0], parameter)
        extra.setdefault("default_map", defaults)
        context = super().make_context(info_name, args, parent, **extra)
        if unreadable:
            raise unreadable
        return context


def setting(parameter: click.Parameter) -> str:
    """What a parameter is called in a file: its long name, dashes as underscores. "" for an argument."""
    if not isinstance(parameter, click.Option):
        return ""
    return max(parameter.opts, key=len).removeprefix("--").replace("-", "_")


def variable(name: str) -> str:
    """What a setting is called in the environment."""
    return f"ASRD_{name.upper()}"


def _fit(value: Any, option: click.Option) -> Any:
    """As text, as if it were typed: what is no number then is none here. One command may take many where another
    takes one, which is then the first.
    """
    values = [one if option.is_flag else str(one) for one in (value if isinstance(value, list) else [value])]
    if option.multiple:
        return values
    return values[0] if values else None


def read_files() -> dict[str, tuple[Any, Path]]:
    """Every setting found in a file, and the file. Raises UsageError for one that cannot be used."""
    found: dict[str, tuple[Any, Path]] = {}
    for path in config_files():
        for key, value in read(path).items():
            name = key.replace("-", "_")
            if name not in SETTINGS:
                flags = sorted(known.replace("_", "-") for known in SETTINGS)
                raise UsageError(f"{path}: there is no setting '{key}'; {alternatives(key, flags)}")
            found[name] = (_at_home(value), path)
    return found


def _at_home(value: Any) -> Any:
    """With the home directory for the `~/` of a path, which in a flag is the shell's to replace."""
    if isinstance(value, list):
        return [_at_home(item) for item in value]
    return re.sub(r"(^|[=:])~/", lambda found: f"{found[1]}{Path.home()}/", value) if isinstance(value, str) else value


def file_of(parameter: click.Parameter | None, ctx: click.Context) -> Path | None:
    """The file that a parameter's value came from; None where it came from elsewhere."""
    if not parameter or ctx.get_parameter_source(parameter.name or "") is not ParameterSource.DEFAULT_MAP:
        return None
    return read_files()[setting(parameter)][1]


def origins(ctx: click.Context) -> list[tuple[str, Any, str]]:
    """Each setting of a configured command: name, value, and where the value came from."""
    files = read_files()
    names: dict[ParameterSource, Callable[[str], str]] = {
        ParameterSource.COMMANDLINE: lambda _: "flag",
        ParameterSource.ENVIRONMENT: lambda name: f"${variable(name)}",
        ParameterSource.DEFAULT_MAP: lambda name: str(files[name][1]),
    }
    rows = []
    for parameter in ctx.command.params:
        name, source = setting(parameter), ctx.get_parameter_source(parameter.name or "")
        if name in SETTINGS:
            rows.append((name, ctx.params[parameter.name or ""], names[source](name) if source in names else "default"))
    return rows
