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
from asrd.quant.evaluation.style import COLOURS, MARKERS, legend, panels, save, styled

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
        save(figure, path.with_suffix(".png"))


def draw(judgements: Sequence[Judgement]) -> Any:
    """Draw a reliability diagram of words beside one of utterances."""
    with styled():
        figure, axes = panels(1, 2, 4.4, sharey=True)
        for axis, kind in zip(axes[0], ("words", "utterances"), strict=True):
            axis.plot([0, 1], [0, 1], color="#999999", marker="", linestyle="--", linewidth=1, zorder=0)
            for colour, marker, one in zip(COLOURS, MARKERS, judgements, strict=False):
                judged: Judged = getattr(one, kind)
                _points(axis, judged.before, colour, marker, "none")
                _points(axis, judged.after, colour, marker, "full").set_label(one.dataset)
            axis.set(title=kind, xlabel="confidence", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes[0][0].set_ylabel("share that is right")
        known, _ = axes[0][0].get_legend_handles_labels()
        before = axes[0][0].plot([], [], "o", color="#777777", fillstyle="none", label="before calibration")
        legend(figure, [*known, *before], columns=4)
    return figure


def _points(axis: Any, one: Reliability, colour: str, marker: str, fill: str) -> Any:
    confidences, accuracies, _ = zip(*one.bins, strict=True)
    [line] = axis.plot(confidences, accuracies, marker, color=colour, fillstyle=fill, clip_on=False)
    return line


def _error(one: Reliability) -> str:
    return f"{one.ece:.3f} ({one.low:.3f}–{one.high:.3f})"
