"""What a daemon is started with."""

from dataclasses import dataclass, field
from pathlib import Path

from asrd.backends import LoadOptions
from asrd.daemon import vad
from asrd.daemon.recognition.decoding.options import DecoderOptions
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.segmentation.settings import SegmenterSettings
from asrd.daemon.sources.files import Pace
from asrd.daemon.transport.access import LOCAL, Access


@dataclass(frozen=True, slots=True)
class RecognitionOptions:
    """What decides the text: the same options give the same text for the same audio, in a daemon
    and without one. model: a bundled name, a directory or a hub id. vad: as `vad.create` takes it.
    """

    backend: str = "int8"
    model: str = "asrd-tiny-en"
    load: LoadOptions = field(default_factory=LoadOptions)
    vad: str = vad.DEFAULT
    segmenter: SegmenterSettings = field(default_factory=SegmenterSettings)
    decoding: DecoderOptions = field(default_factory=DecoderOptions)


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """sources: as `parse_source` takes them. pace: of file sources. events: endpoints to publish on.
    record: None to record nothing. words: the file of hot words; None to keep none. access: who may connect.
    metrics: HOST:PORT for Prometheus.
    """

    recognition: RecognitionOptions
    sources: tuple[str, ...]
    pace: Pace
    events: tuple[str, ...]
    control: str
    record: RecordingOptions | None = None
    words: Path | None = None
    access: Access = LOCAL
    metrics: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.metrics:
            self.access.check_http(self.metrics)
