"""Options of a daemon."""

from dataclasses import dataclass
from pathlib import Path

from asrd.backends.registry import find
from asrd.core.defaults import MAX_LAG
from asrd.daemon.journal.options import JournalOptions
from asrd.daemon.options import RecognitionOptions
from asrd.daemon.recorder.options import RecordingOptions
from asrd.daemon.sources.files import Pace
from asrd.daemon.transport.access import LOCAL, Access

WAIT, DROP = "wait", "drop"
"""What to do while the machine is behind and lesser measures do not help: be late, or drop audio. Any other rule is
the name of a faster backend.
"""


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """sources: as `parse_source` takes them. pace: playback speed of file sources. events: addresses to publish on.
    record: None to record nothing. words: the file of hot words; None to keep none. access: who may connect.
    metrics: HOST:PORT for Prometheus. journal: None to keep none. max_lag: seconds by which live audio may be heard
    late; what is later is dropped. when_behind: a rule of `load`.
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
    max_lag: float = MAX_LAG
    when_behind: str = WAIT

    def __post_init__(self) -> None:
        """Raise UsageError for an address of metrics that is malformed or open to everyone, and for a rule that is no
        backend.
        """
        if self.when_behind not in (WAIT, DROP):
            find(self.when_behind)
        if self.metrics:
            self.access.check_http(self.metrics)
