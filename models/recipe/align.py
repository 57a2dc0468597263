"""When each word and phone is said: forced alignment with pocketsphinx and its American English model."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from asrd.core.errors import MissingExtraError
from asrd.core.flow import FloatArray
from asrd.models.recipe.store import Shard, Span

_ARPABET = "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"

PHONES = tuple(_ARPABET.split())
"""The classes that frames are told apart by: silence, then ARPABET as the CMU dictionary uses it."""

_INDEX = {phone: index for index, phone in enumerate(PHONES)} | {"AX": PHONES.index("AH")}  # flite's schwa
_FRAME_S = 0.01


def phone_index(name: str) -> int:
    """The class of a phone as pocketsphinx or flite calls it; what neither of them speaks of is silence."""
    return _INDEX.get(name.upper(), 0)


class Aligner:
    """pocketsphinx with the CMU dictionary, both from its package."""

    def __init__(self) -> None:
        try:
            from pocketsphinx import Config, Decoder
        except ImportError as error:
            raise MissingExtraError("recipe", "alignment") from error
        # without bestpath: the lattice of a short utterance is often too thin for it
        self._decoder: Any = Decoder(Config(lm=None, loglevel="FATAL", bestpath=False))

    def __call__(self, pcm: FloatArray, text: str) -> dict[str, list[Span]]:
        """`words` and `phones` in seconds. Empty where the dictionary lacks a word, or the text is not what is said.

        pcm: `(samples,)` at 16 kHz. text: as `labels` spells it.
        """
        words = text.lower().split()
        if any(self._decoder.lookup_word(word) is None for word in words):
            return {}
        samples = (pcm * 32767).astype("<i2").tobytes()
        try:
            self._decoder.set_align_text(" ".join(words))
            self._hear(samples)
            self._decoder.set_alignment()
            self._hear(samples)
            # read as they come: an entry is valid only until the next
            alignment = [(_entry(word), [_entry(phone) for phone in word]) for word in self._decoder.get_alignment()]
        except (RuntimeError, TypeError):  # how pocketsphinx says that it found no path through the text
            return {}
        found = {
            "words": [(_spelling(name), start, end) for (name, start, end), _ in alignment if not name.startswith("<")],
            "phones": [
                (PHONES[phone_index(name)], start, end) for _, phones in alignment for name, start, end in phones
            ],
        }
        return found if [word for word, _, _ in found["words"]] == text.split() else {}

    def _hear(self, samples: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()


def align(path: Path) -> None:
    """Write the times of a shard's utterances beside it, unless they are there; times that are known are kept."""
    times = path.with_suffix(".times")
    if times.exists():
        return
    aligner, shard = Aligner(), Shard(path)
    partial = times.with_suffix(".partial-times")
    with partial.open("w", encoding="utf-8") as lines:
        for utterance in shard.utterances:
            found = {} if utterance.phones else aligner(shard.pcm(utterance), utterance.text)
            lines.write(json.dumps(found) + "\n")
    partial.replace(times)


def frame_phones(phones: list[Span], middles: np.ndarray) -> np.ndarray:
    """The class of the phone at each of the times `middles` `(frames,)`, in seconds; silence outside all of them."""
    ends = np.array([end for _, _, end in phones])
    classes = np.array([*(phone_index(name) for name, _, _ in phones), 0])
    return np.where(middles < phones[0][1], 0, classes[np.searchsorted(ends, middles)])


def _spelling(name: str) -> str:
    """Of a dictionary entry: other pronunciations of THE are called the(2) and so on."""
    return re.sub(r"\(\d+\)$", "", name).upper()


def _entry(entry: Any) -> Span:
    return entry.name, round(entry.start * _FRAME_S, 2), round((entry.start + entry.duration) * _FRAME_S, 2)
