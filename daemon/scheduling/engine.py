"""The engine: a model, its decoding, and the backend in use."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from asrd.backends import Backend, LoadOptions, load
from asrd.core.defaults import BACKENDS
from asrd.core.errors import BackendError, reason
from asrd.core.units import MAX_WINDOW
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding.make import BeamDecoding, GreedyDecoding, make_decoding
from asrd.daemon.recognition.hotwords import HotWords
from asrd.daemon.scheduling.loading import Loading
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.threads import in_thread
from asrd.models import ModelDirectory
from asrd.models.store import resolve

log = logging.getLogger(__name__)

LOADING, CLOSING = 110.0, 5.0
"""Seconds that a backend may take to load, and the previous one to close: less than a client waits for the answer."""

RESCUING = 30.0
"""Seconds that each backend may take to load that may replace one that fails."""

AGAIN = 5.0
"""Seconds until the next attempt if a backend could not be reloaded."""


class Engine:
    """Recognition shared by all streams of a daemon."""

    def __init__(
        self,
        model: ModelDirectory,
        decoding: GreedyDecoding | BeamDecoding,
        words: HotWords,
        scheduler: Scheduler,
        options: LoadOptions,
    ) -> None:
        """options: how to load the backends switched to."""
        self.model, self.decoding, self.words, self.scheduler = model, decoding, words, scheduler
        self._options = options
        self._failed: set[str] = set()  # since somebody chose a backend

    @classmethod
    async def start(cls, recognition: RecognitionOptions, words: Path | None) -> "Engine":
        """Load everything the options name, without blocking the event loop.

        words: the file of hot words; None to keep none. Raises AsrdError if something cannot be loaded.
        """
        model = await in_thread(resolve, recognition.model)
        decoding = await in_thread(make_decoding, recognition.decoding, model)
        hot = HotWords(words, decoding)
        backend = await in_thread(_ready, recognition.backend, model, recognition.load)
        return cls(model, decoding, hot, Scheduler(recognition.backend, backend), recognition.load)

    async def use(self, name: str) -> str:
        """Load another backend while the present one keeps working, then switch between two windows. A hung backend
        of the same name is reloaded.

        Returns the name of the previous backend. One call at a time. Raises AsrdError if the backend cannot be
        loaded, or not in time; the present one then stays.
        """
        previous = self.scheduler.name
        if name == previous and not self.scheduler.hangs.is_set():
            return previous
        loading = self._load(name)
        if not (backend := await loading.within(LOADING)):
            loading.discard()
            raise BackendError(f"backend {name} has not loaded within {LOADING:g} s; {previous} stays, or use another")
        self._failed.clear()
        await self._switch(name, backend)
        return previous

    async def rescue(
        self,
        failure: str,
        complain: Callable[[str], Awaitable[None]],
        announce: Callable[[str], Awaitable[None]],
        what: str = "failed twice",
    ) -> bool:
        """Replace the backend in use, which has failed, by the first of `BACKENDS` that loads and has not failed.

        complain: called with what happened. announce: called with the previous backend's name after the switch.
        what: what the backend does. Returns whether another backend is in use now.
        """
        failed = self.scheduler.name
        self._failed.add(failed)
        for name in (name for name in BACKENDS if name not in self._failed):
            loading = self._load(name, replace(self._options, device="CPU", arithmetic=""))
            try:
                backend = await loading.within(RESCUING)
            except Exception as error:  # whatever a runtime raises
                log.warning("backend %s cannot replace %s: %s", name, failed, reason(error))
                backend = None
            if self.scheduler.name != failed:  # somebody chose another meanwhile
                loading.discard()
                return True
            if backend:
                await self._switch(name, backend)
                back = f"until 'asrd backend use {failed}'"
                await complain(f"backend {failed} {what}; {name} replaces it {back}: {failure}")
                await announce(failed)
                return True
            loading.discard()
            self._failed.add(name)
        return False

    async def _switch(self, name: str, backend: Backend) -> None:
        previous = self.scheduler.name
        try:
            async with asyncio.timeout(CLOSING):
                await self.scheduler.use(name, backend)
        except TimeoutError:
            log.warning("backend %s, which was used before, does not close", previous)

    async def renew(
        self, complain: Callable[[str], Awaitable[None]], announce: Callable[[str], Awaitable[None]]
    ) -> None:
        """Reload the backend whenever it hangs, until cancelled; where that fails or hangs, replace it.

        complain, announce: as in `rescue`.
        """
        while True:
            await self.scheduler.hangs.wait()
            await self._renew(self.scheduler.name, complain, announce)

    async def _renew(
        self, name: str, complain: Callable[[str], Awaitable[None]], announce: Callable[[str], Awaitable[None]]
    ) -> None:
        loading, backend, advice = self._load(name), None, "choose another with 'asrd backend use NAME'"
        try:  # a reload that hangs is not repeated: soon there would be many hung ones
            while self._hangs(name) and not (backend := await loading.within(LOADING)):
                if await self.rescue("reloading it hangs, too", complain, announce, "hangs"):
                    break
                await complain(f"backend {name} hangs, and so does reloading it; {advice}")
        except Exception as error:  # a third party's backend may raise anything
            failure = f"it cannot be reloaded ({reason(error)})"
            if not await self.rescue(failure, complain, announce, "hangs"):
                await complain(f"backend {name} hangs: {failure}; {advice}")
                await asyncio.sleep(AGAIN)
            return
        if backend and self._hangs(name):
            log.warning("backend %s has been reloaded", name)
            await self.scheduler.use(name, backend)
        else:  # another backend has taken over
            loading.discard()

    def _load(self, name: str, options: LoadOptions | None = None) -> Loading:
        return Loading(_ready, name, self.model, options or self._options)

    def _hangs(self, name: str) -> bool:
        """Return whether that backend is in use and hangs."""
        return self.scheduler.hangs.is_set() and self.scheduler.name == name


def _ready(name: str, model: ModelDirectory, options: LoadOptions) -> Backend:
    """Return a loaded backend that has answered once, for a full window and for a short one."""
    backend = load(name, model, options)
    for length in (MAX_WINDOW, MAX_WINDOW // 2):
        backend.warm_up(length)
    return backend
