"""Read and write files, with one-line errors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError, reason


def read_object(path: Path) -> dict[str, Any]:
    """Read the JSON object in a file. Raises ModelError if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); is this a Hugging Face checkpoint?") from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON ({error}); copy it from the checkpoint again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} must hold a JSON object; copy it from the checkpoint again")
    return content


@contextmanager
def writing(path: Path, *others: type[Exception], remedy: str = "make room or choose another place") -> Iterator[None]:
    """Raise ModelError if the block, which writes `path`, fails for want of space or permission.

    others: errors that the writing library raises in that case, besides OSError.
    """
    kinds: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except kinds as error:
        raise ModelError(f"{path} cannot be written ({reason(error)}); {remedy}") from error


OWN_PLACE = "make room, or copy the model to a place of your own"
"""The remedy if a file cannot be added to an existing model."""
