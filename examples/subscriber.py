"""Print what a running daemon hears, partials included: `python examples/subscriber.py`."""

from asrd.clients import Subscriber
from asrd.core.events import Final, Gap, Partial

with Subscriber() as events:
    for event in events:
        match event:
            case Partial():
                stable, open_end = event.display[: event.display_stable], event.display[event.display_stable :]
                print(f"{event.stream}: {stable}[{open_end}]", flush=True)
            case Final():
                print(f"{event.stream}: {event.display} ({event.confidence:.0%})", flush=True)
            case Gap():
                print(f"{event.stream}: nothing heard from {event.start} to {event.end}: {event.reason}", flush=True)
