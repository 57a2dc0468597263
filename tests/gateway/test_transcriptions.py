"""Files, by OpenAI's own client: the text is that of `asrd transcribe`."""

import json
from pathlib import Path

import av
import openai
import pytest
import soundfile
from openai import OpenAI

from .conftest import MODEL, Served


@pytest.fixture(scope="module")
def client(served: Served):
    with OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as found:
        yield found


def create(client: OpenAI, path: Path, **wishes):
    with path.open("rb") as file:
        return client.audio.transcriptions.create(file=file, **({"model": "whisper-1"} | wishes))


def test_the_models(client):
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).owned_by == "asrd"
    with pytest.raises(openai.NotFoundError, match="there is no model 'gpt-5'"):
        client.models.retrieve("gpt-5")


def test_the_text_is_that_of_asrd_transcribe(client, whole, transcribed):
    expected = transcribed(whole)
    assert len(expected.split()) > 20
    assert create(client, whole).text == expected.strip()
    assert create(client, whole, response_format="text") == expected


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles_are_those_of_asrd_transcribe(client, whole, transcribed, form):
    assert create(client, whole, response_format=form) == transcribed(whole, form)


def test_words_and_segments_have_times(client, whole, transcribed):
    wanted = ["word", "segment"]
    found = create(client, whole, response_format="verbose_json", timestamp_granularities=wanted, language="en")
    assert (found.text, found.language) == (transcribed(whole).strip(), "english")
    assert found.duration == pytest.approx(soundfile.info(whole).duration, abs=0.01)
    assert " ".join(word.word for word in found.words) == found.text
    assert " ".join(segment.text for segment in found.segments) == found.text
    raw = json.loads(transcribed(whole, "json"))["words"]
    assert [word.start for word in found.words] == pytest.approx([word["start"] for word in raw], abs=0.001)
    bounds = [bound for segment in found.segments for bound in (segment.start, segment.end)]
    assert bounds == sorted(bounds)
    assert all(segment.avg_logprob < 0 for segment in found.segments)


def test_segments_alone_are_the_default(client, clips):
    found = create(client, clips[0], response_format="verbose_json")
    assert found.segments
    assert found.words is None


def test_a_stream_of_deltas_adds_up(client, whole, transcribed):
    events = list(create(client, whole, stream=True))
    assert {event.type for event in events[:-1]} == {"transcript.text.delta"}
    assert len(events) > 3
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == transcribed(whole).strip()


def test_any_container_is_read(client, clips, transcribed, tmp_path):
    path = tmp_path / "clip.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus", rate=48_000)
        with av.open(str(clips[0])) as given:
            for frame in given.decode(audio=0):
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert create(client, path).text == transcribed(path).strip()


@pytest.mark.parametrize(
    ("wishes", "status", "message"),
    [
        ({"model": "gpt-5"}, 404, "there is no model 'gpt-5' here, but asrd-tiny-en"),
        ({"language": "de"}, 400, "writes en, not de"),
        ({"response_format": "diarized_json"}, 400, "response_format is one of"),
        ({"timestamp_granularities": ["letter"]}, 400, "a granularity is one of"),
        ({"response_format": "srt", "stream": True}, 400, "srt cannot be streamed"),
    ],
)
def test_what_cannot_be_had_is_refused_as_openai_does(client, clips, wishes, status, message):
    with pytest.raises(openai.APIStatusError, match=message) as found:
        create(client, clips[0], **wishes)
    assert found.value.status_code == status
    assert found.value.type == "invalid_request_error"


def test_a_refusal_is_a_line_in_the_log(client, clips, served):
    with pytest.raises(openai.NotFoundError):
        create(client, clips[0], model="no-such-model")
    assert [line for line in served.log if "'no-such-model'" in line] == [
        "asrd: /v1/audio/transcriptions from 127.0.0.1 was refused: there is no model 'no-such-model' here, "
        "but asrd-tiny-en"
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_no_audio_is_refused_with_its_name(client, tmp_path, stream):
    path = tmp_path / "letter.mp3"
    path.write_bytes(b"Dear Sir or Madam, " * 100)
    with pytest.raises(openai.BadRequestError, match=r"letter\.mp3"):
        create(client, path, stream=stream)


def test_a_damaged_file_is_an_error_in_both_forms(client, whole, tmp_path):
    path = tmp_path / "cut.flac"
    pcm, rate = soundfile.read(whole, dtype="int16")
    soundfile.write(tmp_path / "full.flac", pcm, rate)
    path.write_bytes((tmp_path / "full.flac").read_bytes()[:-60_000])
    with pytest.raises(openai.BadRequestError, match=r"cut\.flac.*damaged"):
        create(client, path)
    with pytest.raises(openai.APIError, match=r"cut\.flac.*damaged"):
        list(create(client, path, stream=True))


def test_no_stream_is_left(client, clips, served):
    create(client, clips[0])
    assert served.streams() == []
