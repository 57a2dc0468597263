"""Hours of speech: memory stays flat, and nothing is lost."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from asrd.clients.sender import Sender
from asrd.core.events import Final, Gap
from asrd.core.units import SAMPLE_RATE

from .conftest import SOAK, Count, Victim, unended
from .speech import sentences

HOURS = 8.0 if SOAK else 0.05
GROWTH = 0.05
"""Share of its memory that a daemon may gain between the first quarter and the end."""


@pytest.mark.slow
def test_memory_stays_flat_while_it_hears(tmp_path: Path, count: Count) -> None:
    """The audio comes as fast as it is taken."""
    victim, audio = Victim(tmp_path), sentences(20)
    process, memory = psutil.Process(victim.process.pid), []
    rounds = int(HOURS * 3600 * SAMPLE_RATE / len(audio)) + 1
    try:
        with Sender(f"ipc://{victim.paths['audio']}", timeout=60, waits=True) as sender:
            for _ in range(rounds):
                sender.send(audio)
                memory.append(process.memory_info().rss)
        with victim.events() as events:
            while victim.control.status().streams["unix"].position < rounds * len(audio):
                next(events)
        victim.process.terminate()
        assert victim.process.wait(20) == 0
        published = victim.published()
    finally:
        victim.end()
    settled = float(np.median(memory[len(memory) // 4 : len(memory) // 2 + 1]))
    growth = float(np.median(memory[-max(1, len(memory) // 4) :])) / settled - 1
    finals = [event for event in published if isinstance(event, Final)]
    assert unended(published) == (0, 0)
    assert not [event for event in published if isinstance(event, Gap)]
    assert len(finals) >= 20 * rounds
    if SOAK:
        assert growth < GROWTH
    count(
        hours=round(rounds * len(audio) / SAMPLE_RATE / 3600, 2),
        finals=len(finals),
        memory_in_MiB=round(settled / 2**20),
        growth_in_percent=round(100 * growth, 1),
        gaps=0,
    )
