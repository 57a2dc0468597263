"""What `streaming_tax.py` counts of recordings, and the rows that it makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field

from seams import Seams
from streaming_paths import Listened

from asrd.core.units import SAMPLE_RATE
from asrd.quant.evaluation.bootstrap import Rate, rate
from asrd.quant.evaluation.score import errors

METRICS = ("wer", "cer")


@dataclass(slots=True)
class Tally:
    """One way of hearing, by one decoder. references: what is said in each recording. whole, heard: what the backend
    heard of its utterances in one piece, and in this way. samples, committed, previewed: of audio.
    """

    references: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    seams: Seams = field(default_factory=Seams)
    samples: int = 0
    committed: int = 0
    previewed: int = 0
    seconds: float = 0.0

    def add(self, decoder: str, said: tuple[str, Mapping[str, str]], heard: Listened, found: tuple[int, Seams]) -> None:
        """Count a recording. said: the reference, and the text of its utterances by decoder. found: its samples and
        what became of words at its joints.
        """
        self.references.append(said[0])
        self.whole.append(said[1][decoder])
        self.heard.append(heard.texts[decoder])
        self.samples += found[0]
        self.seams += found[1]
        self.committed += heard.committed
        self.previewed += heard.previewed
        self.seconds += heard.seconds

    def __add__(self, other: "Tally") -> "Tally":
        """That of the recordings of both."""
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Row:
    """wer, cer: error rates. wer_tax, cer_tax: what they exceed those of the whole utterances by.
    wer_differs, cer_differs: rates against the text of the whole utterances. committed, previewed: seconds
    of audio given to the model, and busy: seconds the committed took, each a second of recording.
    """

    speech: str
    backend: str
    way: str
    decoder: str
    wer: float
    cer: float
    wer_tax: Rate
    cer_tax: Rate
    wer_differs: float
    cer_differs: float
    seams: Seams
    committed: float
    previewed: float
    busy: float


def row(speech: str, backend: str, way: str, decoder: str, tally: Tally) -> Row:
    """The figures of what was counted; intervals are paired bootstraps over recordings."""
    rates: dict[str, float] = {}
    taxes: dict[str, Rate] = {}
    for metric in METRICS:
        less, lengths = errors(metric, tally.references, tally.whole)
        more, _ = errors(metric, tally.references, tally.heard)
        differs, known = errors(metric, tally.whole, tally.heard)
        rates[metric] = sum(more) / sum(lengths)
        rates[f"{metric}_differs"] = sum(differs) / max(sum(known), 1)
        taxes[f"{metric}_tax"] = rate([b - a for a, b in zip(less, more, strict=True)], lengths)
    return Row(
        speech=speech,
        backend=backend,
        way=way,
        decoder=decoder,
        **rates,
        **taxes,
        seams=tally.seams,
        committed=tally.committed / tally.samples,
        previewed=tally.previewed / tally.samples,
        busy=tally.seconds * SAMPLE_RATE / tally.samples,
    )


TITLES = (
    *("speech", "backend", "way", "decoder", "WER", "tax", "CER", "tax", "WER differs", "CER differs"),
    *("joints", "ins", "del", "twice", "lost", "committed", "previews", "busy"),
)


def cells(one: Row) -> list[str]:
    """What people read of a row: rates and their differences in points."""
    wer_tax, cer_tax = (
        f"{100 * tax.value:+.2f} [{100 * tax.low:+.2f}, {100 * tax.high:+.2f}]" for tax in (one.wer_tax, one.cer_tax)
    )
    wer, cer, *differs = (f"{100 * value:.1f}" for value in (one.wer, one.cer, one.wer_differs, one.cer_differs))
    counts: Sequence[str] = [str(count) for count in astuple(one.seams)]
    cost = [f"{one.committed:.2f}", f"{one.previewed:.2f}", f"{one.busy:.3f}"]
    return [one.speech, one.backend, one.way, one.decoder, wer, wer_tax, cer, cer_tax, *differs, *counts, *cost]
