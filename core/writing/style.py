"""The style in which text is written."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from asrd.core.language import primary
from asrd.core.units import Samples, samples


@dataclass(frozen=True, slots=True)
class Style:
    """Style of written text.

    raw: as the model wrote it. numbers: in digits, in the languages of `asrd.core.writing.numbers`. pause: silence
    within an utterance that ends a sentence, in samples. spellings: words and phrases to be written exactly so, such
    as names ("Saoirse", "New York"). language: its code, such as "en" or "deu"; "" if it is not known, for what holds
    everywhere. capitals: whether the model writes nothing but capitals, so that they mean nothing; None to judge each
    utterance by itself.
    """

    raw: bool = False
    numbers: bool = False
    pause: Samples = samples(0.5)
    spellings: tuple[str, ...] = ()
    language: str = ""
    capitals: bool | None = None

    @property
    def english(self) -> bool:
        """Whether the rules of English hold."""
        return primary(self.language) == "en"

    def spoken(self, language: str) -> "Style":
        """Return the style for a language, unless it has one."""
        return self if self.language else replace(self, language=language)

    def naming(self, words: Iterable[str]) -> "Style":
        """Return the style with hot words as spellings too, except those all in one case, whose case says nothing."""
        cased = (word for word in words if word not in (word.lower(), word.upper()))
        return replace(self, spellings=(*cased, *self.spellings))
