"""`asrd words`: names and terms that the daemon listens for."""

import json
import re
from collections import Counter
from typing import TextIO

import click

from asrd.cli import complete
from asrd.cli.config import ConfiguredCommand
from asrd.cli.options import control_option
from asrd.cli.say import echo
from asrd.cli.values import Number
from asrd.clients import Control
from asrd.core.control import AddWords, ClearWords, LearnWords, ListWords, RemoveWords
from asrd.core.errors import UsageError

BOOST = 8.0
"""Default boost in nats: about the difference between a name spelled by ear and one spelled right."""

BATCH = 500
"""Most words in one request, whose size the daemon limits."""

boost_option = click.option(
    "--boost",
    default=BOOST,
    show_default=True,
    type=Number(0, 30, min_open=True),
    help="How much likelier to make the words, in nats.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON object of words and boosts.")


@click.group()
def words() -> None:
    """Add and remove names and terms that a running daemon listens for. They are kept over restarts.

    Changes take effect with the next utterance. 'asrd transcribe' listens for them as well.

    \b
    Examples:
      asrd words add "Saoirse Ronan" Niamh --boost 8
      asrd words list
      asrd words learn glossary.txt
    """


@words.command(cls=ConfiguredCommand)
@click.argument("texts", metavar="WORD...", nargs=-1, required=True)
@boost_option
@control_option
@json_option
def add(texts: tuple[str, ...], boost: float, control: str, as_json: bool) -> None:
    """Add words and phrases. One that exists already gets the new boost.

    \b
    Example:
      asrd words add "Saoirse" --boost 8
    """
    _show(Control(control).words(AddWords(dict.fromkeys(texts, boost))), as_json)


@words.command("list", cls=ConfiguredCommand)
@control_option
@json_option
def list_words(control: str, as_json: bool) -> None:
    """Show all hot words and their boosts.

    \b
    Example:
      asrd words list --json
    """
    _show(Control(control).words(ListWords()), as_json)


@words.command(cls=ConfiguredCommand)
@click.argument("texts", metavar="WORD...", nargs=-1, required=True, shell_complete=complete.hot_words)
@control_option
@json_option
def remove(texts: tuple[str, ...], control: str, as_json: bool) -> None:
    """Remove hot words.

    \b
    Example:
      asrd words remove Saoirse
    """
    _show(Control(control).words(RemoveWords(list(texts))), as_json)


@words.command(cls=ConfiguredCommand)
@control_option
@json_option
def clear(control: str, as_json: bool) -> None:
    """Remove all hot words.

    \b
    Example:
      asrd words clear
    """
    _show(Control(control).words(ClearWords()), as_json)


@words.command(cls=ConfiguredCommand)
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    "--least",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Add only words that occur at least this often.",
)
@boost_option
@control_option
@json_option
def learn(file: TextIO, least: int, boost: float, control: str, as_json: bool) -> None:
    """Add the words of a text that the language model does not know.

    \b
    Example:
      asrd words learn minutes-of-last-week.txt --least 2
    """
    try:
        counts = Counter(re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", file.read()))
    except UnicodeDecodeError as error:
        raise UsageError(f"{file.name} is no text in UTF-8") from error
    found = [word.replace("’", "'") for word, count in counts.items() if count >= least]
    client = Control(control)
    learned: dict[str, float] = {}
    for start in range(0, len(found), BATCH):
        learned |= client.words(LearnWords(found[start : start + BATCH], boost))
    _show(learned, as_json, "it has no words that the language model does not know")


def _show(boosts: dict[str, float], as_json: bool, nothing: str = "there are no hot words") -> None:
    """Show hot words and their boosts. nothing: message if there are none."""
    if as_json:
        echo(json.dumps(boosts, ensure_ascii=False))
        return
    for word, boost in boosts.items():
        echo(f"{boost:5.1f}  {word}")
    if not boosts:
        echo(nothing, err=True)
