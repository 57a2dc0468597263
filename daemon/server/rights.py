"""Which requests each role may make."""

from asrd.core import control
from asrd.core.control import AnyRequest
from asrd.core.errors import AsrdError
from asrd.core.roles import Role, Roles, may, ordered

RIGHTS: dict[type[AnyRequest], Role] = {
    control.GetStatus: Role.LISTEN,
    control.Replay: Role.LISTEN,
    control.Recall: Role.LISTEN,
    control.Since: Role.LISTEN,
    control.GetPosition: Role.LISTEN,
    control.Acknowledge: Role.LISTEN,
    control.GetSettings: Role.LISTEN,
    control.ListWords: Role.LISTEN,
}
"""The role that each request needs; those that are not here need `control`."""


def check(roles: Roles, request: AnyRequest) -> None:
    """Raise AsrdError for a request that someone with these roles may not make."""
    wanted = RIGHTS.get(type(request), Role.CONTROL)
    if not roles:
        raise AsrdError("this key is not admitted any more; ask for one: asrd key new NAME")
    if not may(roles, wanted):
        has = " and ".join(ordered(roles))
        raise AsrdError(
            f"this key may {has} only; ask for one with the role {wanted}: asrd key new NAME --role {wanted}"
        )
