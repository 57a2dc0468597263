"""Plugins: entry points, and the distributions that register them."""

from collections import defaultdict
from importlib.metadata import EntryPoint, entry_points


def claims(group: str) -> dict[str, list[EntryPoint]]:
    """Return the entry points of a group by name. More than one for a name is a fault: none is silently preferred."""
    found = defaultdict(list)
    for entry in entry_points(group=group):
        found[entry.name].append(entry)
    return found


def shipper(entry: EntryPoint) -> str:
    """Return the name and version of the distribution that registers an entry point."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown"
