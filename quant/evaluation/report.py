"""`report.html`: what was built and measured, for people; a single file that needs no network."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asrd.core.errors import MissingExtraError
from asrd.core.units import counted
from asrd.models.files import writing
from asrd.quant.evaluation import plots
from asrd.quant.evaluation.bound import Bound
from asrd.quant.evaluation.cost import Cost
from asrd.quant.evaluation.differences import differences
from asrd.quant.evaluation.figures import figures
from asrd.quant.evaluation.measure import Measurement
from asrd.quant.evaluation.speed import spread
from asrd.quant.evaluation.svg import tail

TEMPLATE = Path(__file__).with_name("report.html.j2")
SHOWN = 20
"""Most utterances set side by side."""

NAME = 32
"""Most letters of an utterance's name that are shown before the reader asks for more."""


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report.

    verdict: one sentence. measurements: by backend; the first is the reference for the others, and its texts are set
    beside the last one's. references, ids: of the clips measured on.
    sizes: bytes of each backend's files, 0 if unknown.
    costs: what the last backend costs against the first. bound: what it may cost. busy: why speeds are no fact, in one
    sentence; "" if they are.
    reverted: accuracy lost, a fraction, after each step of accuracy control, by name of the step.
    sensitivity: how much each layer alone suffers from 8 bits, in nats per frame, in the network's order.
    facts: anything else worth a line, by name.
    """

    title: str
    verdict: str
    measurements: Mapping[str, Measurement]
    references: Sequence[str]
    ids: Sequence[str]
    sizes: Mapping[str, int]
    costs: Sequence[Cost] = ()
    bound: Bound = field(default_factory=Bound)
    busy: str = ""
    reverted: Sequence[tuple[str, float]] = ()
    sensitivity: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def write_report(path: Path, facts: Report) -> None:
    """Write the report as HTML. The same facts give the same bytes.

    Raises MissingExtraError without jinja2 or matplotlib, ModelError if it cannot be written.
    """
    try:
        text = render(facts)
    except ImportError as error:
        raise MissingExtraError("quant", "a report") from error
    with writing(path):
        path.write_text(text, encoding="utf-8")


def render(facts: Report) -> str:
    """Render the HTML document."""
    import jinja2

    measured = list(facts.measurements.values())
    first, last = measured[0], measured[-1]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["counted"], environment.globals["tail"] = counted, lambda name: tail(name, NAME)
    environment.filters["sentence"] = lambda text: f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
    environment.filters["known"] = lambda value, digits: "?" if math.isnan(value) else f"{value:.{digits}f}"
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=facts,
        rows=figures(facts.measurements, facts.sizes),
        plots=plots,
        spreads={name: spread(one.window_seconds) for name, one in facts.measurements.items()},
        differing=differences(facts.ids, facts.references, first.texts, last.texts),
        shown=SHOWN,
    )
