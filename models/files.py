"""JSON files of a checkpoint, with one-line errors."""

import json
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError


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
