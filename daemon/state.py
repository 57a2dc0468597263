"""Base classes of state that determines how a stream continues: each class that carries some declares it and has it
recorded.
"""

from typing import Protocol, TypeVar

import msgspec


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all structures that recordings refer to by field names.

    A recording has all field names and no others; the attributes they are taken from may have any name. So adding,
    renaming or dropping a field requires raising `asrd.daemon.recorder.records.FORMAT`.
    """


S = TypeVar("S", bound=State)


class Stateful(Protocol[S]):
    """A class that carries state from one utterance to the next. What it holds of an open utterance is not part of
    the state.
    """

    def state(self) -> S:
        """Return the state. Only while no utterance is open."""
        ...

    def resume(self, state: S) -> None:
        """Continue from the state of another instance. Only for an instance built alike that has heard nothing yet."""
        ...
