r"""The table of dictation: what is typed, or done, where a phrase is said. It is TOML, by language.

    "smiley" = " :-) "                     # in every language
    [en]
    "comma" = ", "
    "new line" = "\n"
    "scratch that" = { do = "scratch" }
    "period" = false                       # no phrase, but a word like others

Text is typed as it stands. A space stands between two neighbours where both have one there, as words have.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from asrd.core import home
from asrd.core.config import read
from asrd.core.display import shown
from asrd.core.errors import UsageError, alternatives
from asrd.core.language import primary


class Command(Enum):
    """Something to do. capital, capitals: write the next word so. literal: type the next word, whatever it means.
    scratch: delete what was typed last.
    """

    CAPITAL = "capital"
    CAPITALS = "capitals"
    LITERAL = "literal"
    SCRATCH = "scratch"


Action = str | Command


class Entry(NamedTuple):
    """A row of the table. language: "" for every one. action: None where the phrase is none. own: the user's."""

    language: str
    phrase: str
    action: Action | None
    own: bool


class Table:
    """The phrases of asrd and of the user."""

    def __init__(self, path: Path | None = None) -> None:
        """path: of the user's file; by default `dictation.toml` among the settings. It need not be there.

        Raises UsageError if it cannot be read or has what is no row of a table.
        """
        self.path = path or home.config() / "dictation.toml"
        bundled = Path(__file__).with_name("phrases.toml")
        rows = [*_rows(bundled, own=False), *_rows(self.path, own=True)]
        self._rows = {(row.language, row.phrase): row for row in rows}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._rows.values())

    def phrases(self, language: str) -> dict[str, Action]:
        """Return what phrases mean in a language. The user's rows win, and then those of the language."""
        rows = [row for row in self if row.language in ("", primary(language))]
        actions = {row.phrase: row.action for row in sorted(rows, key=lambda row: (row.own, row.language))}
        return {phrase: action for phrase, action in actions.items() if action is not None}


def _rows(path: Path, *, own: bool) -> Iterator[Entry]:
    for name, value in read(path).items():
        nested = isinstance(value, dict) and value.keys() != {"do"}
        for phrase, action in value.items() if nested else [(name, value)]:
            if not phrase.split():
                raise UsageError(f"{path}: a phrase has no words; remove it")
            language = primary(name) if nested else ""
            yield Entry(language, " ".join(phrase.casefold().split()), _action(path, phrase, action), own)


def _action(path: Path, phrase: str, value: Any) -> Action | None:
    """Return the meaning of a row's value. Raises UsageError if it has none."""
    match value:
        case False:
            return None
        case str() if value == shown(value, keep="\n\t"):
            return value
        case {"do": str(name), **rest} if not rest:
            known = [command.value for command in Command]
            if name not in known:
                raise UsageError(f"{path}: '{phrase}' cannot do '{name}'; {alternatives(name, known)}")
            return Command(name)
        case _:
            what = 'printable text to type, { do = "COMMAND" } or false'
            raise UsageError(f"{path}: '{phrase}' must be {what}; fix or remove it")
