"""Whatever a client of the Realtime API sends is understood or refused, and never a defect."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asrd.core.errors import MalformedError
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.gateway import host
from asrd.gateway.errors import RefusedError
from asrd.gateway.openai.messages import Append, BetaUpdate, ClientEvent, Update, decode
from asrd.gateway.openai.settings import Settings

TYPES = (
    *("input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear"),
    *("session.update", "transcription_session.update", "response.create"),
)

WORDS = st.sampled_from(
    [
        *("type", "session", "audio", "input", "format", "rate", "turn_detection", "server_vad", "transcription"),
        *("silence_duration_ms", "prefix_padding_ms", "language", "model", "en", "fr", "audio/pcm", "pcm16", "AAAA"),
        *("input_audio_format", "input_audio_transcription", "event_id", "audio/pcmu", "whisper-1"),
    ]
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


class Host:
    """As much of a host as settings need."""

    model = "asrd-tiny-en"
    language = "en"
    daemon = SimpleNamespace(streams=SimpleNamespace(settings=SegmenterSettings()))

    check_language = host.Host.check_language


@given(type_=st.sampled_from(TYPES), fields=st.dictionaries(WORDS, VALUES, max_size=4))
def test_any_json_is_an_event_or_malformed(type_: str, fields: dict[str, Any]) -> None:
    try:
        message = decode(json.dumps(fields | {"type": type_}))
    except MalformedError:
        return
    assert isinstance(message, ClientEvent)
    if isinstance(message, Update | BetaUpdate):
        given_ = message.session.audio.input if isinstance(message, Update) else message.session.input
        try:
            settings = Settings().updated(given_, Host())  # type: ignore[arg-type]
        except RefusedError:
            return
        settings.endpointing(SegmenterSettings())
        for beta in (False, True):
            json.dumps(settings.described("sess", "model", beta=beta))


@given(st.text() | st.binary())
def test_any_other_text_is_malformed(text: str | bytes) -> None:
    with pytest.raises(MalformedError):
        decode(text)


def test_what_clients_send_is_understood() -> None:
    message = decode('{"type": "input_audio_buffer.append", "audio": "AAEC", "event_id": "e", "new": 1}')
    assert message == Append(audio=b"\x00\x01\x02", event_id="e")
    turns = {"type": "server_vad", "silence_duration_ms": 400, "prefix_padding_ms": 200, "create_response": False}
    heard = {"format": {"type": "audio/pcmu"}, "turn_detection": turns, "noise_reduction": {"type": "near_field"}}
    update = decode(json.dumps({"type": "session.update", "session": {"audio": {"input": heard}}}))
    assert isinstance(update, Update)
    settings = Settings().updated(update.session.audio.input, Host())  # type: ignore[arg-type]
    assert (settings.rate, settings.encoding) == (8_000, "ulaw")
    lengths = settings.endpointing(SegmenterSettings())
    assert (lengths.hangover, lengths.min_hangover, lengths.max_hangover, lengths.pre_roll) == (6_400,) * 3 + (3_200,)
