"""Files that are read and written, with one-line errors."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError, reason


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises ModelError where there is none."""
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
    """Raise ModelError where what is done meanwhile, to write `path`, fails for want of room or rights.

    others: what the library that writes raises then, beside OSError.
    """
    kinds: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except kinds as error:
        raise ModelError(f"{path} cannot be written ({reason(error)}); {remedy}") from error


OWN_PLACE = "make room, or copy the model to a place of your own"
"""The remedy where a model that is there is added to."""
