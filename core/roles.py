"""What a client may do, where a daemon requires a key."""

from collections.abc import Set as AbstractSet
from enum import StrEnum


class Role(StrEnum):
    """listen: hear events and ask for past ones. speak: send audio. control: all of that, settings and stopping too."""

    LISTEN = "listen"
    SPEAK = "speak"
    CONTROL = "control"


Roles = AbstractSet[Role]

EVERY: Roles = frozenset(Role)
NONE: Roles = frozenset()


def may(roles: Roles, wanted: Role) -> bool:
    """Return whether someone with these roles may do what `wanted` may."""
    return wanted in roles or Role.CONTROL in roles


def ordered(roles: Roles) -> list[str]:
    """List roles by name, in the order in which they are declared."""
    return [role.value for role in Role if role in roles]
