"""Transcribe a recording again: the same audio, with whatever backend, model, settings or code there is now.

Settings and hot words that changed while it was recorded change again at the same places.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from asrd.backends import Backend
from asrd.core.errors import AsrdError
from asrd.core.events import Final
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import Boosts, make_decoding
from asrd.daemon.replay import environment
from asrd.daemon.replay.detector import RecordedVad
from asrd.daemon.replay.overrides import Overrides
from asrd.daemon.replay.takes import Take
from asrd.daemon.replay.ungated import Finals, UngatedScheduler, UngatedSource
from asrd.daemon.stream.stream import Stream, make_stream
from asrd.daemon.vad import create


def retranscribe(
    takes: Iterable[Take],
    backend: Backend,
    options: RecognitionOptions,
    names: Collection[str] = (),
    boosts: Boosts | None = None,
) -> Iterator[Final]:
    """Yield the finals made of takes now.

    takes: of one stream, in order. For the other arguments, see `Overrides`. Raises AsrdError if the backend fails,
    UsageError if a setting of `names` contradicts one that was changed while recording.
    """
    decoding = make_decoding(options.decoding, backend.model)
    overrides = Overrides(backend, options, frozenset(names), boosts, decoding)
    stretch = 0

    def number(take: Take) -> int:
        nonlocal stretch
        stretch += not take.follows
        return stretch

    for _, group in groupby(takes, number):
        yield from _group(group, overrides)


def _group(group: Iterable[Take], overrides: Overrides) -> Iterator[Final]:
    """Transcribe takes that follow each other without a break: one stream."""
    loop, outlet, scheduler = asyncio.new_event_loop(), Finals(), UngatedScheduler(overrides)
    source: UngatedSource | None = None
    try:
        for take in group:
            if source is None:
                source = UngatedSource(take)
                stream, vad = _begin(take, source, scheduler, outlet, overrides)
                running = loop.create_task(stream.run())
            vad.expect(take.records)
            scheduler.expect(take)
            loop.run_until_complete(source.play(take, running, stream, overrides))
            yield from outlet.taken()
        if source:
            loop.run_until_complete(source.end(running))
            if stream.failure:
                raise AsrdError(stream.failure)
            yield from outlet.taken()
    finally:
        scheduler.close()
        loop.close()


def _begin(
    take: Take, source: UngatedSource, scheduler: UngatedScheduler, outlet: Finals, overrides: Overrides
) -> tuple[Stream, RecordedVad]:
    """Begin a stream. If the audio will be cut as it was, continue from the recorded state; else begin anew, with the
    settings that were in force there.
    """
    then, model, options = environment.options(take.begin), overrides.backend.model, overrides.options
    used = take.begin.state.settings.restored() if take.begin.state else then.segmenter
    options = replace(options, segmenter=overrides.settings(used))
    then = replace(then, backend=options.backend, load=options.load, model=options.model, segmenter=used)
    following = options == then and take.begin.index != 0
    vad = RecordedVad(create(options.vad), following=following, strict=False)
    stream = make_stream(
        source, options, scheduler, outlet, model, decoding=overrides.decoding, hot=lambda: scheduler.boosts, vad=vad
    )
    if following and take.begin.state:
        stream.resume(take.begin.state)
        source.reason = ""
    return stream, vad
