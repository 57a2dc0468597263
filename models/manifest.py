"""`manifest.json`: the files of a model directory, and how it was made.

{"files": {"config.json": {"sha256": "…", "size": 2046}, …}, "asrd": "0.1.0", …facts}
"""

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError
from asrd.core.shell import quoted
from asrd.models.files import OWN_PLACE, writing

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in a model directory. file: its path in the directory. what: the fault, in a few words."""

    file: str
    what: str


def write(directory: Path, **facts: object) -> Path:
    """Write the manifest: the hash of every file, and facts about the model.

    facts: anything JSON can hold; those of an earlier manifest stay unless named again. Raises ModelError if the
    directory cannot be written.
    """
    earlier = read(directory) if (directory / NAME).is_file() else {}
    with writing(directory / NAME, remedy=OWN_PLACE):
        files = {name: _entry(directory / name) for name in _names(directory)}
        _replace(directory, NAME, {**earlier, **facts, "asrd": version("asrd"), "files": files})
    return directory / NAME


def keep(directory: Path, name: str, facts: dict[str, Any]) -> Path:
    """Write facts learned about a model beside it, as JSON, and their hash into the manifest if there is one.

    Other files keep their recorded hashes, so that damage to them still shows. Raises ModelError if the directory
    cannot be written.
    """
    path = directory / name
    with writing(path, remedy=OWN_PLACE):
        _replace(directory, name, facts)
        if (directory / NAME).is_file():
            content = read(directory)
            content["files"] = dict(sorted((content["files"] | {name: _entry(path)}).items()))
            _replace(directory, NAME, content)
    return path


def read(directory: Path) -> dict[str, Any]:
    """Read the manifest of a model directory. Raises ModelError if it is missing or malformed."""
    path = directory / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        writes = f"'asrd model convert {quoted(directory)}' writes one"
        raise ModelError(f"{path} cannot be read ({error.strerror}); {writes}") from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON ({error}); pull or build the model again") from error
    if not isinstance(content, dict) or not isinstance(content.get("files"), dict):
        raise ModelError(f"{path} does not list files; pull or build the model again")
    for name, entry in content["files"].items():
        match entry:
            case {"sha256": str(), "size": int()}:
                continue
        raise ModelError(f"{path} lists '{name}' without its sha256 and size; pull or build the model again")
    return content


def verify(directory: Path) -> list[Problem]:
    """Compare every file with the manifest, and list those missing, changed, or not listed."""
    listed = read(directory)["files"]
    problems = [Problem(name, "not listed in the manifest") for name in _names(directory) if name not in listed]
    for name, entry in listed.items():
        path = directory / name
        if not path.is_file():
            problems.append(Problem(name, "missing"))
        elif path.stat().st_size != entry["size"]:
            problems.append(Problem(name, f"{path.stat().st_size} bytes instead of {entry['size']}"))
        elif sha256(path) != entry["sha256"]:
            problems.append(Problem(name, "changed since the manifest was written"))
    return sorted(problems, key=lambda problem: problem.file)


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256(path), "size": path.stat().st_size}


def _replace(directory: Path, name: str, content: dict[str, Any]) -> None:
    """Write a JSON file; a reader sees the old one or the new one."""
    draft = directory / f".{name}"
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(directory / name)


def _names(directory: Path) -> list[str]:
    """List the relative paths of all files except the manifest and hidden ones, such as download caches."""
    paths = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(
        path.as_posix() for path in paths if path.as_posix() != NAME and not any(p.startswith(".") for p in path.parts)
    )
