"""Report on a model's confidences: a page and a plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asrd.core.errors import MissingExtraError
from asrd.core.units import SAMPLE_RATE
from asrd.models.calibration import Calibration
from asrd.models.files import writing
from asrd.quant.confidence.calibrate import Judged, Judgement, Times
from asrd.quant.confidence.fit import FOLDS
from asrd.quant.confidence.reliability import BINS, Reliability
from asrd.quant.evaluation.style import COLOURS

TEMPLATE = Path(__file__).with_name("report.md.j2")


def write(
    path: Path, model: str, calibration: Calibration, judgements: Sequence[Judgement], times: Times | None
) -> None:
    """Write a page in Markdown, and a picture of the same name beside it.

    Raises MissingExtraError without jinja2 or matplotlib, ModelError if they cannot be written.
    """
    try:
        import jinja2

        figure = draw(judgements)
    except ImportError as error:
        raise MissingExtraError("quant", "a report") from error
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False)
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        model=model,
        picture=path.with_suffix(".png").name,
        judgements=judgements,
        calibration=calibration,
        times=times,
        bins=BINS,
        folds=FOLDS,
        error=_error,
        ms=lambda count: round(1000 * count / SAMPLE_RATE),
    )
    with writing(path):
        path.write_text(text.rstrip() + "\n", encoding="utf-8")
        figure.savefig(path.with_suffix(".png"), metadata={"Software": None})


def draw(judgements: Sequence[Judgement]) -> Any:
    """Draw a reliability diagram of words beside one of utterances."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8.4, 4.0), dpi=130, layout="constrained")
        for axes, kind in zip(figure.subplots(1, 2, sharey=True), ("words", "utterances"), strict=True):
            axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            for colour, one in zip(COLOURS, judgements, strict=False):
                judged: Judged = getattr(one, kind)
                _points(axes, judged.before, colour, 0.35, "x")
                _points(axes, judged.after, colour, 1.0, "o").set_label(f"{one.dataset}, ECE {judged.after.ece:.3f}")
            axes.plot([], [], "x", color="#777777", alpha=0.6, label="before")
            axes.set(title=kind, xlabel="confidence", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.grid(alpha=0.25, linewidth=0.6)
            axes.legend(loc="upper left", frameon=False)
        figure.axes[0].set_ylabel("share that is right")
    return figure


def _points(axes: Any, one: Reliability, colour: str, alpha: float, marker: str) -> Any:
    confidences, accuracies, _ = zip(*one.bins, strict=True)
    [line] = axes.plot(confidences, accuracies, marker, color=colour, alpha=alpha, markersize=5)
    return line


def _error(one: Reliability) -> str:
    return f"{one.ece:.3f} ({one.low:.3f}–{one.high:.3f})"
