"""Words of commands that people are told to run."""

import shlex
import shutil
import sys
from pathlib import Path


def quoted(word: str | Path) -> str:
    """Return one word as a shell reads it, on one line. A relative path that would be taken for an option gets `./`
    before it.
    """
    text = str(word)
    if text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(_escape(letter) for letter in text)
    return f"$'{escaped}'"


def pip() -> str:
    """Return the command of pip that installs where asrd is, whichever environment the shell is in."""
    here = Path(sys.executable).with_name("pip")
    return "pip" if shutil.which("pip") == str(here) else f"{quoted(sys.executable)} -m pip"


def _escape(letter: str) -> str:
    """Write a letter as it stands between `$'` and `'`."""
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))
