"""What a listener asks for, in the query of its address."""

import math
import re
from dataclasses import dataclass
from typing import Self, get_args

from starlette.datastructures import QueryParams

from asrd.core.events import DAEMON_STREAM, AnyEvent
from asrd.gateway.errors import RefusedError

TYPES = frozenset(kind.__name__.lower() for kind in get_args(AnyEvent))


@dataclass(frozen=True, slots=True)
class Mark:
    """The last event that a listener has. daemon: who published it; "" if that is not told."""

    seq: int
    daemon: str = ""

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Return the mark that a text such as "1234" or "1234@3f2a9c01d4e5" means. Raises RefusedError for others."""
        found = re.fullmatch(r"(-?\d{1,18})(?:@(\w{0,64}))?", text, re.ASCII)
        if not found:
            raise RefusedError(400, f"'{text[:64]}' is no event; name one by its seq, such as 1234", "", "since")
        return cls(int(found[1]), found[2] or "")

    def __str__(self) -> str:
        return f"{self.seq}@{self.daemon}"


@dataclass(frozen=True, slots=True)
class Wish:
    """streams: their names; none for all. The daemon's own events belong to each. types: those of events; none for all.
    since: what comes after this event. ago: seconds; what came in them, if `since` is None.
    """

    streams: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    since: Mark | None = None
    ago: float | None = None

    @classmethod
    def read(cls, query: QueryParams, last: str = "") -> Self:
        """Return what a query asks for. last: the mark of a listener that comes again, before its query. Raises
        RefusedError for what cannot be.
        """
        types, since = _listed(query, "types"), last or query.get("since", "")
        if strange := types - TYPES:
            message = f"there are no events of type '{min(strange)[:64]}', but {', '.join(sorted(TYPES))}"
            raise RefusedError(400, message, "", "types")
        return cls(_listed(query, "stream"), types, Mark.parsed(since) if since else None, _seconds(query.get("ago")))

    def admits(self, stream: str, kind: str) -> bool:
        """Return whether an event of a stream and a type is asked for."""
        return (not self.types or kind in self.types) and (
            not self.streams or stream in self.streams or stream == DAEMON_STREAM
        )


def _listed(query: QueryParams, name: str) -> frozenset[str]:
    """Return the words of a parameter that may be repeated, or hold several, with commas between them."""
    return frozenset(word.strip() for value in query.getlist(name) for word in value.split(",") if word.strip())


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise RefusedError(400, f"'{text[:64]}' is no number of seconds", "", "ago")
    return found
