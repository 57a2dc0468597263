"""Programs written for earlier versions find what they import."""

from asrd.clients.text import Style, Writer, join
from asrd.core.events import WireWord


def test_text_is_written_by_the_earlier_names() -> None:
    words = [WireWord(word, 4000 * index, 4000 * index + 3600, 0.9) for index, word in enumerate(["noc", "i", "dan"])]
    assert join(Writer(Style()).utterance(words, "silence")) == "Noc i dan."
