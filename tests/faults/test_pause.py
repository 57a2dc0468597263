"""A pause of a running daemon: what is said in it is nowhere."""

import signal
from pathlib import Path

from asrd.core.events import Final, Gap, Partial, Paused, Resumed

from .conftest import Victim, unended
from .speech import playing, sentences


def test_what_is_said_in_a_pause_is_not_heard_and_no_gap(tmp_path: Path) -> None:
    victim, audio = Victim(tmp_path), sentences(3)
    try:
        with victim.events() as events, playing(f"ipc://{victim.paths['audio']}", audio, speed=4):
            while not isinstance(next(events), Partial):
                pass
            assert victim.control.pause(on=None, stream="unix") == {"unix": True}
            while not isinstance(begin := next(events), Paused):
                pass
            streams = victim.control.status().streams
            assert (streams["unix"].paused, streams["tcp"].paused) == (True, False)
            assert victim.control.pause(on=True, stream="tcp") == {"tcp": True}
            victim.process.send_signal(signal.SIGUSR1)  # all were paused
            while not isinstance(end := next(events), Resumed):
                pass
        with victim.events() as events:
            while victim.control.status().streams["unix"].position < len(audio):
                next(events)
        victim.process.send_signal(signal.SIGTERM)
        assert victim.process.wait(10) == 0
        published = victim.published()
    finally:
        victim.end()
    assert 0 < begin.position < end.position < len(audio)
    spans = [(event.start, event.end) for event in published if isinstance(event, Final)]
    assert spans
    assert all(last <= begin.position or first >= end.position for first, last in spans)
    assert not [event for event in published if isinstance(event, Gap)]
    assert unended(published) == (0, 0)
