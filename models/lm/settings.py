"""`decoding.json`: the language model that goes with a model, and the weights found for the two.

    {"lm": "en", "lm_weight": 0.5, "word_bonus": 1.5, "blank_penalty": 0.5, "unknown_penalty": 8,
     …how they were found, and what they were worth}

Written by `asrd tune`. A model without that file is decoded without a language model: nobody
knows its language.
"""

import math
from dataclasses import astuple, dataclass
from pathlib import Path

from asrd.core.errors import ModelError
from asrd.models.files import read_object

NAME = "decoding.json"


@dataclass(frozen=True, slots=True)
class DecodingSettings:
    """lm: as `resolve` takes it, or "none". lm_weight: what its log-probabilities are multiplied by.
    word_bonus: nats added for each word, against the language model's liking for few. blank_penalty: nats taken from
    the blank in every frame, before all is normalised again; a model that is unsure of a letter rather says nothing.
    unknown_penalty: taken from the language model's log-probability (base 10) of a word that it does not know.
    """

    lm: str = "none"
    lm_weight: float = 0.5
    word_bonus: float = 1.5
    blank_penalty: float = 0.0
    unknown_penalty: float = 5.0

    @classmethod
    def load(cls, directory: Path) -> "DecodingSettings":
        """Of a model directory. Raises ModelError where the file is there and cannot be understood."""
        path = directory / NAME
        if not path.is_file():
            return cls()
        content = read_object(path)
        try:
            found = cls(
                str(content["lm"]),
                float(content["lm_weight"]),
                float(content["word_bonus"]),
                float(content.get("blank_penalty", cls().blank_penalty)),  # a file of before there were these two
                float(content.get("unknown_penalty", cls().unknown_penalty)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} is not one of this version; make it again with 'asrd tune'") from error
        if not all(map(math.isfinite, astuple(found)[1:])):
            raise ModelError(f"{path} holds a weight that is no number; make it again with 'asrd tune'")
        return found
