"""The recordings that `asrd transcribe` is given: files, directories of them, pipes and standard input."""

import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from asrd.core.containers import HEAD, container
from asrd.core.errors import AudioError, UsageError, reason
from asrd.core.raw import RawPcm

if TYPE_CHECKING:
    from asrd.daemon.sources.files import Recording

STDIN = "-"

SUFFIXES = (
    *(".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".rf64", ".snd", ".tta", ".w64", ".wav", ".wv"),
    *(".aac", ".ac3", ".amr", ".ape", ".eac3", ".m4a", ".m4b", ".mka", ".mp2", ".mp3", ".oga", ".ogg", ".opus"),
    *(".weba", ".wma", ".3gp", ".asf", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".ogv", ".ts"),
    *(".webm", ".wmv"),
)
"""Ends of the names of files that are heard if their directory is named."""


@dataclass(frozen=True, slots=True)
class Input:
    """A recording as given. raw: its form, if it has no header."""

    path: Path
    raw: RawPcm | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if self.piped and str(self.path) == STDIN else str(self.path)

    @property
    def piped(self) -> bool:
        """Whether it can be read only once."""
        return str(self.path) == STDIN or self.path.is_fifo()

    @contextmanager
    def recording(self) -> "Iterator[Recording]":
        """Make what can be read only once into a file for the time of the block: many formats are read back and forth.

        Raises AudioError if it cannot be kept, or has a header though it should have none.
        """
        from asrd.daemon.sources.files import Recording

        if not self.piped:
            self._check(self.path)
            yield Recording(self.path, self.raw)
            return
        with tempfile.NamedTemporaryFile(prefix="asrd-") as kept:
            try:
                with self._pipe() as pipe:
                    shutil.copyfileobj(pipe, kept)
                kept.flush()
            except OSError as error:
                place = f"it is kept in {tempfile.gettempdir()} while it is heard; TMPDIR names another place"
                raise AudioError(f"{self.name} cannot be read ({reason(error)}); {place}") from error
            self._check(Path(kept.name))
            yield Recording(Path(kept.name), self.raw, name=self.name)

    def _pipe(self) -> BinaryIO:
        if str(self.path) != STDIN:
            return self.path.open("rb")
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("standard input is a terminal, or closed; pipe a recording into it")
        return os.fdopen(os.dup(sys.stdin.fileno()), "rb")

    def _check(self, path: Path) -> None:
        """Raise AudioError for a header where there should be none: it would be heard as noise, and all after it."""
        if self.raw and path.is_file():
            with path.open("rb") as file:
                if kind := container(file.read(HEAD)):
                    raise AudioError(f"{self.name} is {kind}, not raw PCM; leave out --rate")


def inputs(given: Iterable[Path], raw: RawPcm | None = None) -> list[Input]:
    """Return the recordings that are meant; a directory means the files in it that are called as recordings are.

    Raises UsageError for an address, an empty directory, or standard input given twice.
    """
    found: list[Input] = []
    for path in given:
        if not path.exists() and (
            scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]*):/", str(path))
        ):  # Path makes one slash of two
            raise UsageError(f"asrd hears files, not addresses ({scheme[1]}:); download it first, as with curl -LO")
        found += [Input(inner, raw) for inner in _inside(path)] if path.is_dir() else [Input(path, raw)]
    if sum(str(one.path) == STDIN for one in found) > 1:
        raise UsageError("standard input can be heard only once; give - once")
    return found


def _inside(directory: Path) -> list[Path]:
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise UsageError(f"{directory} cannot be read ({error.strerror}); check the path") from error
    if not (found := [path for path in files if stat.S_ISREG(path.stat().st_mode)]):
        raise UsageError(f"{directory} holds no recordings (*.wav, *.mp3, *.m4a and so on); check the path")
    return found
