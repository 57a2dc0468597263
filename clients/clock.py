"""One clock for a stream whose daemon is restarted."""

from msgspec.structs import replace

from asrd.core.events import Final, WireWord
from asrd.core.units import samples


class Clock:
    """Times of utterances since the first daemon began, though a restarted daemon counts from 0 again.

    The new daemon's utterances are shifted by the time between publications. So subtitles stay in step with a
    recording that went on meanwhile, except for the time that recognition took. They never begin before the end of
    what was heard already. Capture times would be more exact, but they are only the sender's word.
    """

    def __init__(self) -> None:
        self._shift = 0
        self._last: Final | None = None

    def words(self, final: Final) -> list[WireWord]:
        """Return the words of the next utterance, on this clock."""
        last, self._last = self._last, final
        if last is not None and last.daemon != final.daemon:
            passed = samples(final.time - _said(last))
            self._shift += max(last.speech_end + passed - final.speech_end, last.end - final.start)
        return [replace(word, start=word.start + self._shift, end=word.end + self._shift) for word in final.words]


def _said(final: Final) -> float:
    """Return when an utterance ended, in Unix seconds. After a crash its final comes late."""
    return final.stages.recognized if final.reason == "crash" else final.time
