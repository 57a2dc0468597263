"""Parse sources as given on the command line: `[NAME=]KIND[:ARGUMENT]`."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

from asrd.core.errors import UsageError
from asrd.core.events import DAEMON_STREAM
from asrd.core.pcm import FORMATS, MAX_CHANNELS, MAX_RATE, MIN_RATE
from asrd.daemon.sources.base import Source
from asrd.daemon.sources.entrance import Entrance
from asrd.daemon.sources.files import FileSource, Pace
from asrd.daemon.sources.inlet import SENDERS
from asrd.daemon.sources.microphone import MicrophoneSource
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.sources.pcm import PipeSource
from asrd.daemon.sources.reception import MOST, Reception
from asrd.daemon.transport.access import LOCAL, Access

KINDS = "mic, mic:NAME, file:PATH[?channel=N], pcm:-, pcm:tcp://HOST:PORT or pcm:ipc://PATH"

_CHANNEL = re.compile(r"\?channel=(\d+)$")


def parse_sources(
    specs: Iterable[str], pace: Pace = "realtime", access: Access = LOCAL, others: Iterable[Entrance] = ()
) -> list[Source | Entrance]:
    """Return the sources of one daemon, and the entrances. others: entrances that it has besides.

    Raises UsageError also if there are none, or if two have the same name.
    """
    sources = [*(parse_source(spec, pace, access) for spec in specs), *others]
    if not sources:
        raise UsageError(f"there is nothing to listen to; name a source: {KINDS}")
    for stream, count in Counter(source.stream for source in sources).items():
        if count > 1:
            raise UsageError(f"{count} sources are called '{stream}'; name them apart: --source NAME=…")
    return sources


def parse_source(spec: str, pace: Pace = "realtime", access: Access = LOCAL) -> Source | Entrance:
    """Return the source that `spec` means, not opened yet, or the entrance by which sources come.

    Kinds: `mic`, `mic:NAME` (an index or part of a name), `file:PATH` or just the path of a file that exists, with
    `?channel=2` for one of its channels, `pcm:-` with `?rate=48000&channels=2&format=f32le` (16000, 1 and s16le by
    default), `pcm:tcp://HOST:PORT`, `pcm:ipc://PATH`, where `?streams=each` gives each sender a stream of its own, at
    most 64 at once or what `&most=` says. NAME= before them names the stream; the default is the kind, or
    the file's name. pace: playback speed of files. access: who may send. Raises UsageError for anything else.
    """
    if (source := _parse(spec, None, pace, access)) is not None:
        return source
    name, equals, rest = spec.partition("=")
    if equals and (source := _parse(rest, name, pace, access)) is not None:
        return source
    raise UsageError(f"'{spec}' is neither a source nor an existing file; a source is {KINDS}, with NAME= before it")


def _parse(spec: str, name: str | None, pace: Pace, access: Access) -> Source | Entrance | None:
    kind, _, argument = spec.partition(":")
    if kind == "mic":
        return MicrophoneSource(_stream(name, "mic"), argument or None)
    if kind == "file" and argument:
        return _file(argument, name, pace)
    if kind == "pcm" and argument.startswith(("tcp://", "ipc://")):
        return _network(argument, _stream(name, "pcm"), access)
    if kind == "pcm":
        return _pipe(argument, _stream(name, "pcm"))
    if Path(spec).is_file() or Path(_CHANNEL.sub("", spec)).is_file():
        return _file(spec, name, pace)
    return None


def _file(argument: str, name: str | None, pace: Pace) -> Source:
    """Return the source for a path. What looks like an option may be the end of a file's name."""
    found = None if Path(argument).exists() else _CHANNEL.search(argument)
    path, channel = (argument[: found.start()], int(found[1])) if found else (argument, None)
    return FileSource(_stream(name, _stem(path)), Path(path), pace, channel)


def _network(argument: str, stream: str, access: Access) -> Source | Entrance:
    address, _, query = argument.partition("?")
    port = address.rpartition(":")[2]
    if address.startswith("tcp://") and not (port.isdecimal() and 0 < int(port) < 65_536):  # libzmq: modulo 65536
        raise UsageError(f"'pcm:{address}' needs a port from 1 to 65535, as in pcm:tcp://127.0.0.1:7000")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if query and options.pop("streams", "") != "each":
        raise UsageError(f"'pcm:{argument}' is no source; after ? comes streams=each, for a stream of each sender")
    most = _number(options.pop("most", str(MOST)), "most", 1, SENDERS, f"pcm:{address}")
    _all_known(options, f"pcm:{address}", "streams and most")
    return Reception(stream, address, access, most) if query else NetworkSource(stream, address, access)


def _pipe(argument: str, stream: str) -> Source:
    where, _, query = argument.partition("?")
    if where != "-":
        raise UsageError(f"'pcm:{argument}' is no source; pcm is pcm:-, pcm:tcp://HOST:PORT or pcm:ipc://PATH")
    options = dict(parse_qsl(query, keep_blank_values=True))
    rate = _number(options.pop("rate", "16000"), "rate", MIN_RATE, MAX_RATE)
    channels = _number(options.pop("channels", "1"), "channels", 1, MAX_CHANNELS)
    wanted = options.pop("format", "s16le")
    sample_format = next((known for known in FORMATS if known == wanted), None)
    if sample_format is None:
        raise UsageError(f"pcm:- cannot read format '{wanted}'; it reads {', '.join(FORMATS)}")
    _all_known(options, "pcm:-", "rate, channels and format")
    return PipeSource(stream, rate, channels, sample_format)


def _number(text: str, option: str, lowest: int, highest: int, where: str = "pcm:-") -> int:
    if not text.isdecimal() or not lowest <= int(text) <= highest:
        raise UsageError(f"{where} needs a {option} from {lowest} to {highest}, not '{text}'")
    return int(text)


def _all_known(left: Mapping[str, str], where: str, known: str) -> None:
    if left:
        raise UsageError(f"{where} has no option '{next(iter(left))}'; it takes {known}")


def _stream(name: str | None, default: str) -> str:
    """Return the stream's name, which becomes part of the topic `asrd.<stream>.<type>` and so has no dots."""
    if name is None:
        return default
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise UsageError(f"'{name}' cannot name a stream; use letters, digits, - and _")
    if name == DAEMON_STREAM:
        raise UsageError(f"'{name}' cannot name a stream: events of that name are the daemon's own; use another")
    return name


def _stem(path: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(path).stem).strip("-")
    return "file" if stem in ("", DAEMON_STREAM) else stem
