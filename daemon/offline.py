"""The same pipeline without a daemon: audio in, finished utterances out, as fast as it goes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asrd.backends import LoadedModel
from asrd.core.errors import AudioError
from asrd.core.flow import FloatArray, Hypothesis, Onset, Window
from asrd.core.units import Samples
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recognition.answers import answer
from asrd.daemon.recognition.decoding import Boosts, Decoding
from asrd.daemon.recognition.recognizer import NO_BOOSTS, Recognizer, recognize
from asrd.daemon.segmentation.segmenter import Segmenter
from asrd.daemon.sources.files import read_blocks
from asrd.daemon.vad import create


@dataclass(frozen=True, slots=True)
class Utterance:
    """start, end: stream positions of what belongs to it. reason: why it ended, as in a final."""

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
    """Utterances of a recording given as blocks `(n,)` of mono 16 kHz audio, each as it is finished.

    decoding: greedy where none is given. boosts: hot words.

    Raises BackendError where the backend fails. Where reading fails, what was heard before is finished
    first, and then AudioError raised. Memory does not grow with the recording.
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
                segmenter.hear(answer(item, emission, backend.model))
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
    path: Path, backend: LoadedModel, options: RecognitionOptions, decoding: Decoding, boosts: Boosts = NO_BOOSTS
) -> Iterator[Utterance]:
    """The utterances of an audio file. Raises AudioError where it cannot be read.

    decoding: what `make_decoding` made of the options.
    """
    segmenter = Segmenter(create(options.vad), backend.model.geometry, options.segmenter)
    return transcribe(read_blocks(path), backend, segmenter, decoding, boosts)
