"""What each role may reach and ask, and what becomes of those whose key is revoked; tested with real sockets."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import zmq
import zmq.asyncio

from asrd.clients import AsyncSubscriber, Control
from asrd.clients.sender import Sender
from asrd.clients.sequence import Hole
from asrd.core import control
from asrd.core.control import AnyRequest
from asrd.core.errors import AsrdError, TransportError
from asrd.core.events import AnyEvent, Heartbeat
from asrd.core.key import Key, create, find
from asrd.core.roles import EVERY, Role
from asrd.core.roster import Roster, members
from asrd.daemon.server.control import Controller
from asrd.daemon.server.publisher import Publisher
from asrd.daemon.server.rights import RIGHTS, check
from asrd.daemon.sources.network import NetworkSource
from asrd.daemon.transport.access import Access

WHO = [role.value for role in Role] + ["daemon", "stranger", "none"]

GETS_IN = {
    "events": {"listen", "control", "daemon"},
    "pcm": {"speak", "control", "daemon"},
    "control": {"listen", "speak", "control", "daemon"},
}
"""Who may connect to each kind of socket."""

REQUESTS: dict[str, AnyRequest] = {
    "status": control.GetStatus(),
    "recall": control.Recall(0, 1),
    "replay": control.Replay(0, 1),
    "since": control.Since(0.0),
    "position": control.GetPosition("me"),
    "acknowledge": control.Acknowledge("me", 1),
    "settings": control.GetSettings(),
    "words list": control.ListWords(),
    "stop": control.Stop(),
    "reload": control.Reload(),
    "pause": control.SetPause(True),
    "backend use": control.UseBackend("fp16"),
    "settings set": control.SetSettings({}),
    "words add": control.AddWords({"a": 1.0}),
    "words remove": control.RemoveWords(["a"]),
    "words clear": control.ClearWords(),
    "words learn": control.LearnWords(["a"], 1.0),
}

READING = {"status", "recall", "replay", "since", "position", "acknowledge", "settings", "words list"}


class Place:
    """A daemon's sockets on TCP, and the keys of all who try to reach them."""

    def __init__(self, folder: Path) -> None:
        key = create(folder / "asrd.key")
        self.roster = Roster(key)
        self.keys = {"daemon": key.path, "stranger": create(folder / "stranger.key").path, "none": Path("none")}
        for role in Role:
            self.keys[role] = folder / f"{role}.key"
            self.roster.add(role, {role}, self.keys[role])
        self.access = Access(key, clients=members(key))
        self._key = key

    def reload(self) -> None:
        """Admit whom the list names now."""
        self.access.clients.clear()
        self.access.clients.update(members(self._key))

    async def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        """Run a scenario with `publisher`, `controller` and `source` bound."""
        context = zmq.asyncio.Context()
        guard = self.access.guard(context)
        self.publisher = Publisher(context, ["tcp://127.0.0.1:*"], self.access)
        self.controller = Controller(context, "tcp://127.0.0.1:*", self.access)
        self.source = NetworkSource("call", f"tcp://127.0.0.1:{_unused()}", self.access)
        await self.source.open()
        self.heard: list[float] = []
        self._more = asyncio.Event()
        jobs = [self._greet(), self.controller.run(self._answer), self._hear()]
        running = [asyncio.create_task(job) for job in jobs]
        try:
            await scenario()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self.source.close()
            await self.controller.close(1.0)
            self.publisher.close()
            guard.close()
            context.destroy(linger=0)

    async def _greet(self) -> None:
        while True:
            await self.publisher.joined()
            await self.publisher.publish(Heartbeat(uptime=1.0))

    async def _answer(self, request: AnyRequest) -> object:
        return {} if isinstance(request, control.GetSettings) else "reloaded"

    async def _hear(self) -> None:
        async for chunk in self.source.chunks():
            self.heard += np.unique(np.round(chunk.pcm, 2)).tolist()
            self._more.set()

    async def hears(self, value: float) -> None:
        """Wait until a sample is heard."""
        while value not in self.heard:
            await self._more.wait()
            self._more.clear()

    async def events(self, who: str) -> None:
        """Receive an event."""
        async with AsyncSubscriber(
            self.publisher.addresses[0], once=True, timeout=0.7, key=self.keys[who]
        ) as subscriber:
            assert isinstance(await anext(aiter(subscriber)), Heartbeat)

    async def pcm(self, who: str, value: float = 0.5) -> None:
        """Send a tenth of a second of audio."""
        await asyncio.to_thread(self._send, self.keys[who], value)

    def _send(self, key: Path, value: float) -> None:
        with Sender(self.source.address, timeout=0.7, away=0.5, key=key) as sender:
            sender.send(np.full(1600, value, np.float32))

    async def control(self, who: str) -> None:
        """Get an answer, which may be a refusal."""
        try:
            await asyncio.to_thread(Control(self.controller.address, key=self.keys[who]).settings)
        except AsrdError as error:
            if "this key may" not in str(error):
                raise


