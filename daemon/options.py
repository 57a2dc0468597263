"""Options that determine the text of a stream."""

from dataclasses import dataclass, field

from asrd.backends import LoadOptions
from asrd.core.defaults import BACKEND, VAD
from asrd.daemon.recognition.decoding.options import DecoderOptions
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.models.store import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Options that determine the text: the same options give the same text for the same audio, in a daemon and
    without one.

    model: a bundled name, a directory or a hub id. vad: as `vad.create` takes it.
    """

    backend: str = BACKEND
    model: str = DEFAULT_MODEL
    load: LoadOptions = field(default_factory=LoadOptions)
    vad: str = VAD
    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    decoding: DecoderOptions = field(default_factory=DecoderOptions)
