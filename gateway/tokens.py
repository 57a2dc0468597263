"""The file of tokens that let clients in."""

import hashlib
from pathlib import Path

from asrd.core.errors import UsageError
from asrd.core.roles import EVERY, Role, Roles
from asrd.core.secret import read_secret

SHORTEST = 16
"""Characters of the shortest token: one that is shorter can be guessed."""


def read_tokens(path: Path) -> dict[bytes, Roles]:
    """Return the roles of each token in a file, by the token's SHA-256: a token a line, and behind it the roles that it
    has, all of them if none is named. Lines that begin with # are left out.

    Raises UsageError if the file cannot be used, or everyone may read it.
    """
    lines = read_secret(path, "the tokens in", "; write one a line").splitlines()
    found: dict[bytes, Roles] = {}
    for number, words in enumerate(map(str.split, lines), 1):
        if not words or words[0].startswith("#"):
            continue
        token, *names = words
        if len(token) < SHORTEST or not token.isascii():
            short = f"a token has at least {SHORTEST} ASCII characters"
            raise UsageError(f"{path}, line {number}: {short}; 'openssl rand -hex 24' makes one")
        try:
            found[digest(token)] = frozenset(map(Role, names)) or EVERY
        except ValueError:
            raise UsageError(f"{path}, line {number}: the roles are {', '.join(Role)}") from None
    if not found:
        raise UsageError(f"{path} holds no token; 'openssl rand -hex 24' makes one")
    return found


def digest(token: str) -> bytes:
    """Return the SHA-256 of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