def _unused() -> int:
    with sockets.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def run(place: Place, scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(place.run(scenario), 30))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place where nobody is yet."""
    return Place(tmp_path)


@pytest.mark.parametrize("kind", GETS_IN)
def test_who_gets_in(place: Place, kind: str) -> None:
    async def scenario() -> None:
        entered, complaints = set(), {}
        for who in WHO:
            try:
                await getattr(place, kind)(who)
                entered.add(who)
            except TransportError as error:
                complaints[who] = "requires a key" if "requires a key" in str(error) else str(error)
        assert complaints.pop("none") == "requires a key"
        assert all("does not take the key" in complaint for complaint in complaints.values())
        assert entered == GETS_IN[kind]

    run(place, scenario)


@pytest.mark.parametrize("op", REQUESTS)
def test_what_each_role_may_ask(op: str) -> None:
    for role in Role:
        if role is Role.CONTROL or (role is Role.LISTEN and op in READING):
            check({role}, REQUESTS[op])
        else:
            wanted = Role.LISTEN if op in READING else Role.CONTROL
            with pytest.raises(AsrdError, match=f"this key may {role} only; ask for one with the role {wanted}: asrd"):
                check({role}, REQUESTS[op])
    with pytest.raises(AsrdError, match="not admitted any more"):
        check(frozenset(), REQUESTS[op])
    check(EVERY, REQUESTS[op])


def test_every_request_was_thought_of() -> None:
    """What a new request needs is said here, too: the default is `control`."""
    assert {type(request) for request in REQUESTS.values()} == set(AnyRequest.__args__)
    assert set(RIGHTS) == {type(REQUESTS[op]) for op in READING}


def test_a_listener_changes_nothing_over_the_wire(place: Place) -> None:
    async def scenario() -> None:
        asked = Control(place.controller.address, key=place.keys["listen"])
        assert await asyncio.to_thread(asked.settings) == {}
        with pytest.raises(AsrdError, match="this key may listen only; ask for one with the role control: asrd key"):
            await asyncio.to_thread(asked.reload)
        asked = Control(place.controller.address, key=place.keys["control"])
        assert await asyncio.to_thread(asked.reload) == "reloaded"

    run(place, scenario)


def test_a_revoked_listener_hears_nothing_more(place: Place) -> None:
    """Its connection ends, and its library is turned away at the next; others hear on."""

    async def scenario() -> None:
        address, options = place.publisher.addresses[0], {"once": True, "timeout": 2.0, "max_wait": 1.0}
        kept = AsyncSubscriber(address, key=place.keys["control"], **options)  # type: ignore[arg-type]
        out = AsyncSubscriber(address, key=place.keys["listen"], **options)  # type: ignore[arg-type]
        async with kept, out:
            hears, ends = aiter(kept), aiter(out)
            await anext(hears), await anext(ends)
            place.roster.revoke("listen")
            place.reload()
            place.publisher.part()
            await place.publisher.publish(Heartbeat(uptime=77.0))
            await _uptimes(hears, until=77.0)
            with pytest.raises(TransportError, match="does not take the key"):
                await _uptimes(ends, until=77.0)

    run(place, scenario)


def test_a_revoked_speaker_is_not_heard_any_more(place: Place) -> None:
    def speak(said: "asyncio.Queue[None]", loop: asyncio.AbstractEventLoop, go: asyncio.Event) -> None:
        with Sender(place.source.address, timeout=2, away=0.5, key=place.keys["speak"]) as sender:
            sender.send(np.full(1600, 0.25, np.float32))
            loop.call_soon_threadsafe(said.put_nowait, None)
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
            sender.send(np.full(1600, 0.75, np.float32))

    async def scenario() -> None:
        said: asyncio.Queue[None] = asyncio.Queue()
        go = asyncio.Event()
        speaking = asyncio.create_task(asyncio.to_thread(speak, said, asyncio.get_running_loop(), go))
        await said.get()
        await place.hears(0.25)
        place.roster.revoke("speak")
        place.reload()
        go.set()
        await asyncio.gather(speaking, return_exceptions=True)
        await place.pcm("control", 0.5)
        await place.hears(0.5)
        assert 0.75 not in place.heard

    run(place, scenario)


def test_one_who_is_revoked_while_connected_is_refused_and_one_who_is_added_gets_in(
    place: Place, tmp_path: Path
) -> None:
    async def scenario() -> None:
        with zmq.asyncio.Context() as context, context.socket(zmq.REQ) as socket:
            socket.linger = 0
            _key(place.keys["listen"]).show(socket)
            socket.connect(place.controller.address)
            await socket.send(b'{"op":"settings"}')
            assert b'"result":{}' in await socket.recv()
            place.roster.revoke("listen")
            place.reload()
            await socket.send(b'{"op":"settings"}')
            assert b"not admitted any more" in await socket.recv()
        new = tmp_path / "new.key"
        place.keys["new"] = new
        place.roster.add("new", {Role.LISTEN}, new)
        with pytest.raises(TransportError, match="does not take the key"):
            await place.events("new")
        place.reload()
        await place.events("new")

    run(place, scenario)


async def _uptimes(events: AsyncIterator[AnyEvent | Hole], until: float) -> None:
    """Receive events until a heartbeat has this uptime."""
    async for event in events:
        if isinstance(event, Heartbeat) and event.uptime == until:
            return


def _key(path: Path) -> Key:
    found = find(path)
    assert found
    return found
