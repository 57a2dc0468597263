"""What decides how a stream goes on, declared: each class that carries some says what, and has it recorded as that."""

from typing import Protocol, TypeVar

import msgspec


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all that recordings call by name.

    A recording has the names of fields, all of them and no others; the attributes that they are taken from may be
    called anything. So whoever adds, renames or drops a field raises `asrd.daemon.recorder.records.FORMAT`.
    """


S = TypeVar("S", bound=State)


class Stateful(Protocol[S]):
    """Carries something from one utterance to the next. What it holds of an utterance that is open is no part of it."""

    def state(self) -> S:
        """What it carries now. Only while no utterance is open."""
        ...

    def resume(self, state: S) -> None:
        """Go on as the one did whose state it was. Only where this one was built alike, and has heard nothing yet."""
        ...
