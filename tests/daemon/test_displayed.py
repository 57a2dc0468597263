"""Events display text for people, in the language of the model and as the daemon is told."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from asrd.core import events
from asrd.core.events import Event, Final, Partial
from asrd.core.flow import Hypothesis, Word
from asrd.core.units import Samples, samples
from asrd.core.writing.style import Style
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.decoding import Boosts, DecoderOptions
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.recognizer import NO_BOOSTS
from asrd.daemon.scheduling.scheduler import Scheduler
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import FileSource
from asrd.daemon.stream.stream import make_stream
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as speech

from .chance import Toy


class Injected:
    """A decoding that hears the same words in every utterance, more of them the longer it is."""

    def __init__(self, text: str) -> None:
        self._words = text.split()

    def begin(self, boosts: Boosts) -> "Injected":
        return self

    def decode(self, frames: Frames, settled: int, last: bool) -> Hypothesis:
        words, sure = (self._words[: None if last else some // 20] for some in (len(frames), settled))
        starts = (Samples(frames.bounds[0] + 9 * number) for number in range(len(words)))
        said = tuple(Word(word, start, Samples(start + 9), 0.5) for word, start in zip(words, starts, strict=True))
        return Hypothesis(" ".join(words), said, len(" ".join(sure)), 0.5)


class Kept:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.texts: list[Partial | Final] = []

    async def publish(self, event: Event, stream: str = events.DAEMON_STREAM) -> None:
        if isinstance(event, Partial | Final):
            self.texts.append(event)


def heard(
    text: str, model: ModelDirectory, options: RecognitionOptions, hot: Boosts = NO_BOOSTS, *, begins: bool = True
) -> list[Partial | Final]:
    """What a stream publishes of a recording in which a text is heard. begins: whether it goes on from a state in which
    the next utterance begins a sentence.
    """

    async def scenario() -> list[Partial | Final]:
        scheduler, kept = Scheduler("toy", Toy(model)), Kept()
        source = FileSource("a", speech("real")[0].audio, "fast")
        decoding = Injected(text)
        stream = make_stream(source, options, scheduler, kept, model, decoding=decoding, hot=lambda: hot)
        stream.resume(msgspec.structs.replace(stream.state(), begins=begins))
        serving = asyncio.create_task(scheduler.run())
        await source.open()
        await stream.run()
        await scheduler.drain()
        serving.cancel()
        return kept.texts

    return asyncio.run(scenario())


TEXTS = [
    ("it", "tutti i giorni ho ventitré anni", "Tutti i giorni ho 23 anni."),
    ("de", "ich habe dreiundzwanzig Äpfel aus München", "Ich habe 23 Äpfel aus München."),
    ("fra", "élise a vingt et un ans", "Élise a 21 ans."),
    ("ka", "გამარჯობა მეგობარო როგორ ხარ", "გამარჯობა მეგობარო როგორ ხარ."),
    ("zh", "你 好 世 界", "你好世界。"),
    ("en", "i saw saoirse on monday", "I saw Saoirse on Monday."),
]


@pytest.mark.parametrize(("language", "text", "display"), TEXTS, ids=[language for language, _, _ in TEXTS])
def test_each_language_by_its_own_rules(bundled: ModelDirectory, language: str, text: str, display: str) -> None:
    model = replace(bundled, speaks=language, vocabulary=replace(bundled.vocabulary, lower=True))
    options = RecognitionOptions("toy", decoding=DecoderOptions("greedy"), style=Style(numbers=True))
    said = heard(text, model, options, {"Saoirse": 8.0})
    [*partials, final] = said
    assert partials
    assert isinstance(final, Final)
    assert (final.text, final.display) == (text, display)
    assert any(isinstance(one, Partial) and one.display_stable for one in partials)
    for one, other in pairwise(said):
        assert isinstance(one, Partial)
        assert other.display.startswith(one.display[: one.display_stable])


def test_a_sentence_goes_on_over_utterances_that_are_cut_for_their_length(bundled: ModelDirectory) -> None:
    settings = SegmenterSettings(max_utterance=samples(2.0))
    options = RecognitionOptions("toy", decoding=DecoderOptions("greedy"), segmenter=settings)
    finals = [one for one in heard("ONE MORE", bundled, options) if isinstance(one, Final)]
    assert [final.reason for final in finals[:-1]] == ["length"] * (len(finals) - 1)
    assert [final.display for final in finals] == ["One more", *["one more"] * (len(finals) - 2), "one more."]


def test_a_sentence_goes_on_in_a_stream_that_goes_on_from_a_state(bundled: ModelDirectory) -> None:
    options = RecognitionOptions("toy", decoding=DecoderOptions("greedy"))
    displays = [heard("ONE MORE", bundled, options, begins=begins)[-1].display for begins in (True, False)]
    assert displays == ["One more.", "one more."]


def test_what_the_model_knows_does_not_change_what_is_asked_for(bundled: ModelDirectory) -> None:
    assert RecognitionOptions().style_of(bundled) == Style(language="en", capitals=True)
    asked = Style(raw=True, language="de", capitals=False)
    assert RecognitionOptions(style=asked).style_of(bundled) == asked
    assert not replace(bundled.vocabulary, lower=True).capitals
