"""Put measured tables into a page of docs/, between the marks that name them."""

import re
from collections.abc import Sequence
from pathlib import Path


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table; columns of numbers, after those of text, are right-aligned."""
    lines = [
        titles,
        ["---" if not rows or (i < 4 and rows[0][i][:1].isalpha()) else "--:" for i in range(len(titles))],
        *rows,
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def put(page: Path, name: str, text: str) -> None:
    """Replace what lies between `<!-- name -->` and `<!-- /name -->`."""
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    whole, count = pattern.subn(lambda found: f"{found[1]}{text}\n{found[2]}", page.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{page} has no place marked '{name}'")
    page.write_text(whole, encoding="utf-8")
