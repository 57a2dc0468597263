"""Options of a daemon."""

from dataclasses import dataclass
from pathlib import Path

from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.sources.files import Pace
from asrd.daemon.transport.access import LOCAL, Access


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """sources: as `parse_source` takes them. pace: playback speed of file sources. events: addresses to publish on.
    record: None to record nothing. words: the file of hot words; None to keep none. access: who may connect.
    metrics: HOST:PORT for Prometheus. journal: None to keep none.
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
    journal: JournalOptions | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for an address of metrics that is malformed or open to everyone."""
        if self.metrics:
            self.access.check_http(self.metrics)
