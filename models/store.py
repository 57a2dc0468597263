"""Model locations: bundled with asrd, pulled from the hub, or in a directory of the user's own."""

import re
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from asrd.core.errors import UsageError
from asrd.models.directory import ModelDirectory

DEFAULT_MODEL = "asrd-base-en"
"""The bundled model used by default: English, available without a network."""

BUNDLED = Path(__file__).resolve().parent
"""Directory of the bundled models, one folder each."""

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
"""Pattern of the Hugging Face hub's model names: `owner/name`, or a bare name for its oldest models."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A model at hand. name: the value of `--model`. origin: "bundled" or "pulled"."""

    name: str
    origin: str
    path: Path


def store() -> Path:
    """Return the directory of pulled models, one folder `owner/name` each; it may not exist yet."""
    return user_data_path("asrd") / "models"


def resolve(model: str) -> ModelDirectory:
    """Open a model by bundled name, by the hub id it was pulled under, or by directory, in this order.

    Raises UsageError if there is none, ModelError if the directory is not a usable checkpoint.
    """
    known = {found.name: found.path for found in installed()}
    if model in known:
        return ModelDirectory.open(known[model])
    if Path(model).is_dir():
        if not (Path(model) / "config.json").exists():
            raise UsageError(f"{model} is no model: it holds no config.json; give the directory of a checkpoint")
        return ModelDirectory.open(Path(model))
    if HUB_ID.fullmatch(model) and "/" in model:
        raise UsageError(f"there is no model '{model}' here; fetch it with 'asrd model pull {model}'")
    raise UsageError(f"there is no model '{model}'; 'asrd model list' shows those at hand")


def installed() -> list[Installed]:
    """List bundled and pulled models by name, bundled ones first."""
    bundled = [Installed(path.name, "bundled", path) for path in _checkpoints(BUNDLED, "*/config.json")]
    taken = {found.name for found in bundled}
    root = store()
    paths = [*_checkpoints(root, "*/config.json"), *_checkpoints(root, "*/*/config.json")]
    pulled = [Installed(path.relative_to(root).as_posix(), "pulled", path) for path in paths]
    return bundled + sorted((found for found in pulled if found.name not in taken), key=lambda found: found.name)


def _checkpoints(root: Path, pattern: str) -> list[Path]:
    """List directories that hold a config.json; hidden ones are downloads under way."""
    parents = (path.parent for path in sorted(root.glob(pattern)))
    return [path for path in parents if not any(part.startswith(".") for part in path.relative_to(root).parts)]
