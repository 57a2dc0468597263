"""Entry points as plugins: who registers what under which name."""

from collections import defaultdict
from importlib.metadata import EntryPoint, entry_points


def claims(group: str) -> dict[str, list[EntryPoint]]:
    """Who claims which name. More than one claim is a fault: neither is silently preferred."""
    found = defaultdict(list)
    for entry in entry_points(group=group):
        found[entry.name].append(entry)
    return found


def shipper(entry: EntryPoint) -> str:
    """The distribution that registers it, and its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
