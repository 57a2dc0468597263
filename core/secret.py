"""Files that hold a secret."""

from pathlib import Path

from asrd.core.errors import UsageError


def read_secret(path: Path, what: str, remedy: str = "") -> str:
    """Return the text of a file that holds a secret. what: the secret, as in "the password in". remedy: what to do
    where it cannot be read.

    Raises UsageError if it cannot be read, or if everyone may read it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{what} {path} cannot be read: {why}{remedy}") from error
    check_private(path, what)
    return text


def check_private(path: Path, what: str) -> None:
    """Raise UsageError if everyone on this machine may read a file that is there. what: as in `read_secret`."""
    if path.stat().st_mode & 0o007:
        raise UsageError(f"everyone on this machine may read {what} {path}; chmod o= {path}")
