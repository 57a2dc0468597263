"""Find the sound files that data sets name."""

from pathlib import Path

SUFFIXES = (".flac", ".wav", ".ogg", ".opus", ".mp3", ".oga", ".aiff", ".aif", ".au", ".caf", ".w64", ".m4a", ".webm")
"""Suffixes of sound files. The last two are of formats that asrd does not read: such clips are told, not overlooked."""

FOLDERS = ("clips", "wavs")
"""Where Common Voice and LJSpeech have their audio, beside the table."""


def found(folder: Path, name: str) -> Path:
    """Return the sound file of that name, which may lack its suffix, or where it should be."""
    places = [folder / name, *(folder / below / name for below in FOLDERS)]
    tried = (Path(f"{place}{suffix}") for suffix in ("", *SUFFIXES) for place in places)
    return next(filter(is_file, tried), places[0])


def is_file(path: Path) -> bool:
    """Tell if there is a file of that name. A name that no file can have is that of none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
