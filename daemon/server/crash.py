"""Close what a daemon that crashed left open, and note what the next one would have to know."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec

from asrd.core import events
from asrd.core.events import Final, Gap, Partial, Started
from asrd.core.script import ends
from asrd.core.units import Samples
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writer
from asrd.daemon.journal.changes import Heard
from asrd.daemon.journal.journal import Journal
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.stream import transcript
from asrd.daemon.stream.stream import Stream

INTERVAL = 0.2
"""Seconds between two notes of how far a stream was heard, while someone speaks or sends."""

REASON = "crash"


async def conclude(journal: Journal, publisher: Publisher, style: Style) -> None:
    """Publish a final for every utterance that a crash left open, and a gap for what was not heard of it. style: of
    the text for people.
    """
    left = defaultdict[str, list[Started | Partial]](list)
    for payload in journal.open:
        known = events.decode(payload.encode())
        if isinstance(known, Started | Partial):
            left[known.stream].append(known)
    for stream, open_ in left.items():
        for daemon, event in endings(open_, journal.heard.get(stream), style):
            await publisher.publish_for(daemon, event, stream)


def endings(open_: Sequence[Started | Partial], heard: Heard | None, style: Style) -> Iterator[tuple[str, Gap | Final]]:
    """Yield the events that end a stream's open utterances, each with its daemon. open_: what is known of each, in
    order. heard: how far the stream was heard. style: of the text for people.
    """
    for known, following in pairwise([*open_, None]):
        assert known
        sure = _settled(known, style)
        reached = known.end if isinstance(known, Partial) else known.start
        if heard and heard.daemon == known.daemon:
            reached = max(reached, heard.position)
        end = max(sure.end, min(reached, following.start) if following else reached)
        if end > sure.end:
            yield known.daemon, Gap(start=sure.end, end=end, reason="the daemon crashed")
        yield (
            known.daemon,
            transcript.final(sure, end=end, speech_end=sure.end, backend=sure.backend, reason=REASON),
        )


def _settled(known: Started | Partial, style: Style) -> Partial:
    """Return the part of what was known that would not have changed."""
    if isinstance(known, Started):
        return transcript.unheard(known.utterance, Samples(known.start), "", known.time)
    stable = [last for last in ends((word.word for word in known.words), known.text) if last <= known.stable]
    words, text = known.words[: len(stable)], known.text[: stable[-1] if stable else 0]
    end = words[-1].end if words else known.start
    shown, display = known.display[: known.display_stable], Writer(style).final(words, REASON)
    if not display.startswith(shown):  # the daemon that crashed had another style, or was within a sentence
        display = shown
    return msgspec.structs.replace(known, words=words, text=text, stable=len(text), end=end, display=display)


async def take_notes(journal: Journal, publisher: Publisher, streams: Iterable[Stream]) -> None:
    """Note how far streams were heard, until cancelled, and once more then."""
    ended = False
    while not ended:
        try:
            await asyncio.sleep(INTERVAL)
        except asyncio.CancelledError:
            ended = True
        for stream in streams:
            note(journal, publisher, stream)


def note(journal: Journal, publisher: Publisher, stream: Stream) -> None:
    """Note how far a stream was heard, if the next daemon has to know."""
    source = stream.source
    if source.sent[0] or not stream.idle:
        journal.hears(source.stream, Heard(publisher.daemon, stream.status.position, *source.sent))
