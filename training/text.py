"""Text as it is read aloud, and as the model spells it."""

import re
import unicodedata
from collections.abc import Iterator

_READABLE = re.compile(r"[A-Za-z',.;:!? -]+")
_TYPOGRAPHY = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "“": '"', "”": '"', "—": ",", "–": ","})


def labels(text: str) -> str:
    """The text in upper-case A–Z and apostrophes within words, one space between words; "" where nothing is left.

    Accents are dropped (CAFÉ is CAFE). Digits separate words, for what they are read as cannot be known here.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHY)).upper()
    letters = re.sub(r"[^A-Z' ]", " ", "".join(c for c in plain if not unicodedata.combining(c)))
    return " ".join(word for word in (word.strip("'") for word in letters.split()) if word)


def sentences(prose: str) -> Iterator[str]:
    """Sentences of 2 to 40 words that can be read aloud as they stand: no digits, symbols or markup."""
    flat = re.sub(r"\s+", " ", prose.translate(_TYPOGRAPHY).replace("--", ", "))
    for sentence in re.split(r"(?<=[.!?;:])\s", flat):
        spoken = re.sub(r'["_*#\[\]()]', "", sentence).strip()
        if 2 <= len(spoken.split()) <= 40 and _READABLE.fullmatch(spoken) and re.search(r"[a-z]{2}", spoken):
            yield spoken
