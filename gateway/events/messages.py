"""What a client of the plain WebSocket says: JSON, beside its audio."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from asrd.core import wire
from asrd.core.errors import MalformedError
from asrd.core.pcm import MAX_RATE, MIN_RATE
from asrd.gateway.errors import RefusedError
from asrd.gateway.pcm import Encoding

MAX_CHANNELS = 64


class Said(Struct, frozen=True, forbid_unknown_fields=True):
    """One message. The first has a rate, in Hz, and begins the audio; format and channels are its form, and name is
    what the stream is to be called.

    lost: frames that are missing before the audio that follows. end: nothing follows.
    """

    rate: Annotated[int, Meta(ge=MIN_RATE, le=MAX_RATE)] | None = None
    format: Encoding = "s16le"
    channels: Annotated[int, Meta(ge=1, le=MAX_CHANNELS)] = 1
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""
    lost: Annotated[int, Meta(ge=0, le=2**40)] = 0
    end: bool = False


_decoder = msgspec.json.Decoder(Said)


def decode(text: str) -> Said:
    """Decode a message. Raises RefusedError for what is none."""
    try:
        return wire.decode(text.encode("utf-8", "surrogatepass"), _decoder)
    except MalformedError as error:
        raise RefusedError(400, f"this is no message of asrd: {error}") from error
