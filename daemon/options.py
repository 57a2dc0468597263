"""Options that determine the text of a stream."""

from dataclasses import dataclass, field, replace

from asrd.backends import LoadOptions
from asrd.core.defaults import BACKEND, VAD
from asrd.core.writing.style import Style
from asrd.daemon.recognition.decoding.options import DecoderOptions
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.models import ModelDirectory
from asrd.models.store import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """Options that determine the text: the same options give the same text for the same audio, in a daemon and
    without one.

    model: a bundled name, a directory or a hub id. vad: as `vad.create` takes it. style: of the text for people.
    """

    backend: str = BACKEND
    model: str = DEFAULT_MODEL
    load: LoadOptions = field(default_factory=LoadOptions)
    vad: str = VAD
    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    decoding: DecoderOptions = field(default_factory=DecoderOptions)
    style: Style = field(default_factory=Style)

    def style_of(self, model: ModelDirectory) -> Style:
        """Return the style, with what the model says of its language and its letters where the options do not."""
        capitals = model.vocabulary.capitals if self.style.capitals is None else self.style.capitals
        return replace(self.style.spoken(model.speaks), capitals=capitals)
