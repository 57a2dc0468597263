"""A stream that resumes from a state equals the stream that had it: to the bit, and in all that it holds."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MethodType
from typing import Any

import msgspec
import numpy as np
import pytest

from asrd.core.flow import NOBODY, AudioChunk, FloatArray, Window
from asrd.core.units import MAX_WINDOW, Samples, samples
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import Boosts, DecoderOptions, make_decoding
from asrd.daemon.recorder import tape
from asrd.daemon.recorder.records import Answered, AnyRecord, Begin, Queued, Said
from asrd.daemon.replay.replay import Player
from asrd.daemon.replay.takes import Take
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.segmentation.pauses import Pauses
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.base import Source
from asrd.daemon.stream.state import StreamState
from asrd.daemon.stream.stream import Stream, make_stream
from asrd.models import ModelDirectory

from .chance import Chance, Outlet, Toy, opening, written

APART = {
    "History._buffer": "the room around what it holds",
    "History._offset": "where in that room it is",
    "WindowQueue.skipped": "counted for the status alone",
    "Segmenter._vad": "the tape has what it said",
    "Stream.pause": "the tape has the audio that it lets through",
    "Stream.lag": "the tape has the audio that it lets through",
    "Stream._wanted": "the tape has it next",
    "UtteranceEvents.finished": "counted for the status alone",
    "UtteranceEvents.lost": "counted for the status alone",
}
"""Attributes that no state holds, and why nothing that a stream says depends on them."""

SURROUNDINGS = Scheduler, Source, tape.Tape
"""Types that a stream is built into: a replay has others."""


def differences(one: Any, other: Any, where: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    """Yield the attributes in which two objects differ, at any depth."""
    if one is other or isinstance(one, SURROUNDINGS) or (id(one), id(other)) in seen:
        return
    seen.add((id(one), id(other)))
    if type(one) is not type(other):
        yield where
    elif isinstance(one, MethodType):
        yield from differences(one.__self__, other.__self__, where, seen)
    elif type(one).__module__.startswith("asrd."):
        for name in sorted(attributes(one) | attributes(other)):
            place = f"{type(one).__name__}.{name}"
            if place not in APART:
                yield from differences(getattr(one, name, None), getattr(other, name, None), place, seen)
    elif isinstance(one, list | tuple | deque):
        alike = len(one) == len(other) and getattr(one, "maxlen", 0) == getattr(other, "maxlen", 0)
        pairs = zip(one, other, strict=True) if alike else [(0, 1)]
        for first, second in pairs:
            yield from differences(first, second, where, seen)
    elif isinstance(one, dict):
        yield from differences(list(one.items()), list(other.items()), where, seen)
    elif not np.array_equal(one, other):
        yield where


def attributes(owner: Any) -> set[str]:
    slots = {name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())}
    return slots | set(getattr(owner, "__dict__", {}))


class Deaf(Toy):
    """Hears no words."""

    def infer(self, batch: FloatArray) -> FloatArray:
        silence = np.zeros((len(batch), self.model.geometry.frames(batch.shape[1]), len(self.model.vocabulary)))
        silence[..., self.model.vocabulary.blank] = 5.0
        return silence.astype(np.float32)


@dataclass(frozen=True)
class Case:
    """A case to test. options: of the stream. live: whether its source is live. backend: what answers it. hot: hot
    words.
    """

    options: RecognitionOptions
    live: bool = False
    backend: type[Toy] = Toy
    hot: dict[str, float] = field(default_factory=dict)


def options(vad: str = "webrtc", decoding: DecoderOptions | None = None, **settings: Samples) -> RecognitionOptions:
    decoding = decoding or DecoderOptions("greedy")
    return RecognitionOptions("toy", vad=vad, decoding=decoding, segmenter=SegmenterSettings(**settings))


BEAM = DecoderOptions("beam", beam_width=4)
SEARCH = DecoderOptions("beam", "none", beam_width=4)
SHORTEST = samples(0.20)

CASES = {
    "file": Case(options()),
    "live": Case(options(), live=True),
    "webrtc:0": Case(options("webrtc:0")),
    "energy": Case(options("energy")),
    "silero": Case(options("silero")),
    "beam": Case(options(decoding=BEAM)),
    "hot words": Case(options(decoding=SEARCH), hot={"a": 2.0, "Tea": 3.0}),
    "quick": Case(options(hangover=SHORTEST, min_hangover=SHORTEST, max_hangover=samples(0.4)), live=True),
    "slow": Case(options(hangover=samples(0.8), min_speech=samples(0.3), tail=samples(0.1))),
    "overlong": Case(options(max_utterance=MAX_WINDOW)),
    "no previews": Case(options(partial_interval=Samples(0), pre_roll=Samples(0)), live=True),
    "no words": Case(options("energy"), backend=Deaf),
}


FAR = 3
"""Number of rests from which the stream is heard up to its end."""


class Spoken(Source):
    """Yields speech in chunks of any size, some of which are lost. meanwhile: runs between two of them."""

    meanwhile: Callable[[], Awaitable[None]]

    def __init__(self, sound: FloatArray, chance: random.Random, *, live: bool) -> None:
        super().__init__("a")
        self.live = live
        self._sound = sound
        self._chance = chance

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def chunks(self) -> AsyncIterator[AudioChunk]:
        position = 0
        while position < len(self._sound):
            event, size = self._chance.random(), self._chance.randrange(1, 6000)
            lost = self._chance.randrange(1, 9000) if event < 0.01 else 0
            reason = "lost" if lost else "unplugged" if event < 0.02 else ""
            position += lost
            pcm = self._sound[position : position + size]
            yield AudioChunk(Samples(position), pcm, self._chance.random(), Samples(lost), reason)
            position += len(pcm)
            await self.meanwhile()


class Comparing(tape.RecordingTape):
    """Begins a file at every rest, and compares the stream there with a new one that is given its state.

    found: the differences. ways: reasons for which utterances ended.
    """

    fresh: Callable[[], Stream]

    def __init__(self, begin: Callable[..., Begin]) -> None:
        super().__init__(begin)
        self.found: set[str] = set()
        self.ways: set[str] = set()

    def cut(self, window: Window) -> None:
        super().cut(window)
        self.ways.add("nobody's" if window.utterance == NOBODY else window.reason)

    def rest(self, state: Callable[[], StreamState | None]) -> None:
        self._begin(state())
        assert isinstance(state, MethodType)
        recorded, other = msgspec.msgpack.encode(state()), self.fresh()
        other.resume(msgspec.msgpack.decode(recorded, type=StreamState))
        self.found |= set(differences(state.__self__, other, "Stream", set()))
        if msgspec.msgpack.encode(other.state()) != recorded:
            self.found.add("state")


async def hear(case: Case, sound: FloatArray, model: ModelDirectory) -> Comparing:
    """Return the tape of a stream that heard a sound to its end."""
    chance, options = random.Random(7), case.options
    source, scheduler = Spoken(sound, chance, live=case.live), Chance(case.backend(model), chance)
    record = Comparing(opening(source, options, model))
    outlet, decoding = Outlet(record, chance), make_decoding(options.decoding, model)

    def hot() -> Boosts:
        return case.hot

    def built(record: tape.Tape) -> Stream:
        return make_stream(source, options, scheduler, outlet, model, decoding=decoding, hot=hot, tape=record)

    def fresh() -> Stream:
        other = built(tape.Tape())
        scheduler.queues.pop()
        return other

    async def meanwhile() -> None:
        if chance.random() < 0.4:
            await scheduler.finish(scheduler.queues[0])
        if chance.random() < 0.1:
            was = options.segmenter
            hangover = chance.choice([was.min_hangover, was.hangover, was.max_hangover])
            stream.use(was.changed({"hangover": hangover, "min_speech": chance.choice([1000, 3000])}))

    stream = built(record)
    record.fresh, source.meanwhile = fresh, meanwhile
    await stream.run()
    await scheduler.finish(scheduler.queues[0])
    scheduler.close()
    return record


def rest_of(found: Sequence[Take]) -> Take:
    """Return all takes as one, from the rest where the first begins. Windows are counted from there."""
    records, before = list[AnyRecord](), 0

    def counted(record: AnyRecord) -> AnyRecord:
        if isinstance(record, Answered):
            return msgspec.structs.replace(record, window=record.window + before)
        return record

    for take in found:
        records += map(counted, take.records)
        before += sum(isinstance(record, Queued) for record in take.records)
    return Take(found[0].begin, follows=False, path=found[0].path, records=records, whole=True)


@pytest.fixture(scope="module")
def speech(sentences: list[FloatArray]) -> FloatArray:
    """Make speech with pauses long enough for moments of rest."""
    return np.concatenate([piece for sentence in sentences[1:] for piece in (sentence, np.zeros(12_000, np.float32))])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_stream_goes_on_from_any_rest(
    bundled: ModelDirectory, speech: FloatArray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case
) -> None:
    """It is equal to the bit from each rest to the next, and from some to the end; and it holds nothing that its state
    has not.
    """
    backend, decoding = case.backend(bundled), make_decoding(case.options.decoding, bundled)
    monkeypatch.setattr("asrd.daemon.stream.stream.make_decoding", lambda *_: decoding)  # which takes time to load
    record = asyncio.run(hear(case, speech, bundled))
    assert record.found == set(), "a State lacks these; or APART does, where nothing that is said depends on them"
    found = written(record, tmp_path)
    assert len(found) > FAR
    to_the_end = [rest_of(found[index:]) for index in range(0, len(found), len(found) // FAR)]
    for take in [*found, *to_the_end]:
        pairs = list(Player(bundled, lambda _: backend).play(take))
        assert [pair for pair in pairs if not pair.same] == [], f"from {take.path.name} on"
        assert len(pairs) == sum(isinstance(record, Said) for record in take.records)


def test_utterances_end_in_every_way(bundled: ModelDirectory, speech: FloatArray) -> None:
    cases = [CASES[name] for name in ("live", "overlong", "no words")]
    tapes = [asyncio.run(hear(case, speech, bundled)) for case in cases]
    assert set().union(*(record.ways for record in tapes)) == {"", "silence", "length", "gap", "end", "nobody's"}


def test_what_nobody_declared_is_found(
    bundled: ModelDirectory, speech: FloatArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above would miss nothing, not even an attribute that somebody adds and forgets to declare."""
    spoke = Pauses.speech

    def speech_and_more(self: Pauses, length: int) -> None:
        spoke(self, length)
        self.heard = getattr(self, "heard", 0) + length  # type: ignore[attr-defined]

    monkeypatch.setattr(Pauses, "speech", speech_and_more)
    assert asyncio.run(hear(CASES["file"], speech, bundled)).found == {"Pauses.heard"}
