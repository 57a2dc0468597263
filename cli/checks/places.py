"""Check the addresses and files that a daemon would use, unless one runs, which uses them."""

import os
from collections.abc import Iterator

from asrd.cli.checks.finding import Finding, Subject
from asrd.core.errors import AsrdError


def check_addresses(subject: Subject) -> Iterator[Finding]:
    """Check that a daemon could use its addresses."""
    import zmq

    from asrd.daemon.transport.sockets import Binding

    if subject.daemon:
        return
    options = subject.options
    for address in (*options.events, options.control):
        with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
            try:
                Binding(socket, address, options.access).close()
            except AsrdError as error:
                yield Finding.of("address", error)
            else:
                yield Finding("address", "ok", f"{address} is free")
    if options.metrics:
        yield _metrics(options.metrics)


def _metrics(address: str) -> Finding:
    from asrd.daemon.server.metrics import served

    try:
        served(address).server_close()
    except AsrdError as error:
        return Finding.of("address", error)
    return Finding("address", "ok", f"{address} is free, for metrics")


def check_journal(subject: Subject) -> Iterator[Finding]:
    """Check that events can be kept."""
    from asrd.daemon.journal import file

    options = subject.options.journal
    if subject.daemon or not options:
        return
    try:
        os.close(file.lock(options.file))
    except AsrdError as error:
        yield Finding.of("journal", error)
    else:
        yield Finding("journal", "ok", f"events would be kept in {options.file}")


def check_recording(subject: Subject) -> Iterator[Finding]:
    """Warn if settings ask for a recording, because nobody should be recorded unawares, and check that it can be
    made.
    """
    from asrd.daemon.recorder import place

    options = subject.options.record
    if not options:
        return
    try:
        place.check(options.directory)
    except AsrdError as error:
        yield Finding.of("recording", error)
    else:
        message = f"a daemon started here would keep all that it hears in {options.directory}"
        yield Finding("recording", "warn", message)
