"""Repeat the measurements that a model's manifest records."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from asrd.backends import load
from asrd.core.errors import AsrdError, AudioError, ModelError, UsageError, alternatives
from asrd.daemon.recognition.decoding import DecoderOptions
from asrd.models import ModelDirectory, manifest
from asrd.quant.data import Clip, dataset, fingerprint
from asrd.quant.evaluation.finals import finals
from asrd.quant.evaluation.measure import measure

BUNDLED = "bundled"
"""Name of the data set that ships with asrd."""

TOLERANCE = 0.005
"""Largest distance from a recorded error rate: other processors round differently, 8-bit sums above all, and a
borderline letter falls to the other side.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """The record of a measurement in a manifest.

    rates: by backend, then "wer" and "cer" of greedy text; if finals were measured, also "final wer" and "final cer",
    decoded by `decoder`. mark: fingerprint of the clips, "" if none was kept. test: the card's name of the test set,
    "" for the clips that INT8 was proved on.
    """

    dataset: str
    clips: tuple[str, ...]
    mark: str
    rates: dict[str, dict[str, float]]
    decoder: str = ""
    test: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """One rate of one backend, as recorded and as measured now. test: as in `Record`."""

    backend: str
    metric: str
    recorded: float
    measured: float
    test: str = ""

    @property
    def holds(self) -> bool:
        """True if they agree within `TOLERANCE`."""
        return abs(self.measured - self.recorded) <= TOLERANCE


def record(model: ModelDirectory) -> Record:
    """Read the measurement in a model's manifest. Raises ModelError if there is none to repeat."""
    try:
        facts = manifest.read(model.path)["quantization"]
        rates = {str(backend): _rates(row) for backend, row in facts["measured"].items()}
        clips = tuple(map(str, facts["split"]["test"]))
        found = Record(str(facts["dataset"]), clips, str(facts.get("data", {}).get("test", "")), rates)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(
            f"the manifest of {model.name} holds no measurement that could be repeated; "
            "'asrd quantize' writes one, and 'asrd compare' measures without"
        ) from error
    if not (clips and rates):
        raise ModelError(f"the manifest of {model.name} names no clips or no backends; build the model again")
    return found


def repeatable(model: ModelDirectory, spec: str) -> list[Record]:
    """Return what can be repeated without more data than there is: the proof; or, if it was on speech that does not
    ship with asrd and no place for that is named, the card's measurements on speech that does.

    spec: the place that is named, or "". Raises ModelError if there is nothing to repeat.
    """
    proof = record(model)
    if spec or proof.dataset == BUNDLED:
        return [proof]
    tests = manifest.read(model.path).get("evaluation", {})
    return [tested(model, name) for name, facts in tests.items() if facts.get("dataset") == BUNDLED] or [proof]


def tested(model: ModelDirectory, test: str) -> Record:
    """Read the measurement on one of the test sets of a model's card.

    Raises UsageError if the card has no such set, ModelError if the manifest lacks what repeating it needs.
    """
    evaluation = manifest.read(model.path).get("evaluation", {})
    if test not in evaluation:
        known = alternatives(test, list(evaluation)) if evaluation else "it has none"
        raise UsageError(f"the card of {model.name} has no test set '{test}'; {known}")
    try:
        facts = evaluation[test]
        rates, decoder = {}, ""
        for backend, row in facts["backends"].items():
            rates[str(backend)] = _rates(row)
            if "finals" in row:
                decoder = str(row["finals"]["decoder"])
                rates[str(backend)] |= {f"final {metric}": value for metric, value in _rates(row["finals"]).items()}
        return Record(str(facts["dataset"]), tuple(map(str, facts["clips"])), str(facts["mark"]), rates, decoder, test)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(
            f"the manifest of {model.name} does not say on which clips of '{test}' it was measured"
        ) from error


def _rates(row: Mapping[str, Any]) -> dict[str, float]:
    return {metric: float(row[metric][0]) for metric in ("wer", "cer")}


def find(wanted: Record, spec: str = "") -> list[Clip]:
    """Find the recorded clips, in their order, in the recorded data set or in another place where it is.

    Raises AudioError if the recorded data set is gone, or the clips are incomplete or have changed. Raises what
    `dataset` raises for another place.
    """
    named, spec = bool(spec), spec or wanted.dataset
    remedy = "name the place where it is with --dataset"
    try:
        known = {clip.id: clip for clip in reversed(dataset(spec))}  # of those listed twice the first was measured
    except AsrdError as error:
        if named:
            raise
        raise AudioError(f"the data set of the measurement is not at hand ({error}); {remedy}") from error
    missing = [name for name in wanted.clips if name not in known]
    if missing:
        raise AudioError(f"'{spec}' lacks {len(missing)} of the clips of the measurement, {missing[0]} first; {remedy}")
    clips = [known[name] for name in wanted.clips]
    try:
        same = not wanted.mark or fingerprint(clips) == wanted.mark
    except OSError as error:
        raise AudioError(f"'{spec}' cannot be read ({error.strerror}); {remedy}") from error
    if not same:
        raise AudioError(f"the clips in '{spec}' are not those of the measurement: audio or text was changed; {remedy}")
    return clips


def remeasure(
    model: ModelDirectory, wanted: Record, clips: Sequence[Clip], advance: Callable[[], None] = lambda: None
) -> list[Repeated]:
    """Measure the recorded backends again. Raises what loading and measuring raise.

    advance: called once for each clip and backend, and once more if finals were measured.
    """
    with ExitStack() as loaded:
        backends = {name: load(name, model) for name in wanted.rates}
        for backend in backends.values():
            loaded.callback(backend.close)
        now = {
            name: {metric: getattr(one.score, metric).value for metric in ("wer", "cer")}
            for name, one in measure(backends, clips, advance).items()
        }
        for name in backends if wanted.decoder else ():
            found = finals(backends[name], clips, DecoderOptions(wanted.decoder), advance)[1]
            now[name] |= {f"final {metric}": getattr(found, metric).value for metric in ("wer", "cer")}
    return [
        Repeated(name, metric, recorded, now[name][metric], wanted.test)
        for name, rates in wanted.rates.items()
        for metric, recorded in rates.items()
    ]
