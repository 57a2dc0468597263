"""Hot words: names and terms that the user made likelier. They are kept in a file, and so survive restarts."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from asrd.core.control import AddWords, ClearWords, LearnWords, ListWords, RemoveWords, WordsRequest
from asrd.core.errors import AsrdError, UsageError
from asrd.core.rewrite import rewrite
from asrd.daemon.recognition.decoding.base import Boosts, Decoding
from asrd.daemon.recognition.decoding.hot import WordSequence
from asrd.daemon.recognition.decoding.make import BeamDecoding

log = logging.getLogger(__name__)

MOST, LONGEST = 1000, 100
"""Maximum number of hot words and phrases, and of letters in one."""

MAX_BOOST = 30.0
"""Largest boost, in nats. At half of it, nothing else is heard any more."""


class HotWords:
    """The hot words of one daemon; changes take effect with the next utterance of each stream.

    Case makes no difference if the model has only one. Changes apply to what the file holds at that moment; people
    and other daemons may have written it.
    """

    def __init__(self, path: Path | None, decoding: Decoding) -> None:
        """path: None to keep hot words in memory only. Raises AsrdError if the file cannot be used."""
        self._path = path
        self._search = decoding.search if isinstance(decoding, BeamDecoding) else None
        self._kept: dict[str, float] = {}
        self._kept = self._read()

    def answer(self, request: WordsRequest) -> Boosts:
        """Carry out a request. Raises UsageError if that is impossible, and then changes nothing."""
        match request:
            case AddWords(boosts):
                return self.add(boosts)
            case RemoveWords(words):
                return self.remove(words)
            case ClearWords():
                return self.clear()
            case LearnWords(words, boost):
                return self.learn(words, boost)
            case ListWords():
                return self._read()

    def reload(self) -> Boosts:
        """Take over what is in the file now; return all hot words. Raises AsrdError if the file cannot be used."""
        self._kept = self._read()
        return dict(self._kept)

    @property
    def boosts(self) -> Boosts:
        """The hot words that this model can spell and this decoder can use."""
        return {text: boost for text, boost in self._kept.items() if self._search and not self._fault(text)}

    def add(self, boosts: Mapping[str, float]) -> Boosts:
        """Add hot words; return all of them. Raises UsageError, and adds none, if one cannot be used."""
        for text, boost in boosts.items():
            if not 0 < boost <= MAX_BOOST:
                raise UsageError(
                    f"the boost of '{text}' is {boost:g}; it must lie above 0 and be {MAX_BOOST:g} at most"
                )
            if fault := self._fault(text):
                raise UsageError(fault)
        new = {self._spelled(text): (text, boost) for text, boost in boosts.items()}
        kept = {text: boost for text, boost in self._read().items() if self._spelled(text) not in new}
        kept |= dict(new.values())
        if len(kept) > MOST:
            raise UsageError(f"there may be {MOST} hot words; that would make {len(kept)}; remove some first")
        return self._keep(kept)

    def remove(self, texts: Iterable[str]) -> Boosts:
        """Remove hot words; return the rest. Raises UsageError, and removes none, if one is not a hot word."""
        kept, alike = self._read(), defaultdict[WordSequence, list[str]](list)
        for text in kept:
            alike[self._spelled(text)].append(text)
        for text in texts:
            if not (found := alike.pop(self._spelled(text), [])):
                raise UsageError(f"'{text}' is no hot word; 'asrd words list' shows those there are")
            for one in found:
                del kept[one]
        return self._keep(kept)

    def clear(self) -> Boosts:
        """Remove all hot words."""
        return self._keep({})

    def learn(self, words: Iterable[str], boost: float) -> Boosts:
        """Add and return the words that the model can spell and the language model does not know."""
        if not self._search or not self._search.lm:
            raise UsageError("without a language model every word is unknown; name the words: asrd words add …")
        usable = [word for word in words if not self._fault(word)]
        learned = {w: boost for w in usable if not all(map(self._search.knows, self._search.words(w)))}
        if learned:
            self.add(learned)
        return learned

    def _fault(self, text: str) -> str:
        """Return the reason why a text cannot be a hot word, or ""."""
        if not self._search:
            return "greedy decoding knows no hot words; start the daemon with --decoder beam"
        if len(text) > LONGEST:
            return f"a hot word has {LONGEST} letters at most; this has {len(text)}: '{text[:20]}…'"
        try:
            self._search.words(text)
        except UsageError as error:
            return str(error)
        return ""

    def _spelled(self, text: str) -> WordSequence:
        """Return a key that is equal for spellings that the model does not distinguish."""
        try:
            return self._search.words(text) if self._search else tuple(text.split())
        except UsageError:
            return tuple(text.split())

    def _read(self) -> dict[str, float]:
        return read_words(self._path) if self._path else dict(self._kept)

    def _keep(self, boosts: dict[str, float]) -> Boosts:
        """Store hot words in the file before they take effect."""
        if self._path:
            try:
                rewrite(self._path, json.dumps(boosts, indent=1, ensure_ascii=False) + "\n")
            except OSError as error:
                raise AsrdError(f"the hot words cannot be kept in {self._path} ({error.strerror})") from error
        self._kept = boosts
        return dict(boosts)


def read_words(path: Path) -> dict[str, float]:
    """Return the hot words of a file; none if there is none. Raises AsrdError if it cannot be used."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError("expected a JSON object of words and boosts")
        return {str(text): float(boost) for text, boost in content.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError) as error:
        raise AsrdError(f"the hot words in {path} cannot be read ({error}); fix or remove it") from error


def usable(boosts: Boosts, decoding: Decoding) -> Boosts:
    """Return the hot words that this decoding can use, of those kept for another decoding or model."""
    if not isinstance(decoding, BeamDecoding):
        return {}
    found = {}
    for text, boost in boosts.items():
        with suppress(UsageError):
            decoding.search.words(text)
            found[text] = boost
    return found
