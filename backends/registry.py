"""Which backends there are: every entry point of the group, working or not."""

import importlib.util
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from asrd.backends.base import Backend, LoadOptions
from asrd.core.errors import BackendError, MissingExtraError, UsageError
from asrd.models import ModelDirectory

GROUP = "asrd.backends"


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """name: what `--backend` takes. distribution: who ships it. problem: why it cannot be used, or ""."""

    name: str
    distribution: str
    problem: str


def available() -> list[BackendStatus]:
    """All registered backends by name; a broken plugin is a status with a reason, not a crash."""
    found = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            _import(entry)
            problem = ""
        except (BackendError, MissingExtraError) as error:
            problem = str(error)
        distribution = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
        found.append(BackendStatus(entry.name, distribution, problem))
    return found


def load(name: str, model: ModelDirectory, options: LoadOptions | None = None) -> Backend:
    """Load `model` on the backend called `name`.

    Raises UsageError for an unknown name, MissingExtraError where its runtime is not installed,
    BackendError or ModelError where it cannot load the model.
    """
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise UsageError(f"no backend is called '{name}'; there are: {known}")
    return _import(entries[name]).load(model, options or LoadOptions())


def _import(entry: EntryPoint) -> type[Backend]:
    """The backend's class. A third party's module may fail in any way; the reason is passed on."""
    try:
        backend = entry.load()
    except Exception as error:
        raise BackendError(f"backend '{entry.name}' ({entry.value}) cannot be imported: {error}") from error
    if not (isinstance(backend, type) and issubclass(backend, Backend)):
        raise BackendError(f"backend '{entry.name}' ({entry.value}) is not a subclass of asrd.backends.Backend")
    for module in backend.requires:
        if importlib.util.find_spec(module) is None:
            if backend.extra:
                raise MissingExtraError(backend.extra, f"backend '{entry.name}'")
            raise BackendError(f"backend '{entry.name}' needs the module '{module}', which is not installed")
    return backend
