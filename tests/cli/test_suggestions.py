"""Commands that people are told to run are ones that asrd takes: in messages, help and the documentation."""

import ast
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest

from asrd.cli.main import asrd

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "models", "backends", "daemon", "clients", "quant", "training", "cli")
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "training/README.md")), *ROOT.glob("docs/*.md")]

FILLINGS = ("X", "listen", "16000", "ipc:///run/x", "X=Y")
"""Words in place of what a message fills in; one of them has to do."""


def texts(path: Path) -> Iterator[str]:
    """Yield the strings of a module, with NAME where a value is filled in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "NAME" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value


def in_messages() -> Iterator[tuple[str, str]]:
    """Yield commands in quotes, and the lines of examples in help, with the module."""
    for path in (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))):
        for text in texts(path):
            found = re.findall(r"'asrd ([^']*)'", text) + re.findall(r"^      asrd (.*)$", text, re.M)
            yield from ((path.relative_to(ROOT).as_posix(), command) for command in found)


def in_pages() -> Iterator[tuple[str, str]]:
    """Yield the commands of code blocks, and those in code of their own, with the page."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) + re.findall(r"^    \S.*$", text, re.M))
        found = re.findall(r"(?:^|\| *|&& *)(?:sudo )?asrd (.*)$", blocks.replace("\\\n", ""), re.M)
        yield from ((page.name, command) for command in found)


def words(command: str) -> list[str]:
    """Return the words of a command up to what the shell takes for itself."""
    reader = shlex.shlex(command, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    found = []
    for word in reader:
        if set(word) <= set("|&;<>()") or word.startswith("<("):
            break
        found.append(word)
    return found


def refusal(given: list[str]) -> str:
    """Return why asrd refuses a command, or "". A command without arguments is only named."""
    command: click.Command = asrd
    rest = [word for word in given if word != "--debug"]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        inner = command.get_command(click.Context(command), rest.pop(0))
        if inner is None:
            return f"there is no {' '.join(given)}"
        command = inner
    if not rest or rest == ["…"]:
        return ""
    with suppress(click.exceptions.Exit):  # --help
        try:
            command.make_context(" ".join(given), rest)
        except click.ClickException as error:
            return "" if "No such file" in error.format_message() else error.format_message()
    return ""


def test_a_command_that_would_be_refused_is_found() -> None:
    assert refusal(["start", "--sauce", "mic"])
    assert refusal(["backend", "chose", "fp16"])
    assert not refusal(words("start -s 'pcm:-?rate=48000' | cat"))


@pytest.mark.parametrize(("places", "least"), [(in_messages, 100), (in_pages, 60)])
def test_every_command_that_is_suggested_is_taken(places: object, least: int) -> None:
    suggested = {*places()}  # type: ignore[operator]
    assert len(suggested) >= least
    refused = {}
    for place, command in sorted(suggested):
        tries = [refusal(words(re.sub(r"\b(NAME|HZ|HOST|YOU)\b", filling, command))) for filling in FILLINGS]
        if all(tries):
            refused[f"{place}: asrd {command}"] = tries[0]
    assert not refused
