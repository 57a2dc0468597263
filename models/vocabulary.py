"""Vocabulary of a CTC model: the letters of its outputs, as its checkpoint names them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError
from asrd.models.files import read_object

_ROLES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
"""Tokens that are never text, besides the blank, and their names where the tokenizer gives none."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The outputs of a CTC model.

    tokens: text of each output, by index. blank: index of the CTC blank (Hugging Face: the pad token). delimiter:
    index of the word boundary, or None if the model has none. special: outputs that are never text, blank excluded.
    lower: whether text is written in lower case, whatever the case of the tokens.
    """

    tokens: tuple[str, ...]
    blank: int
    delimiter: int | None
    special: frozenset[int]
    lower: bool = False

    def __len__(self) -> int:
        return len(self.tokens)

    def spell(self, labels: Iterable[int]) -> str:
        """Return the text of a word's outputs."""
        text = "".join(self.tokens[label] for label in labels)
        return text.lower() if self.lower else text

    @property
    def capitals(self) -> bool:
        """Whether all that it can write is capitals, which then mean nothing, and letters without case."""
        text = self.spell(label for label in range(len(self)) if label not in self.special | {self.blank})
        return not any(letter.islower() for letter in text)

    @classmethod
    def load(cls, directory: Path, outputs: int, pad: object = None, language: str = "") -> "Vocabulary":
        """Read `vocab.json` (and `tokenizer_config.json`, `added_tokens.json` if present).

        outputs: the number of the model's outputs, each of which must have a name. pad: the model's `pad_token_id` if
        it has one, which is the blank it was trained with. language: which of the vocabularies in the file.
        Raises ModelError if the files are missing or do not fit the model.
        """
        settings = _read_settings(directory)
        names = _read_names(directory, settings, outputs, language)
        blank = _blank(directory, settings, names, pad)
        silent = {_content(settings.get(role, default)) for role, default in _ROLES.items()}
        for key in ("additional_special_tokens", "extra_special_tokens"):
            listed = settings.get(key)
            silent |= {_content(token) for token in listed} if isinstance(listed, list) else set()
        special = {index for index, name in names.items() if name in silent or name == names[blank]}
        delimiter = _find(names, _content(settings.get("word_delimiter_token", "|")))
        written = settings.get("replace_word_delimiter_char", " ") or ""
        if delimiter is None:  # a tokenizer writes a blank space as it is
            delimiter = _find(names, " ")
        elif written == "":
            special, delimiter = {*special, delimiter}, None
        elif written != " ":
            names[delimiter], delimiter = written, None
        return cls(
            tokens=tuple(names[index] for index in range(outputs)),
            blank=blank,
            delimiter=delimiter,
            special=frozenset(special - {blank, delimiter}),
            lower=bool(settings.get("do_lower_case", False)),
        )


def _read_names(directory: Path, settings: Mapping[str, Any], outputs: int, language: str) -> dict[int, str]:
    """Read the name of every output: the letters, and what was added to the tokenizer later.

    A tokenizer may have had sentence marks added that the model was never given outputs for; only such later
    additions may exceed the model. Where both name an output, the letters count.
    """
    path = directory / "vocab.json"
    ids = read_object(path)
    ids = ids[language] if language else ids
    if not all(isinstance(index, int) for index in ids.values()):
        raise ModelError(f"{path} must map each letter to its index")
    added = _read_added(directory, settings)
    letters = {index: token for token, index in ids.items()}
    names = {index: token for index, token in added.items() if index < outputs} | letters
    if len(letters) != len(ids) or set(names) != set(range(outputs)):
        raise ModelError(
            f"{path} names {len(ids)} letters but the model has {outputs} outputs; "
            "copy the vocab.json that was made for this checkpoint"
        )
    return names


def _read_added(directory: Path, settings: Mapping[str, Any]) -> dict[int, str]:
    """Read the names that were added to the tokenizer, by index."""
    older = directory / "added_tokens.json"
    try:
        added = {int(index): token for token, index in (read_object(older) if older.is_file() else {}).items()}
        decoder = settings.get("added_tokens_decoder") or {}
        return added | {int(index): _content(token) for index, token in decoder.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"{directory} has added tokens (added_tokens.json, or added_tokens_decoder in tokenizer_config.json) "
            "that are not listed by number; copy both files from the checkpoint again"
        ) from error


def _blank(directory: Path, settings: Mapping[str, Any], names: Mapping[int, str], pad: object) -> int:
    """Return the index of the blank, on which tokenizer and model must agree."""
    token = settings.get("pad_token", "<pad>")
    name = names.get(pad) if token is None and isinstance(pad, int) else _content(token)
    blank = _find(names, str(name))
    if blank is None:
        raise ModelError(f"{directory / 'vocab.json'} lacks the blank, which the tokenizer calls '{name}'")
    if pad is not None and pad != blank:
        raise ModelError(
            f"{directory / 'config.json'} says that the blank is output {pad}, {directory / 'vocab.json'} that it "
            f"is {blank}; copy the vocab.json that was made for this checkpoint"
        )
    return blank


def _find(names: Mapping[int, str], name: str) -> int | None:
    """Return the first output of a name."""
    return min((index for index, other in names.items() if other == name), default=None)


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
