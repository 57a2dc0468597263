"""Checkpoints of many languages, such as MMS: shared weights, and a vocabulary and an adapter for each language.

    vocab.json                 {"deu": {"<pad>": 0, "e": 5, …}, "fra": {…}, …}
    adapter.deu.safetensors    what differs in the network for German, its output layer among it

`DIR@deu` names one of them. The weights of the checkpoint itself hold one language, too, which is its own.
"""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError, UsageError
from asrd.models import manifest
from asrd.models.files import read_object

SHOWN = 20
"""Most languages that a message lists."""


def parted(model: str) -> tuple[str, str]:
    """Split "DIR@deu" into "DIR" and "deu". The second is empty if no language is named."""
    name, _, language = model.rpartition("@")
    return (name, language) if name and language and "/" not in language else (model, "")


def adapter(language: str) -> str:
    """Return the name of a language's file."""
    return f"adapter.{language}.safetensors"


def choose(directory: Path, wanted: str, usual: int, subject: str) -> str:
    """Return the language to take of a checkpoint: the wanted one, or else its own; "" if it has only one anyway.

    usual: the `vocab_size` of `config.json`. subject: what messages call the checkpoint. Raises UsageError if it does
    not have the wanted one, or none is wanted and its own is not known.
    """
    known = vocabularies(directory)
    if not known:
        if wanted:
            raise UsageError(f"{subject} has one language only; leave '@{wanted}' out")
        return ""
    if wanted and wanted not in known:
        raise UsageError(f"{subject} has no language '{wanted}'; {_alternatives(wanted, list(known))}")
    language = wanted or own(directory, usual)
    if not language:
        raise UsageError(
            f"{subject} has {len(known)} languages; name one, as in {subject}@{next(iter(known))}; "
            f"there are: {_listed(list(known))}"
        )
    return language


def vocabularies(directory: Path) -> dict[str, Mapping[str, Any]]:
    """Read the vocabulary of each language; empty if `vocab.json` holds a plain one. Raises ModelError."""
    content = read_object(directory / "vocab.json")
    return content if all(isinstance(value, dict) for value in content.values()) else {}


def own(directory: Path, usual: int) -> str:
    """Return the language that the checkpoint's own weights are for: the one its tokenizer is set to, or the only one
    with as many letters as `config.json` says; "" if neither tells.
    """
    known = vocabularies(directory)
    settings = directory / "tokenizer_config.json"
    target = read_object(settings).get("target_lang") if settings.is_file() else None
    if target in known:
        return str(target)
    fitting = [language for language, letters in known.items() if len(letters) == usual]
    return fitting[0] if len(fitting) == 1 else ""


def spoken(directory: Path, config: Mapping[str, object]) -> str:
    """Return the code of the language of a checkpoint that has only one: what its manifest says, or `config.json`; ""
    if neither does. Raises ModelError if the manifest is malformed.
    """
    facts = manifest.read(directory) if (directory / manifest.NAME).is_file() else {}
    source = facts.get("source")
    told = (facts.get("language"), source.get("language") if isinstance(source, dict) else None)
    return next((code for code in (*told, config.get("language")) if isinstance(code, str)), "")


def outputs(directory: Path, language: str, usual: int) -> int:
    """Return the number of the network's outputs for a language.

    usual: the `vocab_size` of `config.json`, which is right for the checkpoint's own language, and for a checkpoint of
    one language only. Raises ModelError if the language's adapter is missing or damaged.
    """
    path = directory / adapter(language)
    if path.is_file():
        return _rows(path)
    if language and language != own(directory, usual):
        raise ModelError(
            f"{directory} lacks {path.name}; copy it from the checkpoint, or fetch it with 'asrd model pull "
            f"{_hub_id(directory)}@{language}'"
        )
    return usual


def _hub_id(directory: Path) -> str:
    """Return the hub id that a checkpoint was pulled under; "ID" if it was not."""
    try:
        return str(manifest.read(directory)["source"]["hub"])
    except (ModelError, LookupError, TypeError):
        return "ID"


def _rows(path: Path) -> int:
    """Read the size of an adapter's output layer from the header of its file."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return int(header["lm_head.weight"]["shape"][0])
    except (OSError, OverflowError, MemoryError, ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{path} is not a whole adapter; copy it from the checkpoint again") from error


def _alternatives(language: str, known: Sequence[str]) -> str:
    near = get_close_matches(language, known)
    return f"the nearest: {', '.join(near)}" if near else f"there are: {_listed(known)}"


def _listed(known: Sequence[str]) -> str:
    """List languages, not all if there are a thousand."""
    more = f" and {len(known) - SHOWN} more, in vocab.json" if len(known) > SHOWN else ""
    return ", ".join(known[:SHOWN]) + more
