"""Call a sound system that may hang, with a limit on how long anything waits for it."""

import asyncio
import atexit
import contextlib
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

from asrd.core.errors import AudioError

DEADLINE = 5.0
"""Seconds a call may take before the sound system counts as hung. A Bluetooth headset needs about two."""

HUNG = "the sound system does not answer; restart it (PipeWire, PulseAudio) or asrd"

T = TypeVar("T")


async def off_loop(
    call: Callable[[], T], late: Callable[[T], object] = lambda _: None, deadline: float = DEADLINE
) -> T:
    """Return `call()`, made in a thread of its own, for which neither a cancellation nor the end of the program
    waits.

    late: called with a result that nothing waits for any more. Raises AudioError if the sound system hangs.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            if error is None:
                threading.Thread(target=late, args=(result,), daemon=True).start()
        elif error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program ends
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="portaudio", daemon=True).start()
    try:
        return await asyncio.wait_for(future, deadline)
    except TimeoutError as error:
        if sounddevice := sys.modules.get("sounddevice"):  # its exit handler would wait for PortAudio
            atexit.unregister(sounddevice._exit_handler)
        raise AudioError(HUNG) from error
