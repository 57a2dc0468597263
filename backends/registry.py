"""Registry of backends: every entry point of the group, working or not."""

import importlib.util
import inspect
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from asrd.backends.base import Backend, LoadOptions
from asrd.backends.remote import remote
from asrd.core.defaults import BACKENDS
from asrd.core.errors import AsrdError, BackendError, MissingExtraError, UsageError, passes, reason
from asrd.core.plugins import claims, shipper
from asrd.models import ModelDirectory

GROUP = "asrd.backends"


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """A registered backend.

    name: the value that `--backend` takes. distribution: who ships it. problem: why it cannot be used, or "". remedy:
    the end of that, where it says what to do.
    """

    name: str
    distribution: str
    problem: str
    remedy: str = ""


def available() -> list[BackendStatus]:
    """List all registered backends by name; a broken plugin is a status with a reason, not a crash."""
    found = []
    for name, candidates in sorted(claims(GROUP).items()):
        problem = remedy = ""
        try:
            _reach(candidates)
        except MissingExtraError as error:
            problem, remedy = str(error), error.remedy
        except BackendError as error:
            problem, remedy = str(error), str(error).partition("; ")[2]
        found.append(BackendStatus(name, " and ".join(map(shipper, candidates)), problem, remedy))
    return found


def load(name: str, model: ModelDirectory, options: LoadOptions | None = None) -> Backend:
    """Load `model` on the backend called `name`.

    Raises UsageError for an unknown name, device or arithmetic, MissingExtraError if its runtime is not installed,
    BackendError or ModelError if it cannot load the model.
    """
    return load_class(find(name), name, model, options or LoadOptions())


def load_class(backend: type[Backend], name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
    """Load `model` on a backend's class, as `load` does."""
    if options.arithmetic and options.arithmetic not in backend.arithmetics:
        known = f"it has {' and '.join(backend.arithmetics)}" if backend.arithmetics else "it has no choice"
        raise UsageError(f"backend '{name}' has no {options.arithmetic} arithmetic; {known}")
    try:
        backend.check(options)
        return backend.load(model, options)
    except BaseException as error:
        if passes(error):
            raise
        raise BackendError(f"backend '{name}' cannot load {model.name}: {reason(error)}") from error


def fitting(model: ModelDirectory) -> str:
    """Return the fastest of the bundled backends that a model was built for, or else PyTorch's, if that is installed.
    If there is none, return the one whose error says how to build it.
    """
    built = (name for name in BACKENDS if model.openvino(name).is_file())
    if name := next(built, ""):
        return name
    with suppress(AsrdError):
        find("torch").check_model(model)
        return "torch"
    return "fp16"


def find(name: str) -> type[Backend]:
    """Return the class of the backend called `name`, without loading a model; raises as `load` does for its name and
    runtime. A third party's is imported, and works, in a process of its own.
    """
    return _reach(_candidates(name))


def find_here(name: str) -> type[Backend]:
    """Return the class as `find` does, but import it in this process, whosever it is."""
    return _import(_candidates(name))


def _candidates(name: str) -> list[EntryPoint]:
    entries = claims(GROUP)
    if name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise UsageError(f"no backend is called '{name}'; there are: {known}")
    return entries[name]


def _reach(candidates: list[EntryPoint]) -> type[Backend]:
    entry = candidates[0]
    if len(candidates) > 1 or (entry.dist and entry.dist.name == "asrd"):
        return _import(candidates)
    return remote(entry.name)


def _import(candidates: list[EntryPoint]) -> type[Backend]:
    """Import the backend's class. A third party's module may fail in any way; the reason is passed on."""
    entry = candidates[0]
    if len(candidates) > 1:
        shippers = " and ".join(map(shipper, candidates))
        raise BackendError(f"{shippers} both register a backend '{entry.name}'; uninstall one of them")
    try:
        backend = entry.load()
    except BaseException as error:
        if passes(error):
            raise
        raise BackendError(f"backend '{entry.name}' ({entry.value}) cannot be imported: {reason(error)}") from error
    if not (isinstance(backend, type) and issubclass(backend, Backend)):
        raise BackendError(f"backend '{entry.name}' ({entry.value}) is not a subclass of asrd.backends.Backend")
    if inspect.isabstract(backend):
        missing = ", ".join(sorted(backend.__abstractmethods__))
        raise BackendError(f"backend '{entry.name}' ({entry.value}) does not define {missing}")
    for module in backend.requires:
        if not _installed(module):
            if backend.extra:
                raise MissingExtraError(backend.extra, f"backend '{entry.name}'")
            raise BackendError(f"backend '{entry.name}' needs the module '{module}', which is not installed")
    return backend


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the parent of a dotted name
        return False
