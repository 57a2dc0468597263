"""Bug reports as tests, in one line:

from asrd.daemon.replay.testing import assert_replays, transcripts

def test_what_was_reported():
    assert_replays("report.asrd")                       # same events as recorded
    assert transcripts("report.asrd") == ["HELLO"]      # or: the text it should have had
"""

from collections.abc import Iterator
from pathlib import Path

from asrd.backends import load
from asrd.core.events import Final
from asrd.daemon.replay import environment
from asrd.daemon.replay.compare import difference
from asrd.daemon.replay.replay import Player
from asrd.daemon.replay.retranscribe import retranscribe
from asrd.daemon.replay.takes import takes


def assert_replays(recording: str | Path) -> int:
    """Assert that every event is made again to the bit; return their number. Raises AssertionError at the first
    difference.

    Needs the model of the recording, and a machine with the same arithmetic as the one it was made on.
    """
    events, backends = 0, environment.Backends()
    for take in takes(Path(recording)):
        model = environment.model(take.begin)
        environment.check(take.begin, model)
        for pair in Player(model, backends.of(model, environment.options(take.begin))).play(take):
            if not pair.same:
                raise AssertionError(difference(pair))
            events += 1
    backends.close()
    return events


def finals(recording: str | Path, backend: str = "") -> Iterator[Final]:
    """Yield the finals of a recording transcribed now, with the backend it began with, or another."""
    for take in takes(Path(recording)):
        model, options = environment.model(take.begin), environment.options(take.begin)
        loaded = load(backend or options.backend, model, options.load)
        yield from retranscribe([take], loaded, options)
        loaded.close()


def transcripts(recording: str | Path, backend: str = "") -> list[str]:
    """Return the text of each of `finals`."""
    return [final.text for final in finals(recording, backend)]
