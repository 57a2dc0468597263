"""Handle recognition results: publish text, report gaps, feed the segmenter."""

import logging
import time
from collections.abc import Callable

from asrd.core.errors import reason
from asrd.core.flow import NOBODY
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.decoding import Boosts, Decoding
from asrd.daemon.recognition.recognizer import Recognizer
from asrd.daemon.scheduling.base import WindowScheduler
from asrd.daemon.scheduling.queue import Result
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.stream.observer import Tape
from asrd.daemon.stream.utterances import UtteranceEvents
from asrd.models import ModelDirectory

log = logging.getLogger(__name__)


class Results:
    """Handle the results of one stream's windows: text is published, a failing backend reported as a gap, and the
    segmenter's questions answered.
    """

    def __init__(
        self,
        model: ModelDirectory,
        decoding: Decoding,
        hot: Callable[[], Boosts],
        *,
        scheduler: WindowScheduler,
        segmenter: Segmenter,
        utterances: UtteranceEvents,
        tape: Tape,
    ) -> None:
        """hot: returns the current hot words."""
        self._model = model
        self._decoding = decoding
        self._recognizer = Recognizer(model, decoding)
        self._hot = hot
        self._scheduler = scheduler
        self._segmenter = segmenter
        self._utterances = utterances
        self._tape = tape

    async def deliver(self, result: Result) -> None:
        """Handle a result, in the order of the windows. A defect costs this stream the rest of an utterance, and
        other streams nothing.
        """
        window = result.window
        try:
            await self._tell(result)
        except Exception as error:
            log.exception("%s: what was recognised cannot be told", self._utterances.stream)
            await self._utterances.error(f"what was recognised cannot be told ({reason(error)}); the log says more")
            if window.last:
                self._recognizer = Recognizer(self._model, self._decoding)
                await self._utterances.give_up(window.utterance, window.keep_end, result.backend, time.time())

    async def _tell(self, result: Result) -> None:
        window = result.window
        boosts = self._hot() if self._recognizer.idle else {}
        hypothesis = None
        if window.utterance != NOBODY and not (result.failure and window.provisional):
            hypothesis = await self._scheduler.aside(self._recognizer.accept, window, result.emission, boosts)
        self._tape.answered(result, boosts)  # only now: no other event can come before those of this window
        if result.failure:
            log.error("backend %s failed: %s", result.backend, result.failure)
            await self._utterances.error(f"backend {result.backend}: {result.failure}")
            if not window.provisional:
                await self._utterances.gap(window.keep_start, window.keep_end, "the backend failed")
        elif window.asks:
            self._segmenter.take(answer(window, result.emission, self._model))
        if hypothesis is not None:
            await self._utterances.recognized(result, hypothesis, boosts)
