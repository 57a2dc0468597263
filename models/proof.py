"""What a model's manifest proves of it."""

from contextlib import suppress

from asrd.core.errors import ModelError
from asrd.models import manifest
from asrd.models.directory import ModelDirectory


def proved_arithmetic(model: ModelDirectory) -> str:
    """Return the floating-point arithmetic that the INT8 model was proved with, "" if it was proved with none."""
    with suppress(ModelError, KeyError, TypeError):
        facts = manifest.read(model.path)["quantization"]
        if facts["proof"]["outcome"] == "holds":
            return str(facts["recipe"]["arithmetic"])
    return ""
