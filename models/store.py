"""Model locations: bundled with asrd, pulled from the hub, or in a directory of the user's own."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from asrd.core import home
from asrd.core.errors import ModelError, UsageError, alternatives, reason
from asrd.core.shell import quoted
from asrd.models.directory import ModelDirectory
from asrd.models.languages import parted

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
    return home.data() / "models"


def resolve(model: str) -> ModelDirectory:
    """Open a model by bundled name, by the hub id it was pulled under, or by directory, in this order.

    The name may end in `@` and a language, which is looked at only where there is none of the whole name. Raises
    UsageError if there is no such model or language, ModelError if the directory is not a usable checkpoint.
    """
    found = find(model)
    if found:
        return found
    name = parted(model)[0]
    if HUB_ID.fullmatch(name) and "/" in name:
        raise UsageError(f"there is no model '{model}' here; fetch it with 'asrd model pull {quoted(model)}'")
    raise UsageError(f"there is no model '{model}'; 'asrd model list' shows those at hand")


def find(model: str) -> ModelDirectory | None:
    """Open a model as `resolve` does; None if nothing has its name."""
    known = {found.name: found.path for found in installed()}
    for name, language in ((model, ""), parted(model)):
        if name in known:
            return opened(known[name], language)
        if Path(name).is_dir():
            if not (Path(name) / "config.json").exists():
                raise UsageError(f"{name} is no model: it holds no config.json; give the directory of a checkpoint")
            return opened(Path(name), language)
    return None


def opened(path: Path, language: str = "") -> ModelDirectory:
    """Open a directory. A language of several is taken from the directory of its own, if there is one."""
    model = ModelDirectory.open(path, language)
    apart = model.language and (model.single / "config.json").is_file()
    return ModelDirectory.open(model.single) if apart else model


def installed() -> list[Installed]:
    """List bundled and pulled models by name, bundled ones first."""
    bundled = [Installed(path.name, "bundled", path) for path in _checkpoints(BUNDLED, "*/config.json")]
    taken = {found.name for found in bundled}
    root = store()
    paths = [*_checkpoints(root, "*/config.json"), *_checkpoints(root, "*/*/config.json")]
    pulled = [Installed(path.relative_to(root).as_posix(), "pulled", path) for path in paths]
    return bundled + sorted((found for found in pulled if found.name not in taken), key=lambda found: found.name)


def remove(name: str) -> Installed:
    """Delete a pulled model with all that was made of it, and return what it was. Raises UsageError for any other
    model, ModelError if its files cannot be deleted.
    """
    known = {found.name: found for found in installed()}
    if name not in known:
        pulled = [found.name for found in known.values() if found.origin == "pulled"]
        raise UsageError(f"no model '{name}' was pulled; {alternatives(name, pulled, pulled or ['none'])}")
    found = known[name]
    if found.origin != "pulled":
        raise UsageError(f"{name} came with asrd; only pulled models can be removed")
    try:
        shutil.rmtree(found.path)
    except OSError as error:
        raise ModelError(f"{found.path} cannot be deleted ({reason(error)}); delete it by hand") from error
    return found


def _checkpoints(root: Path, pattern: str) -> list[Path]:
    """List directories that hold a config.json; hidden ones are downloads under way."""
    parents = (path.parent for path in sorted(root.glob(pattern)))
    return [path for path in parents if not any(part.startswith(".") for part in path.relative_to(root).parts)]
