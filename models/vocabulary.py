"""Vocabulary of a CTC model: the letters of its outputs, as its checkpoint names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError
from asrd.models.files import read_object


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The outputs of a CTC model.

    tokens: text of each output, by index. blank: index of the CTC blank (Hugging Face: the pad token). delimiter:
    index of the word boundary, or None if the model has none (then a blank space in a token separates words).
    special: outputs that are never text, blank excluded.
    """

    tokens: tuple[str, ...]
    blank: int
    delimiter: int | None
    special: frozenset[int]

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def load(cls, directory: Path, outputs: int, pad: object = None) -> "Vocabulary":
        """Read `vocab.json` (and `tokenizer_config.json`, `added_tokens.json` if present).

        outputs: the model's `vocab_size`; every output must have a name.
        pad: the model's `pad_token_id` if it has one, which is the blank it was trained with.
        Raises ModelError if the files are missing or do not fit the model.
        """
        settings = _read_settings(directory)
        ids = _read_ids(directory, settings, outputs)
        names = {index: token for token, index in ids.items()}
        unnamed = [index for index in range(outputs) if index not in names]
        if unnamed or len(names) > outputs or len(names) != len(ids):
            raise ModelError(
                f"{directory / 'vocab.json'} names {len(ids)} letters but the model has {outputs} outputs; "
                "copy the vocab.json that was made for this checkpoint"
            )
        blank = _content(settings.get("pad_token", "<pad>"))
        if blank not in ids:
            raise ModelError(f"{directory / 'vocab.json'} lacks the blank, which the tokenizer calls '{blank}'")
        if pad is not None and pad != ids[blank]:
            raise ModelError(
                f"{directory / 'config.json'} says that the blank is output {pad}, {directory / 'vocab.json'} that it "
                f"is {ids[blank]}; copy the vocab.json that was made for this checkpoint"
            )
        roles = ("bos_token", "eos_token", "unk_token")
        defaults = ("<s>", "</s>", "<unk>")
        special = {_content(settings.get(role, default)) for role, default in zip(roles, defaults, strict=True)}
        return cls(
            tokens=tuple(names[index] for index in range(outputs)),
            blank=ids[blank],
            delimiter=ids.get(_content(settings.get("word_delimiter_token", "|"))),
            special=frozenset(ids[token] for token in special if token in ids),
        )


def _read_ids(directory: Path, settings: Mapping[str, Any], outputs: int) -> dict[str, int]:
    """Read the index of every name: the letters, and what was added to the tokenizer later.

    A tokenizer may have had sentence marks added that the model was never given outputs for; only such later
    additions may exceed the model.
    """
    path = directory / "vocab.json"
    ids = read_object(path)
    if not all(isinstance(index, int) for index in ids.values()):
        raise ModelError(f"{path} must map each letter to its index (a vocabulary for one language)")
    older = directory / "added_tokens.json"
    try:
        added = {token: int(index) for token, index in (read_object(older) if older.is_file() else {}).items()}
        decoder = settings.get("added_tokens_decoder") or {}
        added |= {_content(token): int(index) for index, token in decoder.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{directory} has added tokens (added_tokens.json, or added_tokens_decoder in tokenizer_config.json) "
            "that are not listed by number; copy both files from the checkpoint again"
        ) from error
    return {**{token: index for token, index in added.items() if index < outputs}, **ids}


def _read_settings(directory: Path) -> dict[str, Any]:
    """Read the tokenizer's settings; older checkpoints keep them in `special_tokens_map.json`."""
    merged: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        path = directory / name
        if path.is_file():
            merged.update(read_object(path))
    return merged


def _content(token: object) -> str:
    """Return a token's text, which is stored as a plain string or as `{"content": ...}`."""
    return str(token.get("content")) if isinstance(token, dict) else str(token)
