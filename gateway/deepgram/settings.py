"""The query of a connection: the form of audio, and what is to be told."""

from collections.abc import Mapping
from dataclasses import dataclass

from asrd.core.pcm import MAX_RATE, MIN_RATE
from asrd.gateway.errors import RefusedError
from asrd.gateway.host import Host
from asrd.gateway.pcm import Encoding

ENCODINGS: dict[str, Encoding] = {"linear16": "s16le", "mulaw": "ulaw", "alaw": "alaw"}

CHANNELS = 8
"""Channels that audio may have; they are mixed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """rate: Hz. interim: whether partials are told. written: whether text has case and full stops. starts, ends:
    whether the beginning and the end of speech are told.
    """

    encoding: Encoding
    rate: int
    channels: int = 1
    interim: bool = False
    written: bool = False
    starts: bool = False
    ends: bool = False

    @classmethod
    def read(cls, host: Host, query: Mapping[str, str]) -> "Settings":
        """Read a query. Raises RefusedError for what cannot be. What it does not know changes nothing."""
        form = query.get("encoding", "")
        if form not in ENCODINGS:
            raise RefusedError(400, f"encoding is one of {', '.join(ENCODINGS)}, not '{form}'", "", "encoding")
        language = query.get("language", "")
        if language != "multi":
            host.check_language(language)
        if _flag(query, "multichannel"):
            raise RefusedError(400, "channels are mixed here; connect once for each", "", "multichannel")
        return cls(
            ENCODINGS[form],
            _number(query, "sample_rate", MIN_RATE, MAX_RATE),
            _number(query, "channels", 1, CHANNELS, "1"),
            interim=_flag(query, "interim_results"),
            written=_flag(query, "punctuate") or _flag(query, "smart_format"),
            starts=_flag(query, "vad_events"),
            ends="utterance_end_ms" in query,
        )


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in ("true", "1")


def _number(query: Mapping[str, str], name: str, least: int, most: int, default: str = "") -> int:
    given = query.get(name, default)
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and least <= int(given) <= most):
        raise RefusedError(400, f"{name} lies from {least} to {most}, and is not '{given[:20]}'", "", name)
    return int(given)
