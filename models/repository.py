"""A repository of the Hugging Face hub at one commit: its files, and how they are fetched."""

import hashlib
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from asrd.core.errors import ModelError, UsageError, reason
from asrd.models import manifest, runtime
from asrd.models.directory import WEIGHT_FILES


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

    def fetch(self, file: RemoteFile, directory: Path, earlier: Path | None = None) -> None:
        """Download one file, unless it is there, or in the directory `earlier`; append to what an earlier attempt left
        behind.
        """
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        path = directory / file.name
        if file.matches(path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if earlier and file.matches(earlier / file.name):
            _link(earlier / file.name, path)
            return
        part = path.with_name(f"{path.name}.part")
        url = runtime.huggingface_hub().hf_hub_url(self.name, file.name, revision=self.commit, endpoint=self.endpoint)
        headers = build_hf_headers(library_name="asrd", library_version=version("asrd"))
        headers["Accept-Encoding"] = "identity"  # positions in a compressed stream are not positions in the file
        if part.is_file() and part.stat().st_size > file.size:
            part.unlink()
        with part.open("ab") as stream, _explained(self.name, self.commit), _progress():
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
            raise ModelError(f"{file.name} of '{self.name}' arrived damaged: its hash is wrong; pull it again")
        part.replace(path)


def _link(source: Path, path: Path) -> None:
    """Give a file a second name, or copy it where the file system has no such names."""
    path.unlink(missing_ok=True)
    try:
        path.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, path)


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
