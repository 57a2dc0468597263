"""Client library: subscribe to transcripts, control a daemon, and write text in a style of one's own.

    from asrd.clients import Control, Reader, Style, Subscriber, Writer

It needs pyzmq, msgspec and platformdirs, text2num for numbers in digits, and numpy to send audio, but nothing of the
daemon.
"""

from asrd.clients.control import Control
from asrd.clients.reader import Reader
from asrd.clients.sequence import Hole
from asrd.clients.subscriber import AsyncSubscriber, Subscriber
from asrd.core.writing.style import Style
from asrd.core.writing.writer import Writer

__all__ = ["AsyncSubscriber", "Control", "Hole", "Reader", "Style", "Subscriber", "Writer"]
