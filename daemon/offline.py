"""Run the same pipeline without a daemon: audio in, finished utterances out, as fast as possible."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from asrd.backends import LoadedModel
from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray, Hypothesis, Onset, Window
from asrd.core.units import Samples
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.decoding import Boosts, Decoding
from asrd.daemon.recognition.recognizer import NO_BOOSTS, Recognizer, recognize
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.sources.files import Recording
from asrd.daemon.vad import create


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance of a recording. start, end: stream positions of its audio. reason: why it ended, as in a final."""

    start: Samples
    end: Samples
    hypothesis: Hypothesis
    reason: str = "end"


def transcribe(
    blocks: Iterable[FloatArray],
    backend: LoadedModel,
    segmenter: Segmenter,
    decoding: Decoding | None = None,
    boosts: Boosts = NO_BOOSTS,
) -> Iterator[Utterance]:
    """Yield the utterances of a recording, given as blocks `(n,)` of mono 16 kHz audio, as each is finished.

    decoding: greedy if None. boosts: hot words.

    Raises BackendError if the backend fails. If reading fails, the audio before is finished first, and then
    AudioError is raised. Memory does not grow with the recording.
    """
    recognizer = Recognizer(backend.model, decoding)
    start = Samples(0)

    def finished(items: Iterable[Onset | Window]) -> Iterator[Utterance]:
        nonlocal start
        for item in items:
            if isinstance(item, Onset):
                start = item.start
                continue
            [emission] = recognize(backend, [item])
            if item.asks:
                segmenter.take(answer(item, emission, backend.model))
            if item.provisional:
                continue
            hypothesis = recognizer.accept(item, emission, boosts)
            if item.last:
                yield Utterance(start, item.keep_end, hypothesis, item.reason)

    damage: AudioError | None = None
    try:
        for block in blocks:
            yield from finished(segmenter.feed(block))
    except AudioError as error:
        damage = error
    yield from finished(segmenter.flush())
    if damage:
        raise damage


def transcribe_file(
    recording: Recording,
    backend: LoadedModel,
    options: RecognitionOptions,
    decoding: Decoding,
    boosts: Boosts = NO_BOOSTS,
) -> Iterator[Utterance]:
    """Return an iterator over the utterances of an audio file. Raises AudioError if it cannot be read.

    decoding: made from the options by `make_decoding`.
    """
    segmenter = Segmenter(create(options.vad), backend.model.geometry, options.segmenter)
    return transcribe(recording.blocks(), backend, segmenter, decoding, boosts)
