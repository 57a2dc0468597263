"""Rewrite small files that others may be reading."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def rewrite(path: Path, text: str) -> None:
    """Replace a file at once: a reader sees all of the new text, or all of the old. It gets the mode 0600.

    Its owner stays the same, so that root can write what a service reads. Raises OSError, with the file as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        with suppress(FileNotFoundError):
            before = path.stat()
            if os.geteuid() == 0:
                os.chown(draft, before.st_uid, before.st_gid)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
