"""All calls to PortAudio. They are not thread-safe, and hang with a sound server that hangs; so each is made under
one lock, and through `off_loop` when on the event loop.
"""

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from asrd.core.errors import AudioError
from asrd.daemon.sources.inputs import InputDevice, find, inputs
from asrd.daemon.sources.offloop import DEADLINE, HUNG
from asrd.daemon.sources.resample import check_rate
from asrd.daemon.sources.ring import CaptureRing, now

RING_SECONDS = 5
"""Seconds of audio buffered while the event loop is busy elsewhere."""

MAX_CHANNELS = 2
"""Channels captured at most: a stereo microphone is mixed down; sound servers offer 32 channels that contain nothing
more.
"""

_lock = threading.Lock()
_captures: set["Capture"] = set()


def devices() -> list[InputDevice]:
    """Return all input devices; a server may have none. Raises AudioError without PortAudio."""
    with _portaudio() as sd:
        return inputs(sd)


class Capture:
    """A device that is capturing. Samples are 16-bit integers, which can be neither NaN nor beyond full scale."""

    def __init__(self, sd: Any, device: InputDevice, notify: Callable[[], None]) -> None:
        self.device = device
        self.channels = min(device.channels, MAX_CHANNELS)
        self.ring = CaptureRing(device.rate, RING_SECONDS * device.rate)
        self.finished = self.unwanted = False
        self._notify = notify
        self._stream = sd.RawInputStream(
            device=device.index,
            samplerate=device.rate,
            channels=self.channels,
            dtype="int16",
            latency="high",  # "low" tolerates a delay of a few milliseconds only
            callback=self._callback,
            finished_callback=self._finish,
        )
        try:
            self._stream.start()
        except BaseException:
            self._stream.close()
            raise

    def _callback(self, data: Any, frames: int, clock: Any, status: Any) -> None:
        age = clock.currentTime - clock.inputBufferAdcTime if clock.inputBufferAdcTime else frames / self.device.rate
        heard = now()
        end = min(heard, heard - age + frames / self.device.rate)  # a sound server's estimate may be ahead
        self.ring.put(bytes(data), frames, end, heard, overflowed=bool(status.input_overflow))
        self._notify()

    def _finish(self) -> None:
        self.finished = True
        self._notify()

    def close(self) -> None:
        """Stop and release the device. Raises AudioError while the sound system hangs; `rescan` then releases it."""
        self.unwanted = True
        with _portaudio() as sd:
            self.end(sd)

    def end(self, sd: Any) -> None:
        """Do the same, for callers that hold the lock."""
        _captures.discard(self)
        with contextlib.suppress(sd.PortAudioError):
            self._stream.abort()
        with contextlib.suppress(sd.PortAudioError):
            self._stream.close()


def rescan() -> None:
    """Find devices that came or went since PortAudio was started; only possible while nothing captures."""
    with _portaudio() as sd:
        for left in [capture for capture in _captures if capture.unwanted]:
            left.end(sd)
        if not _captures:
            _keep_plugins()
            # sounddevice's public interface has no other way.
            sd._terminate()
            sd._initialize()


def capture(wanted: str | None, notify: Callable[[], None]) -> Capture:
    """Start capturing. wanted: index or part of a name, the first that fits; None is the default device. notify:
    called from another thread when there is audio to take.

    Raises AudioError if there is no such device or it cannot be opened.
    """
    with _portaudio() as sd:
        device = find(inputs(sd), wanted)
        check_rate(device.rate, device.name)
        try:
            opened = Capture(sd, device, notify)
        except sd.PortAudioError as error:
            reason = str(error).partition(": ")[2] or str(error)
            raise AudioError(f"microphone '{device.name}' cannot be opened ({reason}); is it in use?") from error
        _captures.add(opened)
        return opened


def _keep_plugins() -> None:
    """Keep ALSA's plugins in memory when PortAudio unloads them.

    Loading them again, with the dozens of libraries that some of them need, would cost 15 ms of processor time and
    leak 12 KiB every 5 s for as long as a microphone is away: 200 MiB per day.
    """
    with contextlib.suppress(OSError):  # not Linux
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        mapped = [line.split()[-1] for line in maps.splitlines()]
        for plugin in {path for path in mapped if "/alsa-lib/" in path}:
            ctypes.CDLL(plugin)  # is never closed


@contextlib.contextmanager
def _portaudio() -> Iterator[Any]:
    """Yield the sounddevice module, to one caller at a time."""
    if not _lock.acquire(timeout=DEADLINE):
        raise AudioError(HUNG)
    try:
        import sounddevice

        try:
            yield sounddevice
        except sounddevice.PortAudioError as error:
            raise AudioError(f"the sound system failed ({error}); look with 'asrd devices'") from error
    except OSError as error:  # raised by `import sounddevice` if the library is missing
        raise AudioError(f"PortAudio is missing ({error}); install it: sudo apt install libportaudio2") from error
    finally:
        _lock.release()
