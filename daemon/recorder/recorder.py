"""The flight recorder of one daemon: reads the tapes twice a second and writes in a thread of its own.

Recording never makes the pipeline wait. If the disk fails, or falls too far behind, recording ends and the daemon
continues.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import msgspec

from asrd.core.errors import reason
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding.options import chosen_decoder
from asrd.daemon.recorder import identity
from asrd.daemon.recorder.form import RecordedOptions
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.recorder.records import AnyRecord, Begin, Closed
from asrd.daemon.recorder.ring import Ring
from asrd.daemon.recorder.tape import RecordingTape
from asrd.daemon.stream.state import StreamState
from asrd.daemon.threads import Worker
from asrd.models import ModelDirectory

log = logging.getLogger(__name__)

INTERVAL = 0.5
"""Seconds between writes: a process that is killed loses at most that much."""

BEHIND = 64 << 20
"""Bytes that may wait for the disk, a quarter of an hour of one stream; with more, recording ends."""

PATIENCE = 0.5
"""Seconds that the disk gets at shutdown."""

DAEMON = "daemon"


class Recorder:
    """Record one daemon. Opt-in: a daemon has a recorder only if it was told to record."""

    def __init__(self, options: RecordingOptions, daemon: str) -> None:
        """Reserve the directory. Raises AsrdError if it cannot be used."""
        self.failure = ""
        self._daemon = daemon
        self._ring = Ring(options.directory, options.limit, options.hours)
        self._worker = Worker("recorder")
        self._stopped = asyncio.Event()
        own = partial(self._begin, DAEMON, live=False, options=None, model="")
        self._tapes = {DAEMON: RecordingTape(own)}
        self._ended: list[tuple[str, list[AnyRecord]]] = []

    @property
    def directory(self) -> str:
        """The directory recorded to; "" once recording has ended."""
        return "" if self.failure else str(self._ring.directory)

    def tape(self, stream: str, model: ModelDirectory, options: RecognitionOptions, *, live: bool) -> RecordingTape:
        """Return a new tape for a stream. options: those it begins with."""
        decoder = chosen_decoder(options.decoding, model.vocabulary)
        decoding, style = replace(options.decoding, decoder=decoder), options.style_of(model)
        recorded = RecordedOptions.of(replace(options, decoding=decoding, style=style))
        begin = partial(self._begin, stream, live=live, options=recorded, model=str(model.single))
        self._tapes[stream] = RecordingTape(begin)
        return self._tapes[stream]

    def untape(self, stream: str) -> None:
        """Write the rest of a stream that has ended, and close its file."""
        if (tape := self._tapes.pop(stream, None)) and not self.failure:
            self._ended.append((stream, [*tape.take(), Closed()]))

    def said(self, stream: str, payload: bytes) -> None:
        """Record an event that was published. The daemon's own events have a tape of their own."""
        if stream not in self._tapes:
            stream = DAEMON
        if stream == DAEMON:
            self._tapes[DAEMON].rest(lambda: None)
        self._tapes[stream].said(payload)
        if sum(tape.bytes for tape in self._tapes.values()) > BEHIND:
            self._fail("the disk is too slow")

    async def run(self, failed: Callable[[str], Awaitable[None]]) -> None:
        """Write until cancelled. failed: called once, with the reason, if recording ends."""
        writing = asyncio.create_task(self._write_on())
        try:
            await self._stopped.wait()
            writing.cancel()
            await failed(f"recording to {self._ring.directory} has ended: {self.failure}; free space and start again")
            await asyncio.Event().wait()
        finally:
            writing.cancel()

    async def close(self, within: float = PATIENCE) -> None:
        """Write the rest, if the disk is fast enough. within: seconds, of which at most `PATIENCE` are used."""
        if not self.failure:
            try:
                async with asyncio.timeout(min(PATIENCE, within)):
                    await self._worker.run(self._write, self._take())
                    await self._worker.run(self._ring.close)
            except (OSError, TimeoutError) as error:
                self._fail(reason(error))
        self._worker.close(self._ring.abandon)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                await self._worker.run(self._write, self._take())
            except Exception as error:  # full, gone, unplugged: whatever it is, transcription continues
                if not isinstance(error, OSError):
                    log.warning("recording failed", exc_info=True)
                self._fail(reason(error))
                return

    def _fail(self, why: str) -> None:
        self.failure = self.failure or why
        for tape in self._tapes.values():
            tape.stop()
        self._stopped.set()

    def _take(self) -> dict[str, list[AnyRecord]]:
        ended, self._ended = dict(self._ended), []
        return ended | {stream: tape.take() for stream, tape in self._tapes.items()}

    def _begin(
        self,
        stream: str,
        index: int,
        rest: bool,
        state: StreamState | None,
        *,
        live: bool,
        options: RecordedOptions | None,
        model: str,
    ) -> Begin:
        now = time.time()
        return Begin(version("asrd"), self._daemon, stream, live, index, now, rest, state, options, model, {}, {})

    def _write(self, records: dict[str, list[AnyRecord]]) -> None:
        """Write records. Runs in the recorder's thread, where there is time to hash a model."""
        self._ring.write({stream: [_identified(record) for record in tape] for stream, tape in records.items()})


def _identified(record: AnyRecord) -> AnyRecord:
    if not isinstance(record, Begin):
        return record
    files = identity.named(record.options) | (identity.files(Path(record.model)) if record.model else {})
    return msgspec.structs.replace(record, files=files, environment=identity.environment())
