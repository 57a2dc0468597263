"""Count the results of `streaming_tax.py` over recordings, and turn them into rows."""

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
    """Totals of one way of hearing, by one decoder."""

    references: list[str] = field(default_factory=list)
    """Reference text of each recording."""
    whole: list[str] = field(default_factory=list)
    """Text of each recording's utterances, each heard in one piece."""
    heard: list[str] = field(default_factory=list)
    """Text of each recording, heard in this way."""
    seams: Seams = field(default_factory=Seams)
    samples: int = 0
    """Samples of audio in the recordings."""
    committed: int = 0
    """Samples given to the model in committed windows."""
    previewed: int = 0
    """Samples in previews."""
    seconds: float = 0.0

    def add(self, decoder: str, said: tuple[str, Mapping[str, str]], heard: Listened, found: tuple[int, Seams]) -> None:
        """Add a recording. said: the reference, and the text of its utterances by decoder. found: its samples, and the
        counts of words at its joints.
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
        """Add the recordings of both."""
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one way of hearing."""

    speech: str
    backend: str
    way: str
    decoder: str
    wer: float
    """Word error rate."""
    cer: float
    """Character error rate."""
    wer_tax: Rate
    """Difference to the word error rate of the whole utterances."""
    cer_tax: Rate
    """Difference to the character error rate of the whole utterances."""
    wer_differs: float
    """Word error rate against the text of the whole utterances."""
    cer_differs: float
    """Character error rate against the text of the whole utterances."""
    seams: Seams
    committed: float
    """Seconds of audio in committed windows, per second of recording."""
    previewed: float
    """Seconds of audio in previews, per second of recording."""
    busy: float
    """Seconds that the committed windows took, per second of recording."""


def row(speech: str, backend: str, way: str, decoder: str, tally: Tally) -> Row:
    """Compute the figures of a tally; intervals are paired bootstraps over recordings."""
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
    """Format a row for people: rates in %, and their differences in points."""
    wer_tax, cer_tax = (
        f"{100 * tax.value:+.2f} [{100 * tax.low:+.2f}, {100 * tax.high:+.2f}]" for tax in (one.wer_tax, one.cer_tax)
    )
    wer, cer, *differs = (f"{100 * value:.1f}" for value in (one.wer, one.cer, one.wer_differs, one.cer_differs))
    counts: Sequence[str] = [str(count) for count in astuple(one.seams)]
    cost = [f"{one.committed:.2f}", f"{one.previewed:.2f}", f"{one.busy:.3f}"]
    return [one.speech, one.backend, one.way, one.decoder, wer, wer_tax, cer, cer_tax, *differs, *counts, *cost]
