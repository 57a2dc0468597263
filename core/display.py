"""Text that is safe to show on a terminal and to write to a log, whoever wrote it.

Words, names and messages come from models, other machines and files. A terminal obeys what is in them: it may be
cleared, given another title, or made to show text in another order. In a log a line break begins a line of its own.
"""

import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""C0 and C1 controls, among them those that begin escape sequences, line separators, and changes of direction."""


def shown(text: str, keep: str = "") -> str:
    r"""Replace each control character by its escape, such as \u001b; to JSON it is the same. keep: some to leave."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else f"\\u{ord(found[0]):04x}", text)
