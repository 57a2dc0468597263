"""Error rates of finals as a daemon publishes them: by its default decoder, with the model's own language model."""

from collections.abc import Callable, Sequence

from asrd.backends import Backend
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.quant.data import Clip, read
from asrd.quant.evaluation.measure import listen
from asrd.quant.evaluation.score import Score, score


def finals(
    backend: Backend,
    clips: Sequence[Clip],
    options: DecoderOptions | None = None,
    advance: Callable[[], None] = lambda: None,
) -> tuple[str, Score]:
    """Return the decoder's name, and its errors on `clips`. options: by default the daemon's defaults.

    advance: called once per clip. Raises AudioError if a clip cannot be read, BackendError if the backend fails, and
    what `make_decoding` raises.
    """
    decoding, texts = make_decoding(options or DecoderOptions(), backend.model), []
    for clip in clips:
        texts.append(listen(backend, read(clip), decoding).text)
        advance()
    return decoding.name, score([clip.text for clip in clips], texts)
