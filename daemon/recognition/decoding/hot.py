"""Hot words of one utterance: phrases that get a bonus on top of the model's score."""

from collections.abc import Iterator, Mapping, Sequence

WordSequence = tuple[str, ...]


class Hot:
    """Phrases, and the nats that each occurrence adds to the score of a text."""

    def __init__(self, worth: Mapping[WordSequence, float]) -> None:
        self.worth = dict(worth)
        self.words = frozenset(word for phrase in worth for word in phrase)
        self.most = max(worth.values(), default=0.0)
        self.longest = max(map(len, worth), default=0)

    def __bool__(self) -> bool:
        return bool(self.worth)

    def bonus(self, text: Sequence[str]) -> float:
        """Return what the phrases in a text add to its score. If two begin at one word, the longer counts."""
        return sum(self.worth[phrase] for phrase in self._found(text))

    def _found(self, text: Sequence[str]) -> Iterator[WordSequence]:
        at = 0
        while at < len(text):
            lengths = range(min(self.longest, len(text) - at), 0, -1)
            phrase = next((tuple(text[at : at + n]) for n in lengths if tuple(text[at : at + n]) in self.worth), None)
            if phrase:
                yield phrase
            at += len(phrase or " ")
