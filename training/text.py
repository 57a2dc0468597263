"""Clean text to be read aloud, and spell it as the model does."""

import re
import unicodedata
from collections.abc import Iterator

_READABLE = re.compile(r"[A-Za-z',.;:!? -]+")
_TYPOGRAPHY = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "“": '"', "”": '"', "—": ",", "–": ","})


def labels(text: str) -> str:
    """Return the text in upper-case A–Z and apostrophes within words, one space between words; "" where nothing is
    left.

    Accents are dropped (CAFÉ is CAFE). Digits separate words, because it is unknown here how they are read.
    """
    plain = unicodedata.normalize("NFKD", text.translate(_TYPOGRAPHY)).upper()
    letters = re.sub(r"[^A-Z' ]", " ", "".join(c for c in plain if not unicodedata.combining(c)))
    return " ".join(word for word in (word.strip("'") for word in letters.split()) if word)


def sentences(prose: str) -> Iterator[str]:
    """Yield sentences of 2 to 40 words that can be read aloud as they stand: no digits, symbols or markup."""
    flat = re.sub(r"\s+", " ", prose.translate(_TYPOGRAPHY).replace("--", ", "))
    for sentence in re.split(r"(?<=[.!?;:])\s", flat):
        spoken = re.sub(r'["_*#\[\]()]', "", sentence).strip()
        if 2 <= len(spoken.split()) <= 40 and _READABLE.fullmatch(spoken) and re.search(r"[a-z]{2}", spoken):
            yield spoken
