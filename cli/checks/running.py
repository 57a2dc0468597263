"""Check a running daemon or the addresses for one, and whether it records what it hears."""

from collections.abc import Iterator

from asrd.cli.checks.finding import Finding, Subject
from asrd.core.errors import AsrdError, TransportError


def check_addresses(subject: Subject) -> Iterator[Finding]:
    """Check that a daemon answers, or else that one could use its addresses."""
    import zmq

    from asrd.clients import Control
    from asrd.core.key import find
    from asrd.daemon.transport.access import Access
    from asrd.daemon.transport.sockets import Binding

    try:
        state = Control(subject.control, timeout=0.5).status()
        yield Finding("daemon", "ok", f"process {state.pid} answers, on {state.backend}")
        if state.recording:
            yield Finding("recording", "warn", f"all that is heard is kept in {state.recording}")
        return
    except TransportError:
        yield Finding("daemon", "ok", "none is running")
    except AsrdError as error:
        yield Finding.of("daemon", error)
        return
    try:
        access = Access(find(subject.key), subject.insecure)
    except AsrdError as error:
        yield Finding.of("key", error)
        return
    for address in (subject.events, subject.control):
        with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
            try:
                Binding(socket, address, access).close()
            except AsrdError as error:
                yield Finding.of("address", error)
            else:
                yield Finding("address", "ok", f"{address} is free")


def check_recording(subject: Subject) -> Iterator[Finding]:
    """Warn if settings ask for a recording, because nobody should be recorded unawares, and check that it can be
    made.
    """
    from asrd.daemon.recorder import place

    if not subject.record:
        return
    try:
        place.check(subject.record)
    except AsrdError as error:
        yield Finding.of("recording", error)
    else:
        yield Finding("recording", "warn", f"a daemon started here would keep all that it hears in {subject.record}")
