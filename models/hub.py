"""Download checkpoints from the Hugging Face hub."""

import fcntl
import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from asrd.core.errors import ModelError, UsageError, reason
from asrd.models import manifest, runtime, store
from asrd.models.directory import WEIGHT_FILES, ModelDirectory
from asrd.models.files import writing
from asrd.models.learned import take_along

SETTINGS = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "vocab.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""Small files, fetched first: they tell whether asrd can run the model before its weights come."""

BUILT = tuple(f"openvino/{precision}.{part}" for precision in ("fp16", "int8") for part in ("xml", "bin"))
"""Converted files that a repository may hold."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it. sha256: of large files only; git: the id that git gives its content."""

    name: str
    size: int
    sha256: str | None
    git: str | None

    def matches(self, path: Path) -> bool:
        """Return whether `path` holds exactly this file."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256:
            return manifest.sha256(path) == self.sha256
        content = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == self.git


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit, and where to ask for its files."""

    name: str
    commit: str
    files: dict[str, RemoteFile]
    endpoint: str | None = None

    @classmethod
    def look_up(cls, name: str, revision: str, endpoint: str | None = None) -> "Repository":
        """Look up a repository on the hub. Raises UsageError or ModelError if it is not available."""
        api = runtime.huggingface_hub().HfApi(endpoint=endpoint)
        with _explained(name, revision):
            info = api.model_info(name, revision=revision, files_metadata=True, timeout=30)
        files = (
            RemoteFile(entry.rfilename, entry.size or 0, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
            for entry in info.siblings or ()
        )
        return cls(name, info.sha, {file.name: file for file in files}, endpoint)

    def pick(self, names: Iterable[str]) -> list[RemoteFile]:
        """List those of `names` that the repository has."""
        return [self.files[name] for name in names if name in self.files]

    def weights(self) -> list[RemoteFile]:
        """List the checkpoint's files in its preferred form, which may be split into numbered pieces."""
        chosen = next((name for name in WEIGHT_FILES if name in self.files), None)
        if chosen is None:
            raise ModelError(f"'{self.name}' holds no PyTorch checkpoint ({WEIGHT_FILES[0]}); choose another model")
        if not chosen.endswith(".index.json"):
            return self.pick([chosen])
        stem, suffix = chosen.removesuffix(".index.json").rsplit(".", 1)
        piece = re.compile(rf"{re.escape(stem)}-\d+-of-\d+\.{suffix}")
        return self.pick([chosen, *sorted(filter(piece.fullmatch, self.files))])


def pull(
    name: str,
    revision: str = "main",
    endpoint: str | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> ModelDirectory:
    """Download a model into the store, or update it, and check every file against the hub's hashes.

    An interrupted download resumes where it stopped; a model is in the store only when complete. What was learned
    about it on this machine is kept as long as its checkpoint is the same.
    endpoint: another hub than the one that `HF_ENDPOINT` or its default names. notice: called with what was not kept.
    Raises UsageError for a malformed hub id, ModelError if the model is not available, cannot be run, or is just
    being pulled.
    """
    if not store.HUB_ID.fullmatch(name):
        raise UsageError(f"'{name}' is not a hub id; it looks like 'facebook/wav2vec2-base-960h'")
    repository = Repository.look_up(name, revision, endpoint)
    target = store.store() / name
    if _is_current(target, repository.commit):
        return ModelDirectory.open(target)
    settings, weights, built = repository.pick(SETTINGS), repository.weights(), repository.pick(BUILT)
    checkpoint = [*settings, *weights]
    draft = store.store() / ".partial" / name
    with writing(draft), _alone(name, draft):
        draft.mkdir(parents=True, exist_ok=True)
        _clear(draft, {file.name for file in [*checkpoint, *built]})
        for file in settings:
            _fetch(repository, file, draft)
        ModelDirectory.open(draft)
        for file in [*weights, *built]:
            _fetch(repository, file, draft)
        same = _revision(target) == repository.commit or all(file.matches(target / file.name) for file in checkpoint)
        for command in take_along(target, draft, same=same):
            notice(f"what '{command}' learned of the former '{name}' does not hold any more; run it again")
        manifest.write(draft, source={"hub": name, "revision": repository.commit})
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.rename(target)
    return ModelDirectory.open(target)


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
            _fetch(repository, found[0], directory)
    return path


def _is_current(target: Path, commit: str) -> bool:
    return _revision(target) == commit and not manifest.verify(target)


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


def _fetch(repository: Repository, file: RemoteFile, directory: Path) -> None:
    """Download one file, unless it is there; append to what an earlier attempt left behind."""
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    path = directory / file.name
    if file.matches(path):
        return
    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    url = runtime.huggingface_hub().hf_hub_url(
        repository.name, file.name, revision=repository.commit, endpoint=repository.endpoint
    )
    headers = build_hf_headers(library_name="asrd", library_version=version("asrd"))
    headers["Accept-Encoding"] = "identity"  # positions in a compressed stream are not positions in the file
    if part.is_file() and part.stat().st_size > file.size:
        part.unlink()
    with part.open("ab") as stream, _explained(repository.name, repository.commit), _progress():
        http_get(
            url,
            stream,
            resume_size=stream.tell(),
            headers=headers,
            expected_size=file.size,
            displayed_filename=file.name,
        )
    if not file.matches(part):
        part.unlink()
        raise ModelError(f"{file.name} of '{repository.name}' arrived damaged: its hash is wrong; pull it again")
    part.replace(path)


@contextmanager
def _progress() -> Iterator[None]:
    """Show the hub's own progress bars only on a terminal."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if sys.stderr.isatty() or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _explained(name: str, revision: str) -> Iterator[None]:
    """Turn the hub library's errors into ours.

    Any other error comes from the HTTP library underneath, which has changed between releases of huggingface_hub: it
    means that the transfer failed.
    """
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelError(f"'{name}' has terms; accept them on its page and log in with 'hf auth login'") from error
    except errors.RepositoryNotFoundError as error:
        raise UsageError(f"the hub has no model '{name}', or it is private; check the spelling") from error
    except errors.RevisionNotFoundError as error:
        raise UsageError(f"'{name}' has no revision '{revision}'; leave --revision out for the newest") from error
    except errors.HFValidationError as error:
        raise UsageError(f"'{name}' is not a hub id: {reason(error)}") from error
    except errors.OfflineModeIsEnabled as error:
        raise ModelError("HF_HUB_OFFLINE is set, which forbids downloads; unset it to pull a model") from error
    except Exception as error:
        raise ModelError(
            f"the transfer of '{name}' failed ({reason(error)}); pull again to go on where it stopped"
        ) from error
