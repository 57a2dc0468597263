"""`report.html`: what was built and measured, for people; a single file that needs no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asrd.core.errors import MissingExtraError
from asrd.models.files import writing
from asrd.quant.evaluation.differences import differences
from asrd.quant.evaluation.figures import figures
from asrd.quant.evaluation.measure import Measurement

TEMPLATE = Path(__file__).with_name("report.html.j2")
SHOWN = 20
"""Most utterances set side by side."""


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report.

    verdict: one sentence. measurements: by backend; the first is the reference for the others, and its texts are set
    beside the last one's. references, ids: of the clips measured on.
    sizes: bytes of each backend's files, 0 if unknown.
    reverted: accuracy, a fraction, after each step of accuracy control, by name of the step.
    sensitivity: how much each layer alone suffers from 8 bits, in nats per frame, in the network's order.
    facts: anything else worth a line, by name.
    """

    title: str
    verdict: str
    measurements: Mapping[str, Measurement]
    references: Sequence[str]
    ids: Sequence[str]
    sizes: Mapping[str, int]
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
    import markupsafe

    from asrd.quant.evaluation import plots

    measured = list(facts.measurements.values())
    rows = figures(facts.measurements, facts.sizes)
    known = {name: size for name, size in facts.sizes.items() if size}
    drawn = {
        "reverted": plots.steps(facts.reverted) if facts.reverted else "",
        "sensitivity": plots.sensitivity(facts.sensitivity) if facts.sensitivity else "",
        "latency": plots.latency({row.backend: [1000 * taken for taken in row.window_seconds] for row in measured}),
        "sizes": plots.sizes(known) if known else "",
    }
    first, last = measured[0], measured[-1]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=facts,
        rows=rows,
        plots={name: markupsafe.Markup(svg) for name, svg in drawn.items()},
        differing=differences(facts.ids, facts.references, first.texts, last.texts),
        shown=SHOWN,
    )
