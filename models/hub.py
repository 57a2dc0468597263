"""Download checkpoints from the Hugging Face hub."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from asrd.core.errors import AsrdError, ModelError, UsageError
from asrd.models import families, languages, manifest, store
from asrd.models.directory import ModelDirectory
from asrd.models.files import read_object, writing
from asrd.models.learned import take_along
from asrd.models.repository import RemoteFile, Repository

SETTINGS = (
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""Small files, fetched after `config.json`: they tell whether asrd can run the model before its weights come."""

BUILT = tuple(f"openvino/{precision}.{part}" for precision in ("fp16", "int8") for part in ("xml", "bin"))
"""Converted files that a repository may hold."""


def pull(
    name: str,
    revision: str = "main",
    endpoint: str | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> ModelDirectory:
    """Download a model into the store, or update it, and check every file against the hub's hashes.

    An interrupted download resumes where it stopped; a model is in the store only when complete. What was learned
    about it on this machine is kept as long as its checkpoint is the same.
    name: a hub id, which may end in `@` and a language; of a checkpoint of several, only that one's adapter is fetched,
    and those that are in the store stay. endpoint: another hub than the one that `HF_ENDPOINT` or its default names.
    notice: called with what was not kept.
    Raises UsageError for a malformed hub id or an unknown language, ModelError if the model is not available, cannot be
    run, or is just being pulled.
    """
    name, wanted = languages.parted(name)
    if not store.HUB_ID.fullmatch(name):
        raise UsageError(f"'{name}' is not a hub id; it looks like 'facebook/wav2vec2-base-960h'")
    repository = Repository.look_up(name, revision, endpoint)
    target = store.store() / name
    if _is_current(target, repository.commit, wanted):
        return store.opened(target, wanted)
    draft = store.store() / ".partial" / name
    with writing(draft), _alone(name, draft):
        draft.mkdir(parents=True, exist_ok=True)
        _clear(draft, set(repository.files))
        settings = _settings(repository, draft, target, wanted)
        language = ModelDirectory.open(draft, wanted).language
        weights, built = repository.weights(), repository.pick(() if language else BUILT)
        checkpoint = [*settings, *weights]
        _clear(draft, {file.name for file in [*checkpoint, *built]})
        for file in [*weights, *built]:
            repository.fetch(file, draft, target)
        same = _revision(target) == repository.commit or all(file.matches(target / file.name) for file in checkpoint)
        for command in take_along(target, draft, same=same):
            notice(f"what '{command}' learned of the former '{name}' does not hold any more; run it again")
        for outdated in [] if same else _built_of(target):
            shutil.rmtree(outdated)
            made = outdated.relative_to(store.store()).as_posix()
            notice(f"what was made of the former '{made}' does not hold any more; pull it again")
        manifest.write(draft, source={"hub": name, "revision": repository.commit})
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(target)
    return store.opened(target, wanted)


def _settings(repository: Repository, draft: Path, target: Path, wanted: str) -> list[RemoteFile]:
    """Fetch what tells whether asrd can run the model, and the adapters to have: of the wanted language, and of those
    that are in `target`. Raises UsageError or ModelError as soon as it is known to be of no use.
    """
    found = repository.pick(["config.json"])
    for file in found:
        repository.fetch(file, draft, target)
    config = read_object(draft / "config.json")
    families.check(config, f"'{repository.name}'")
    found += repository.pick(SETTINGS)
    for file in found:
        repository.fetch(file, draft, target)
    usual = config.get("vocab_size", 0)
    languages.choose(draft, wanted, usual, repository.name)
    if wanted and wanted != languages.own(draft, usual) and languages.adapter(wanted) not in repository.files:
        raise ModelError(f"'{repository.name}' holds no {languages.adapter(wanted)}; choose another language")
    there = {path.name for path in target.glob(languages.adapter("*"))}
    adapters = repository.pick(sorted(there | ({languages.adapter(wanted)} if wanted else set())))
    for file in adapters:
        repository.fetch(file, draft, target)
    return found + adapters


def fetch(name: str, file: str, directory: Path, endpoint: str | None = None) -> Path:
    """Download one file of a repository that asrd itself cannot run, unless it already is in `directory`.

    Raises UsageError or ModelError if it is not available.
    """
    path = directory / file
    if not path.is_file():
        repository = Repository.look_up(name, "main", endpoint)
        found = repository.pick([file])
        if not found:
            raise ModelError(f"'{name}' holds no {file}; choose another model")
        with writing(directory):
            directory.mkdir(parents=True, exist_ok=True)
            repository.fetch(found[0], directory)
    return path


def _is_current(target: Path, commit: str, language: str) -> bool:
    """Return whether a model is at this commit, undamaged, and has the language."""
    if _revision(target) != commit or manifest.verify(target):
        return False
    try:
        ModelDirectory.open(target, language)
    except AsrdError:
        return False
    return True


def _built_of(target: Path) -> list[Path]:
    """List the directories of single languages that were made of a checkpoint of several."""
    return [path for path in target.parent.glob(f"{target.name}@*") if (path / manifest.NAME).is_file()]


def _revision(target: Path) -> str | None:
    """Return the commit that a model was pulled at; None if there is no model, or no manifest that says so."""
    try:
        revision: str | None = manifest.read(target).get("source", {}).get("revision")
    except ModelError:
        return None
    return revision


@contextmanager
def _alone(name: str, draft: Path) -> Iterator[None]:
    """Raise ModelError if another process works on the same draft."""
    draft.parent.mkdir(parents=True, exist_ok=True)
    with draft.with_name(f".{draft.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError(f"another process is pulling '{name}'; wait until it is done") from error
        yield


def _clear(draft: Path, names: set[str]) -> None:
    """Remove files that an interrupted pull of another revision left, except those that this one has too."""
    for path in list(draft.rglob("*")):
        if path.is_file() and path.relative_to(draft).as_posix().removesuffix(".part") not in names:
            path.unlink()
