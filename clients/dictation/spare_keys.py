"""Keys of X11 for letters that the keyboard lacks.

`xdotool` alone lends such a letter a key for the moment in which it is pressed. A program that looks a little later
finds no letter there, and capitals such as Ç come as small ones. So letters get keys here before, and keep them until
other letters need them.
"""

import re
from collections.abc import Iterator
from shutil import which

from asrd.clients.dictation.tools import run

KEYS = 16
"""Letters that get keys at the same time. Keyboards as a PC has them leave 18 keys to spare."""

_LATIN_1 = range(0xA0, 0x100)
_UNICODE = 0x0100_0000
"""X11 numbers letters by their place in Unicode, beginning here, but for those of Latin-1."""


def lending(text: str) -> Iterator[str]:
    """Yield parts of a text, each when its letters have keys. Raises AsrdError if that fails."""
    if text.isascii() or not which("xmodmap"):
        yield text
        return
    part, letters = "", set[int]()
    for letter in text:
        symbols = set() if letter.isascii() else {_symbol(letter)}
        if len(letters | symbols) > KEYS:
            _lend(letters)
            yield part
            part, letters = "", set()
        part, letters = part + letter, letters | symbols
    _lend(letters)
    yield part


def _lend(letters: set[int]) -> None:
    keys = dict(map(_key, re.findall(r"^ +(\d+)\s(.*)$", run("xmodmap", "-pk"), re.MULTILINE)))
    unused = [code for code, symbols in keys.items() if not symbols]
    lent = {code: symbols[0] for code, symbols in keys.items() if _is_lent(symbols)}
    spare = [*unused[1:], *(code for code, symbol in lent.items() if symbol not in letters)]  # xdotool needs one
    wanted = sorted(letters - {*lent.values()})
    changes = [f"keycode {code} = {symbol:#x} {symbol:#x}" for code, symbol in zip(spare, wanted, strict=False)]
    if changes:
        run("xmodmap", "-", given="\n".join(changes))


def _symbol(letter: str) -> int:
    return ord(letter) if ord(letter) in _LATIN_1 else _UNICODE + ord(letter)


def _key(found: tuple[str, str]) -> tuple[str, list[int]]:
    """Return the code of a key, and what it types: alone, with Shift and so on."""
    code, symbols = found
    return code, [int(symbol, 16) for symbol in re.findall(r"0x([0-9a-f]+) \(", symbols)]


def _is_lent(symbols: list[int]) -> bool:
    """Return whether a key was lent: it types the same letter always, as no key of a keyboard does."""
    letter = symbols[0] if len(symbols) > 1 and len({*symbols}) == 1 else 0
    return letter in _LATIN_1 or _UNICODE < letter <= _UNICODE + 0x10FFFF
