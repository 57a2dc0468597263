"""Where settings come from: defaults < /etc < ~/.config < ASRD_* variables < flags.

A file is TOML with the long names of the options, dashes as underscores:

    backend = "int8"
    source = ["desk=mic:USB"]
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from platformdirs import user_config_path

from asrd.core.errors import UsageError


def config_files() -> list[Path]:
    """The files that are read, the later one winning."""
    return [Path("/etc/asrd/asrd.toml"), user_config_path("asrd") / "asrd.toml"]


class ConfiguredCommand(click.Command):
    """A command whose options may also be set in files and in the environment.

    All such commands share the files, so a setting that this one does not have may be another's;
    `known` names the options of them all, and anything else is refused as a misspelling.
    """

    known: frozenset[str] = frozenset()

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the files, then parse as usual."""
        many = {parameter.name or "": parameter.multiple for parameter in self.params}
        settings = {name: value for name, (value, _) in read_files(self.known | many.keys()).items()}
        for name, value in settings.items():  # one command may take many where another takes one
            if many.get(name) and not isinstance(value, list):
                settings[name] = [value]
            elif not many.get(name) and isinstance(value, list):
                settings[name] = value[0] if value else None
        extra.setdefault("default_map", settings)
        extra.setdefault("auto_envvar_prefix", "ASRD")
        return super().make_context(info_name, args, parent, **extra)


def read_files(known: frozenset[str]) -> dict[str, tuple[Any, Path]]:
    """Every setting found in a file, and the file. Raises UsageError for one that cannot be used."""
    found: dict[str, tuple[Any, Path]] = {}
    for path in config_files():
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error
        for key, value in content.items():
            if key not in known:
                raise UsageError(f"{path}: there is no setting '{key}'; there are: {', '.join(sorted(known))}")
            found[key] = (value, path)
    return found


def origins(ctx: click.Context) -> list[tuple[str, Any, str]]:
    """Each option of a configured command: name, value, and where the value came from."""
    files = read_files(frozenset(ctx.params) | ConfiguredCommand.known)
    names: dict[ParameterSource, Callable[[str], str]] = {
        ParameterSource.COMMANDLINE: lambda _: "flag",
        ParameterSource.ENVIRONMENT: lambda name: f"${ctx.auto_envvar_prefix}_{name.upper()}",
        ParameterSource.DEFAULT_MAP: lambda name: str(files[name][1]),
    }
    rows = []
    for name, value in ctx.params.items():
        source = ctx.get_parameter_source(name)
        rows.append((name, value, names[source](name) if source in names else "default"))
    return rows
