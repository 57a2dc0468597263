"""Events are written before they are published, and go on where the disk does not."""

import asyncio
import resource
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq
import zmq.asyncio

from asrd.core import events
from asrd.core.control import Acknowledge, GetPosition, Recall, Since
from asrd.core.errors import UsageError
from asrd.core.events import AnyEvent, Error, Heartbeat, decode
from asrd.daemon.journal import journal as journal_module
from asrd.daemon.journal import writer
from asrd.daemon.journal.journal import Journal
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.journal.store import Change, Store
from asrd.daemon.server import history
from asrd.daemon.server.publisher import Publisher


class Service:
    """A publisher with a journal, a subscriber that has joined, and what went wrong."""

    def __init__(self, publisher: Publisher, journal: Journal, socket: "zmq.asyncio.Socket") -> None:
        self.publisher, self.journal, self._socket = publisher, journal, socket
        self.troubles: list[str] = []

    async def complain(self, message: str) -> None:
        self.troubles.append(message)

    async def received(self) -> AnyEvent:
        return decode((await asyncio.wait_for(self._socket.recv_multipart(), 10))[1])

    def heard_nothing(self) -> bool:
        try:
            self._socket.recv_multipart(zmq.NOBLOCK).result()
        except (zmq.Again, asyncio.InvalidStateError):
            return True
        return False


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Service]:
    context = zmq.asyncio.Context()
    publisher = Publisher(context, [f"ipc://{folder}/e"])
    journal = await Journal.start(JournalOptions(folder / "j.sqlite"))
    publisher.begin(journal)
    socket = context.socket(zmq.SUB)
    socket.set(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{folder}/e")
    await publisher.joined()
    service = Service(publisher, journal, socket)
    reporting = asyncio.create_task(journal.report(service.complain))
    yield service
    reporting.cancel()
    journal.close(5.0)
    publisher.close()
    context.destroy(linger=0)


def kept(folder: Path) -> list[str]:
    """The messages in the journal, read by someone else."""
    with Store(folder / "j.sqlite") as store:
        return [msgspec.json.decode(one)["message"] for one in store.read(0, 1 << 62).payloads]


def refusing(monkeypatch: pytest.MonkeyPatch, errors: Iterable[Exception | None]) -> None:
    """Have the next commits fail so, and later ones succeed."""
    commit, left = Store.commit, list(errors)

    def refuse(self: Store, changes: Iterable[Change]) -> None:
        if left and (error := left.pop(0)):
            raise error
        commit(self, changes)

    monkeypatch.setattr(Store, "commit", refuse)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.01)


async def test_an_event_that_was_received_is_on_the_disk(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        for number in range(20):
            await asyncio.gather(
                service.publisher.publish(Error(message=f"{number}")), service.publisher.publish(Heartbeat(uptime=0.0))
            )
            assert isinstance(await service.received(), Error)
            assert kept(tmp_path)[-1] == f"{number}"
            assert (await service.received()).seq == 2 * number + 1
        assert service.troubles == []


async def test_nothing_overtakes_an_event_that_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MOMENT", 60.0)
    release, commit = threading.Event(), Store.commit

    def slow(self: Store, changes: Iterable[Change]) -> None:
        release.wait(10)
        commit(self, changes)

    monkeypatch.setattr(Store, "commit", slow)
    async with serving(tmp_path) as service:
        publishing = [asyncio.create_task(service.publisher.publish(Error(message="first")))]
        publishing += [asyncio.create_task(service.publisher.publish(Heartbeat(uptime=0.0))) for _ in range(9)]
        await asyncio.sleep(0.1)
        assert service.heard_nothing()  # and the loop was not blocked, or this would come too late
        release.set()
        assert [(await service.received()).seq for _ in range(10)] == list(range(10))
        await asyncio.gather(*publishing)


async def test_numbers_go_on_over_restarts_and_crashes(tmp_path: Path) -> None:
    """A crash is a copy of the files while they are in use."""
    async with serving(tmp_path) as service:
        await service.publisher.publish(Error(message="one"))
        for _ in range(7):
            await service.publisher.publish(Heartbeat(uptime=0.0))
        await asyncio.to_thread(shutil.copytree, tmp_path, tmp_path / "crashed", ignore=shutil.ignore_patterns("e*"))
        first = service.publisher.daemon
    async with serving(tmp_path) as service:
        await service.publisher.publish(Error(message="two"))
        said = await service.received()
        assert (said.seq, said.daemon != first) == (8, True)
    async with serving(tmp_path / "crashed") as service:
        await service.publisher.publish(Error(message="three"))
        assert 8 <= (await service.received()).seq <= journal_module.RESERVE + 8
        assert kept(tmp_path / "crashed") == ["one", "three"]


async def test_a_full_disk_is_told_once_and_what_waited_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.05)
    async with serving(tmp_path) as service:
        refusing(monkeypatch, [sqlite3.OperationalError("database or disk is full")] * 3)
        for number in range(5):
            await service.publisher.publish(Error(message=f"{number}"))
            assert (await service.received()).seq == number
        await until(lambda: len(kept(tmp_path)) == 5)
        [trouble] = service.troubles
    assert "cannot be written (database or disk is full); asrd goes on without, and tries again" in trouble


async def test_a_file_that_may_not_grow_is_as_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with serving(tmp_path) as service:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            for number in range(300):
                await service.publisher.publish(Error(message=f"{number:1000}"))
                assert (await service.received()).seq == number
            assert len(kept(tmp_path)) < 300
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        await until(lambda: len(kept(tmp_path)) == 300)
        assert [message.strip() for message in kept(tmp_path)] == [str(number) for number in range(300)]
        assert len(service.troubles) == 1


