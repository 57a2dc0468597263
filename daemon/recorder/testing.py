"""Bug reports as tests, in one line:

from asrd.daemon.recorder.testing import assert_replays, transcripts

def test_what_was_reported():
    assert_replays("report.asrd")                       # it says what it said then
    assert transcripts("report.asrd") == ["HELLO"]      # or: what it should have said
"""

from collections.abc import Iterator
from pathlib import Path

from asrd.backends import load
from asrd.core.events import Final
from asrd.daemon.recorder import equipment
from asrd.daemon.recorder.compare import difference
from asrd.daemon.recorder.rehear import rehear
from asrd.daemon.recorder.replay import Player
from asrd.daemon.recorder.takes import takes


def assert_replays(recording: str | Path) -> int:
    """Every event is made again to the bit; returns how many. Raises AssertionError at the first that is not.

    Needs the model of the recording, and a machine that computes as the one it was made on.
    """
    events, backends = 0, equipment.Backends()
    for take in takes(Path(recording)):
        model = equipment.model(take.begin)
        equipment.check(take.begin, model)
        for pair in Player(model, backends.of(model, equipment.options(take.begin))).play(take):
            if not pair.same:
                raise AssertionError(difference(pair))
            events += 1
    backends.close()
    return events


def finals(recording: str | Path, backend: str = "") -> Iterator[Final]:
    """What is said now where the recording is heard; by the backend it began with, or another."""
    for take in takes(Path(recording)):
        model, options = equipment.model(take.begin), equipment.options(take.begin)
        loaded = load(backend or options.backend, model, options.load)
        yield from rehear([take], loaded, options)
        loaded.close()


def transcripts(recording: str | Path, backend: str = "") -> list[str]:
    """The text of each of `finals`."""
    return [final.text for final in finals(recording, backend)]
