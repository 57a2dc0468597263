"""One clock for a stream whose daemon is started anew."""

from msgspec.structs import replace

from asrd.core.events import Final, WireWord
from asrd.core.units import samples


class Clock:
    """Where utterances lie since the first daemon began, though the next one counts from 0 again.

    What the next one hears comes as much later as it was published later: so subtitles stay in step, but for what
    recognition took, with a recording that went on meanwhile. It never comes before what was heard already. When audio
    was captured would be more exact, but is a sender's own word.
    """

    def __init__(self) -> None:
        self._shift = 0
        self._last: Final | None = None

    def words(self, final: Final) -> list[WireWord]:
        """The words of the next utterance, on this clock."""
        last, self._last = self._last, final
        if last is not None and last.daemon != final.daemon:
            passed = samples(final.time - last.time)
            self._shift += max(last.speech_end + passed - final.speech_end, last.end - final.start)
        return [replace(word, start=word.start + self._shift, end=word.end + self._shift) for word in final.words]
