"""Describe differences between a recording and its replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from asrd.core.events import Final
from asrd.core.units import seconds
from asrd.daemon.replay.replay import Pair


def difference(pair: Pair) -> str:
    """Return one line on how two payloads differ, beginning with the event and ending with the values."""
    recorded, made = (msgspec.json.decode(payload) if payload else {} for payload in (pair.recorded, pair.made))
    event = recorded or made
    number = f" {event['utterance']}" if "utterance" in event else ""
    where = f" at {seconds(event['start']):.2f} s" if "start" in event else ""
    name = f"{event['stream']}: {event['type']}{number}{where}"
    if not pair.recorded or not pair.made:
        return f"{name} is only in the {'recording' if pair.recorded else 'replay'}"
    path, then, now = next(_leaves(recorded, made, ""), ("", "", ""))
    return f"{name}: {path} was {_short(then)}, now it is {_short(now)}"


def _leaves(then: Any, now: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the path and both values wherever two JSON values differ."""
    match then, now:
        case dict(), dict():
            for key in {**then, **now}:
                yield from _leaves(then.get(key), now.get(key), f"{path}.{key}".lstrip("."))
        case list(), list():
            for index, (before, after) in enumerate(zip(then, now, strict=False)):
                yield from _leaves(before, after, f"{path}[{index}]")
            if len(then) != len(now):
                yield f"length of {path}", len(then), len(now)
        case _:
            if then != now or type(then) is not type(now):
                yield path, then, now


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}…"


@dataclass(frozen=True, slots=True)
class Change:
    """A span `[start, end)` of a stream, with its recorded and its new text."""

    start: int
    end: int
    recorded: str
    now: str


def changes(recorded: Sequence[Final], now: Sequence[Final]) -> list[Change]:
    """Return the spans where the text differs. Utterances that overlap in time form one span."""
    tagged = [(item.start, item.end, side, item.text) for side, items in enumerate((recorded, now)) for item in items]
    stretches: list[tuple[int, int, tuple[list[str], list[str]]]] = []
    for start, end, side, text in sorted(tagged):
        if not stretches or start >= stretches[-1][1]:
            stretches.append((start, end, ([], [])))
        first, last, texts = stretches[-1]
        texts[side].extend([text] if text else [])
        stretches[-1] = (first, max(last, end), texts)
    joined = [Change(start, end, " ".join(then), " ".join(after)) for start, end, (then, after) in stretches]
    return [change for change in joined if change.recorded != change.now]
