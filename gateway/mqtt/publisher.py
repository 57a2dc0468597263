"""Publish events, and go on where the broker was away."""

import asyncio
import logging
import random
from contextlib import suppress

import aiomqtt

from asrd.core.errors import reason
from asrd.core.events import Error, Event, Final, Gap, Partial, encode
from asrd.gateway.host import Host
from asrd.gateway.mqtt.connection import OFFLINE, ONLINE, Connection, Connector
from asrd.gateway.mqtt.options import MqttOptions
from asrd.gateway.mqtt.outbox import Message, Outbox

LASTING = (Final, Gap, Error)
"""Events that are published in any case."""

SLACK = 32
"""Messages that may wait without partials being left out."""

FIRST, LONGEST = 0.5, 60.0
"""Seconds from one try to connect to the next: at first, and at last."""

LAST = 1.0
"""Seconds in which a broker that is there gets what still waits when the daemon ends, and again to take leave."""

log = logging.getLogger(__name__)
logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # what fails is logged here, once


class Mqtt:
    """Publish each event to `PREFIX/STREAM/TYPE`, as the daemon's own JSON, in order and at least once."""

    def __init__(self, options: MqttOptions) -> None:
        """Raises UsageError for a password or certificate that cannot be used."""
        self._options = options
        self._connector = Connector(options)
        self._outbox = Outbox()
        self._online = False
        self._failure = ""

    def attend(self, host: Host) -> None:
        """Publish what is heard from now on."""
        self._complain = host.daemon.reporter.complain
        self._running = asyncio.create_task(self._run())
        host.daemon.publisher.listeners.add(self._tell)
        host.daemon.farewells.append(self._end)
        if not (self._options.broker.tls or self._options.broker.local):
            log.warning("what is heard goes to %s unencrypted; mqtts:// encrypts it", self._options.broker)

    def _tell(self, event: Event) -> None:
        assured = isinstance(event, LASTING)
        if not assured:
            passing = isinstance(event, Partial) and self._options.partials
            if not passing or not self._online or len(self._outbox) >= SLACK:
                return
        topic = f"{self._options.broker.prefix}/{event.stream}/{type(event).__name__.lower()}"
        self._outbox.put(Message(topic, encode(event), assured))

    async def _run(self) -> None:
        """Connect, and connect again, until cancelled."""
        wait = FIRST
        while True:
            try:
                async with self._connector.connection() as connection:
                    wait = FIRST
                    await self._serve(connection)
            except* (aiomqtt.MqttError, OSError) as errors:
                self._failed(errors.exceptions[0])
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
            wait = min(2 * wait, LONGEST)

    async def _serve(self, connection: Connection) -> None:
        """Publish until the connection is lost. Raises MqttError then."""
        await connection.publish(self._connector.status, ONLINE, qos=1, retain=True)
        log.info("publishing to %s", self._options.broker)
        self._failure, self._online = "", True
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_watch(connection))
                group.create_task(self._deliver(connection))
        finally:
            self._online = False
            with suppress(aiomqtt.MqttError):
                await connection.publish(self._connector.status, OFFLINE, qos=1, retain=True, timeout=LAST / 2)

    async def _deliver(self, connection: Connection) -> None:
        """Publish what waits, and what comes."""
        while True:
            message = await self._outbox.first()
            await connection.publish(message.topic, message.payload, qos=1 if message.assured else 0)
            self._outbox.done(message)
            if lost := self._outbox.lost:  # told only now, when there is room for that
                self._outbox.lost = 0
                await self._complain(f"{lost} events for {self._options.broker} were lost: it was away for too long")

    async def _end(self, left: float) -> None:
        """Let the broker have what waits, if it is there, and leave it. left: seconds."""
        within = min(LAST, left / 2)
        if self._online:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._outbox.emptied()
        self._running.cancel()
        await asyncio.wait([self._running], timeout=within)
        if left := len(self._outbox) + self._outbox.lost:
            log.warning("%d events for %s were not delivered", left, self._options.broker)

    def _failed(self, error: BaseException) -> None:
        """Log why the broker cannot be told, once."""
        why = reason(error)
        if why != self._failure:
            log.warning("%s is not told what is heard: %s; trying again", self._options.broker, why)
        self._failure = why


async def _watch(connection: Connection) -> None:
    """Raise MqttError when the connection is lost. Nothing is subscribed, so there are no messages."""
    async for _ in connection.messages:
        pass
