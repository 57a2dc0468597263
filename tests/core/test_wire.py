"""Any text can be sent on the wire, even if it is not valid Unicode."""

import msgspec
import pytest

from asrd.core import wire
from asrd.core.control import Reply
from asrd.core.events import Error, decode, encode

NAME = b"caf\xe9.wav".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("text", ["plain", "café \N{GRINNING FACE}", NAME, "\ud800"])
def test_text_that_is_no_unicode_has_question_marks(text: str) -> None:
    event = decode(encode(Error(message=text, seq=7)))
    assert event == Error(message=wire.plain(text), seq=7)
    assert (wire.plain(text) == text) == text.isprintable()


def test_wherever_it_is() -> None:
    said = wire.encode(Reply(result={"files": [NAME, 1, None], NAME: (NAME, 2.5)}))
    assert msgspec.json.decode(said)["result"] == {"files": ["caf?.wav", 1, None], "caf?.wav": ["caf?.wav", 2.5]}
