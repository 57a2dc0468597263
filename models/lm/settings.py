"""`decoding.json`: the language model that goes with a model, and the weights found for the two.

    {"lm": "en", "lm_weight": 0.5, "word_bonus": 1.5, "blank_penalty": 0.5, "unknown_penalty": 8,
     …how they were found, and the error rates with them}

Written by `asrd tune`. A model without that file is decoded without a language model, because its language is
unknown.
"""

import math
from dataclasses import astuple, dataclass
from pathlib import Path

from asrd.core.errors import ModelError
from asrd.core.shell import quoted
from asrd.models.files import read_object

NAME = "decoding.json"


@dataclass(frozen=True, slots=True)
class DecodingSettings:
    """A language model, and weights for decoding with it.

    lm: as `resolve` takes it, or "none". lm_weight: factor of its log-probabilities. word_bonus: nats added for each
    word, because the language model favours few words. blank_penalty: nats subtracted from the blank in every frame
    before renormalising, because a model that is unsure of a letter prefers the blank. unknown_penalty: subtracted
    from the language model's log-probability (base 10) of a word that it does not know.
    """

    lm: str = "none"
    lm_weight: float = 0.5
    word_bonus: float = 1.5
    blank_penalty: float = 0.0
    unknown_penalty: float = 5.0

    @classmethod
    def load(cls, directory: Path) -> "DecodingSettings":
        """Load the settings of a model directory. Raises ModelError if the file is there and cannot be understood."""
        path = directory / NAME
        if not path.is_file():
            return cls()
        content, again = read_object(path), f"make it again with 'asrd tune --model {quoted(directory)}'"
        try:
            found = cls(
                str(content["lm"]),
                float(content["lm_weight"]),
                float(content["word_bonus"]),
                float(content.get("blank_penalty", cls().blank_penalty)),  # older files lack these two
                float(content.get("unknown_penalty", cls().unknown_penalty)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} is not one of this version; {again}") from error
        if not all(map(math.isfinite, astuple(found)[1:])):
            raise ModelError(f"{path} holds a weight that is no number; {again}")
        return found
