"""A subscriber gets what it missed: before it came, while it was slow, and while there was no daemon."""

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from asrd.clients import AsyncSubscriber, Hole, Subscriber
from asrd.clients import following as following_module
from asrd.clients import subscriber as subscriber_module
from asrd.core.addresses import beside
from asrd.core.errors import TransportError, UsageError
from asrd.core.events import Error, Heartbeat, Status
from asrd.daemon.journal.store import Store
from asrd.daemon.server import history

from .service import Service, serving


def told(items: Any) -> Iterator[str]:
    """The messages of errors, and the ranges of holes."""
    for item in items:
        if isinstance(item, Hole):
            yield f"{item.first}-{item.last}"
        elif isinstance(item, Error):
            yield item.message


def take(subscriber: Subscriber, count: int) -> list[str]:
    """Take the next messages. The last one is not acknowledged."""
    return list(islice(told(subscriber), count))


def joined(subscriber: Subscriber) -> Subscriber:
    """Wait until it is connected."""
    assert isinstance(next(iter(subscriber)), Status)
    return subscriber


def test_past_events_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by time, from memory and from the journal, in several answers, and none twice."""
    monkeypatch.setattr(history, "REMEMBERED", 5)
    monkeypatch.setattr(history, "REPLAYED_BYTES", 300)
    with serving(tmp_path) as service:
        service.publish(*map(str, range(10)))
        time.sleep(0.01)
        middle = datetime.now()
        service.publish(*map(str, range(10, 20)))
        with Subscriber(service.events, since=3) as numbered, Subscriber(service.events, since=middle) as timed:
            assert take(numbered, 17) == [str(number) for number in range(3, 20)]
            assert take(timed, 10) == [str(number) for number in range(10, 20)]
            service.publish("live")
            assert take(numbered, 1) == take(timed, 1) == ["live"]
        with Subscriber(service.events, since=10**15) as early:
            joined(early)


def test_a_restart_of_any_length_leaves_no_hole(tmp_path: Path) -> None:
    """Between two lives that it hears, daemons come and go that it cannot hear."""
    troubles: list[TransportError] = []
    with serving(tmp_path) as service:
        subscriber = joined(Subscriber(service.events, max_wait=0.2, waiting=troubles.append))
        service.publish("0")
        service.stop(said=False)
    for number in (1, 2, 3):
        with serving(tmp_path, events="elsewhere") as unheard:
            unheard.publish(Heartbeat(uptime=0.0), f"{number}", Heartbeat(uptime=0.0))
    again = Service(tmp_path)
    threading.Timer(1.0, again.start).start()
    with subscriber:
        assert take(subscriber, 4) == list("0123")
        again.publish("4")
        assert take(subscriber, 1) == ["4"]
    again.stop()
    assert len(troubles) == 1  # told once, however long it takes
    assert "has stopped responding" in str(troubles[0])


def test_a_daemon_without_a_journal_counts_anew_and_is_heard_from_its_beginning(tmp_path: Path) -> None:
    with serving(tmp_path, journal=False) as service:
        subscriber = joined(Subscriber(service.events, max_wait=0.2))
        service.publish("0")
        assert take(subscriber, 1) == ["0"]
        service.stop()
    with subscriber:
        for count in (1, 20):  # with fewer numbers, and with more, than the subscriber has seen
            with serving(tmp_path, journal=False) as service:
                service.publish(*[f"early {count}"] * count)
                assert take(subscriber, count) == [f"early {count}"] * count
                service.stop()


def test_what_a_slow_subscriber_missed_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber_module, "HIGH_WATER_MARK", 10)
    monkeypatch.setattr("asrd.daemon.server.publisher.HIGH_WATER_MARK", 10)
    count = 3000
    with serving(tmp_path) as service, joined(Subscriber(service.events)) as subscriber:
        asyncio.run_coroutine_threadsafe(many(service, count), service._loop).result(30)
        service.publish("the end")
        service.stop()  # which says so, after all
        with serving(tmp_path):
            assert take(subscriber, count + 1) == [*(f"{number:2000}" for number in range(count)), "the end"]


async def many(service: Service, count: int) -> None:
    await asyncio.gather(*(service.publisher.publish(Error(message=f"{number:2000}")) for number in range(count)))


def test_what_was_deleted_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        service.publish(*map(str, range(10)))
    with Store(tmp_path / "journal.sqlite") as store:
        store.commit([("DELETE FROM events WHERE seq < 6", ()), ("UPDATE facts SET value = 6 WHERE name = 'kept'", ())])
    with serving(tmp_path) as service, Subscriber(service.events, since=2) as subscriber:
        assert take(subscriber, 5) == ["2-5", "6", "7", "8", "9"]
        with Subscriber(service.events, name="new") as new:
            assert take(new, 4) == ["6", "7", "8", "9"]


def test_a_consumer_with_a_name_gets_each_event_once(tmp_path: Path) -> None:
    """It comes and goes, and so does the daemon. One that leaves within an event gets this one again."""
    seen: list[str] = []
    for turn in range(4):
        with serving(tmp_path) as service:
            service.publish(*(f"{turn}{number}" for number in range(5)))
            for amount in (2, 4):
                with Subscriber(service.events, name="archive") as subscriber:
                    new = take(subscriber, amount)
                    assert not seen or new[0] == seen[-1]
                    seen += new[1:] if seen else new
    assert seen == [f"{turn}{number}" for turn in range(4) for number in range(5)][: len(seen)]
    assert len(seen) == 2 + 3 + 3 * 4 - 0


def test_an_event_is_acknowledged_when_the_next_is_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        service.publish("0", "1", "2")
        with Subscriber(service.events, name="archive", streams=["a"]) as subscriber:
            items = told(subscriber)
            assert [next(items) for _ in range(2)] == ["0", "1"]
            position = asyncio.run_coroutine_threadsafe(position_of(service, "archive"), service._loop)
            assert position.result(5) == 0


async def position_of(service: Service, name: str) -> int | None:
    return service.publisher.history.position(name)


def test_positions_need_a_journal(tmp_path: Path) -> None:
    with (
        serving(tmp_path, journal=False) as service,
        Subscriber(service.events, name="archive") as subscriber,
        pytest.raises(UsageError, match="keeps no journal"),
    ):
        next(iter(subscriber))


def test_where_nobody_answers_what_is_missing_is_told_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "PATIENCE", 0.1)
    monkeypatch.setattr("asrd.clients.control.Control.__init__.__defaults__", (None, 0.1, None))
    troubles: list[TransportError] = []
    with serving(tmp_path, control=False) as service:
        service.publish("0", "1")
        with Subscriber(service.events, since=0, waiting=troubles.append) as subscriber:
            thread = threading.Thread(target=lambda: [(time.sleep(0.1), service.publish("x")) for _ in range(10)])
            thread.start()
            [hole] = take(subscriber, 1)
            thread.join()
    assert hole.startswith("0-")
    assert "does not answer" in str(troubles[0])


async def test_it_is_the_same_for_asyncio(tmp_path: Path) -> None:
    service = await asyncio.to_thread(Service(tmp_path).start)
    await asyncio.to_thread(service.publish, "0", "1")
    seen: list[str] = []
    async with AsyncSubscriber(service.events, name="archive", max_wait=0.2) as subscriber:
        async for item in subscriber:
            seen += told([item])
            if seen == ["0", "1"]:
                await asyncio.to_thread(service.stop)
                service = await asyncio.to_thread(Service(tmp_path).start)
                await asyncio.to_thread(service.publish, "2")
                seen.append("restarted")
            if seen[-1:] == ["2"]:
                break
    await asyncio.to_thread(service.stop)
    assert seen == ["0", "1", "restarted", "2"]


@pytest.mark.parametrize(
    ("events", "control", "reached"),
    [
        ("ipc:///run/e", "ipc:///run/c", "ipc:///run/c"),
        ("ipc:///run/e", "tcp://0.0.0.0:7", "tcp://127.0.0.1:7"),
        ("tcp://127.0.0.1:1", "ipc:///run/c", "ipc:///run/c"),
        ("tcp://desk:1", "tcp://0.0.0.0:7", "tcp://desk:7"),
        ("tcp://[fe80::1]:1", "tcp://[::]:7", "tcp://[fe80::1]:7"),
        ("tcp://desk:1", "tcp://10.0.0.7:7", "tcp://10.0.0.7:7"),
        ("tcp://desk:1", "tcp://127.0.0.1:7", ""),
        ("tcp://desk:1", "ipc:///run/c", ""),
    ],
)
def test_where_requests_are_taken_is_found_from_afar(events: str, control: str, reached: str) -> None:
    assert beside(events, control) == reached