async def test_what_waits_for_a_full_disk_is_bounded_and_what_is_given_up_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.5)
    monkeypatch.setattr(writer, "BACKLOG", 3)
    async with serving(tmp_path) as service:
        refusing(monkeypatch, [sqlite3.OperationalError("disk I/O error")])
        for number in range(10):
            await service.publisher.publish(Error(message=f"{number}"))
        await until(lambda: len(kept(tmp_path)) == 3)
        assert kept(tmp_path) == ["7", "8", "9"]
        page = await service.journal.read(0, 9)
        assert page.missing == [(0, 6)]


async def test_numbers_are_not_given_out_again_after_a_full_disk_and_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though there were more of them than can wait for the disk."""
    monkeypatch.setattr(writer, "RETRY", 0.5)
    monkeypatch.setattr(writer, "BACKLOG", 3)
    monkeypatch.setattr(journal_module, "RESERVE", 10)
    async with serving(tmp_path) as service:
        refusing(monkeypatch, [sqlite3.OperationalError("disk I/O error")])
        for number in range(30):
            await service.publisher.publish(Error(message=f"{number}") if number < 10 else Heartbeat(uptime=0.0))
        await until(lambda: kept(tmp_path) == ["7", "8", "9"])
        await asyncio.to_thread(shutil.copytree, tmp_path, tmp_path / "crashed", ignore=shutil.ignore_patterns("e*"))
    async with serving(tmp_path / "crashed") as service:
        assert 30 <= service.journal.first <= 40


async def test_a_disk_that_hangs_holds_events_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MOMENT", 0.05)
    release, commit = threading.Event(), Store.commit

    def hang(self: Store, changes: Iterable[Change]) -> None:
        release.wait(10)
        commit(self, changes)

    monkeypatch.setattr(Store, "commit", hang)
    async with serving(tmp_path) as service:
        for number in range(20):
            await service.publisher.publish(Error(message=f"{number}"))
            assert (await service.received()).seq == number
        release.set()
        await until(lambda: len(kept(tmp_path)) == 20)
        assert len(service.troubles) == 1
        assert "hangs" in service.troubles[0]


async def test_a_journal_that_turns_out_to_be_damaged_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as service:
        await service.publisher.publish(Error(message="one"))
        with Store(tmp_path / "j.sqlite") as store:
            store.checkpoint()
        (tmp_path / "j.sqlite").write_bytes(b"overwritten" * 1000)
        refusing(monkeypatch, [sqlite3.DatabaseError("database disk image is malformed")])
        await service.publisher.publish(Error(message="two"))
        await until(lambda: service.troubles)
        assert f"it is now {tmp_path}/j.sqlite.unusable" in service.troubles[0]
        assert kept(tmp_path) == ["two"]
        assert (await service.journal.read(0, 1)).missing == [(0, 0)]
    async with serving(tmp_path) as service:
        assert service.journal.first > 1
        assert service.troubles == []


async def test_without_room_at_the_start_it_goes_on_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "__init__", raising(sqlite3.OperationalError("unable to open database file")))
        opened = serving(tmp_path)
        service = await opened.__aenter__()
        await service.publisher.publish(Error(message="one"))
        assert (await service.received()).seq > 10**12  # what came before is unknown
        assert "unable to open" in service.troubles[0]
    await until(lambda: not service.journal._writer.failure)
    assert kept(tmp_path) == ["one"]
    await opened.__aexit__(None, None, None)


def raising(error: Exception) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


async def test_heartbeats_do_not_push_out_what_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without a journal; and what memory has no room for is in the journal."""
    monkeypatch.setattr(history, "REMEMBERED", 10)
    context = zmq.asyncio.Context()
    publisher = Publisher(context, [f"ipc://{tmp_path}/other"])
    await publisher.publish(Error(message="kept"))
    for _ in range(history.PASSED + 10):
        await publisher.publish(Heartbeat(uptime=0.0))
    assert b"kept" in bytes((await publisher.history.replay(0, 1 << 40))[0])
    publisher.close()
    context.destroy(linger=0)
    async with serving(tmp_path) as service:
        for number in range(30):
            await service.publisher.publish(Error(message=f"{number}"))
            await service.publisher.publish(Heartbeat(uptime=0.0))
        found: list[str] = []
        first, last = 10, 55
        while first <= last:
            past = await service.publisher.answer(Recall(first, last))
            found += [events.decode(bytes(one)).message for one in past.events]  # type: ignore[union-attr]
            assert past.missing == []
            first = past.last + 1
        assert found == [f"{number}" for number in range(5, 28)]


async def test_a_consumer_s_position_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_NAMES", 2)
    async with serving(tmp_path) as service:
        ask = service.publisher.answer
        for number in range(5):
            await service.publisher.publish(Error(message=f"{number}"))
        assert await ask(GetPosition("archive")) is None
        for seq in (2, 1, 10**15):  # it never goes back, nor beyond what there is
            await ask(Acknowledge("archive", seq))
        await ask(Acknowledge("other", 2))
        assert await ask(GetPosition("archive")) == 4
        with pytest.raises(UsageError, match="positions of 2 consumers are kept"):
            await ask(Acknowledge("third", 2))
        assert await ask(Since(0.0)) == 0
        assert await ask(Since(4e9)) == 5
    async with serving(tmp_path) as service:
        assert await service.publisher.answer(GetPosition("archive")) == 4
        assert await service.publisher.answer(GetPosition("other")) == 2
