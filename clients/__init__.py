"""Client library: subscribe to transcripts, control a daemon.

    from asrd.clients import Control, Subscriber

It needs pyzmq, msgspec and platformdirs, and numpy to send audio, but nothing of the daemon.
"""

from asrd.clients.control import Control
from asrd.clients.sequence import Hole
from asrd.clients.subscriber import AsyncSubscriber, Subscriber

__all__ = ["AsyncSubscriber", "Control", "Hole", "Subscriber"]
