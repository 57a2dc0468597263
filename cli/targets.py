"""Where `asrd transcribe` writes: standard output, or a file for each recording."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from asrd.cli.recordings import Input
from asrd.cli.say import echo
from asrd.core.display import shown
from asrd.core.errors import AsrdError, UsageError, reason

SUFFIXES = {"text": ".txt", "json": ".json", "srt": ".srt", "vtt": ".vtt"}

SUBTITLES = ("srt", "vtt")

Put = Callable[[str], None]
"""Write text as it is."""


def targets(found: Sequence[Input], format_: str, out: str | None) -> list[Path | None]:
    """Return the file to write for each recording, None for standard output.

    out: a directory, or the file itself if there is one recording. Without it, subtitles of several recordings are
    written beside them. Raises UsageError if two recordings would be written to one file, or one over itself.
    """
    several = len(found) > 1
    if out is None and not (several and format_ in SUBTITLES):
        return [None] * len(found)
    if out is not None and not several and not out.endswith("/") and not Path(out).is_dir():
        names = [Path(out)]
    else:
        names = [_named(one, Path(out) if out is not None else None, SUFFIXES[format_]) for one in found]
        counts = Counter(names)
        names = [
            name.with_name(f"{one.path.name}{SUFFIXES[format_]}") if counts[name] > 1 else name
            for one, name in zip(found, names, strict=True)
        ]
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{count} recordings would be written to {name}; transcribe them one by one")
    for one, name in zip(found, names, strict=True):
        if name.exists() and one.path.exists() and name.samefile(one.path):
            raise UsageError(f"{name} is the recording itself; choose another name for the text")
    return list(names)


def _named(one: Input, directory: Path | None, suffix: str) -> Path:
    if one.piped and directory is None:
        raise UsageError(f"{one.name} has no place for a file beside it; name a directory with -o")
    name = "stdin" if str(one.path) == "-" else one.path.stem
    return (directory or one.path.parent) / f"{name}{suffix}"


@contextmanager
def writing(path: Path | None) -> Iterator[Put]:
    """Give what writes text to a file, or to standard output.

    The file gets its name when it is done; if the command is interrupted, what there is stays in `NAME.part`. Nothing
    is made before there is text. Raises AsrdError if it cannot be written.
    """
    if path is None:
        yield lambda text: echo(text, nl=False)
        return
    part, file = path.with_name(f"{path.name}.part"), list[TextIO]()

    def put(text: str) -> None:
        if not file:
            path.parent.mkdir(parents=True, exist_ok=True)
            file.append(part.open("w", encoding="utf-8"))
        file[0].write(shown(text, keep="\n\t"))
        file[0].flush()

    done = False
    try:
        try:
            yield put
            done = True
        except AsrdError:
            done = True
            raise
    except OSError as error:
        raise AsrdError(f"{path} cannot be written ({reason(error)}); make room or choose another place") from error
    finally:
        if file:
            file[0].close()
            if done:
                part.replace(path)
