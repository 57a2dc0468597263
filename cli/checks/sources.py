"""Check that each source can be opened, as `asrd start` does."""

import asyncio
from collections.abc import Iterator, Sequence

from asrd.cli.checks.finding import Finding, Subject
from asrd.cli.devices import elsewhere
from asrd.core.errors import AsrdError
from asrd.daemon.server.options import DaemonOptions
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.entrance import Entrance
from asrd.daemon.sources.files import FileSource
from asrd.daemon.sources.inputs import InputDevice, find
from asrd.daemon.sources.microphone import MicrophoneSource

Input = Source | Entrance


def check_sources(subject: Subject) -> Iterator[Finding]:
    """Check the microphones of this machine, and every source. A server has no microphone, and needs none: that is a
    failure only where one was chosen.
    """
    from asrd.daemon.sources import portaudio
    from asrd.daemon.sources.spec import parse_sources

    options = subject.options
    try:
        sources = parse_sources(options.sources, options.pace, options.access)
    except AsrdError as error:
        yield Finding.of("source", error)
        return
    wanted = any(isinstance(source, MicrophoneSource) for source in sources)
    devices: list[InputDevice] = []
    try:
        devices = portaudio.devices()
        yield _microphones(devices, options, wanted=wanted)
    except AsrdError as error:
        yield Finding.of("portaudio", error, "fail" if wanted else "warn")
        sources = [source for source in sources if not isinstance(source, MicrophoneSource)]
    if not (devices or subject.chosen):
        return
    for source, fault in asyncio.run(_look(sources, devices) if subject.daemon else _open(sources)):
        if fault:
            yield Finding.of("source", fault)
        else:
            yield Finding("source", "ok", f"{source.stream} can be opened")


def _microphones(devices: list[InputDevice], options: DaemonOptions, *, wanted: bool) -> Finding:
    if not devices and not wanted:
        return Finding("microphone", "ok", "none is here, and none is asked for")
    if not devices:
        remedy = f"plug one in, or hear another machine's: {elsewhere(options.access.key)}"
        return Finding("microphone", "warn", "no microphone found", remedy)
    default = next((device.name for device in devices if device.default), "none of them")
    return Finding("microphone", "ok", f"{len(devices)} found, the default is {default}")


async def _open(sources: Sequence[Input]) -> list[tuple[Input, AsrdError | None]]:
    """Open all of them at a time, and close them again."""
    found: list[tuple[Input, AsrdError | None]] = []
    try:
        for source in sources:
            try:
                await source.open()
                found.append((source, None))
            except AsrdError as error:
                found.append((source, error))
    finally:
        for source in sources:
            await source.close()
    return found


async def _look(sources: Sequence[Input], devices: list[InputDevice]) -> list[tuple[Input, AsrdError | None]]:
    """Look for files and microphones alone: the daemon that runs may use the others."""
    found: list[tuple[Input, AsrdError | None]] = []
    for source in sources:
        try:
            if isinstance(source, MicrophoneSource):
                find(devices, source.device)
            elif isinstance(source, FileSource):
                await source.open()
            else:
                continue
            found.append((source, None))
        except AsrdError as error:
            found.append((source, error))
    return found
