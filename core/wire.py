"""JSON for the wire, for any text.

A file name need not be UTF-8. Python represents its other bytes by lone surrogates, which can be neither encoded nor
sent.
"""

from typing import Any, TypeVar

import msgspec

from asrd.core.errors import MalformedError

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


def encode(value: Any) -> bytes:
    """Encode a struct, or any JSON value, as JSON."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_plain(msgspec.to_builtins(value)))


def decode(payload: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """Decode JSON that anyone may have sent. Raises MalformedError, with the reason, where that is impossible."""
    try:
        return decoder.decode(payload)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise MalformedError(str(error)) from error


def plain(text: str) -> str:
    """Replace each character that cannot be sent by a question mark."""
    return text.encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    match value:
        case str():
            return plain(value)
        case dict():
            return {_plain(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value
