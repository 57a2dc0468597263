"""The pictures in docs/ hide nothing: legends and labels lie beside the data, and inside the picture."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import endpoints
import in_noise
import pytest
import streaming_plot
import vads

from asrd.quant.evaluation.bootstrap import Rate
from asrd.quant.evaluation.style import styled


def swept() -> list[Any]:
    """Return rows as of `streaming_tax.py --sweep`."""
    tax = Rate(0.001, -0.01, 0.03)
    return [
        SimpleNamespace(
            speech=speech, backend="int8", way=f"{hop} {right}", wer_tax=tax, cer_tax=tax, committed=2 / float(hop)
        )
        for speech, hop, right in product(("one", "other"), ("0.9", "0.3", "0.45", "0.6"), ("0.3", "0.4", "0.6", "0.8"))
    ]


def detected() -> list[dict[str, Any]]:
    """Return rows as of `vads.py`."""
    conditions = [str(in_noise.Condition(kind, ratio)) for kind, ratio in product(vads.NOISES, vads.RATIOS)]
    return [
        {"vad": vad, "condition": condition, "miss": number / 100, "false_alarm": 1 - number / 100}
        for number, (vad, condition) in enumerate(product(vads.DETECTORS, conditions))
    ]


def ended() -> list[dict[str, Any]]:
    """Return rows as of `endpoints.py`."""
    return [
        {"noise": noise, "way": way, "missed": 0.0, "delay_p50": value, "false_cuts": 1 - value}
        for noise, (way, _, _), value in product(endpoints.NOISES, endpoints.WAYS, (0.3, 0.6, 0.9))
    ]


DRAWN = {
    "streaming-tax": lambda: streaming_plot.draw(swept()),
    "vad": lambda: vads.draw(detected()),
    "endpoints": lambda: endpoints.draw(ended()),
}


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_covered_or_cut_off(name: str) -> None:
    with styled():
        figure = DRAWN[name]()
        figure.draw_without_rendering()
        panels = [axes for axes in figure.axes if axes.lines or axes.containers]
        legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
        assert len(legends) == 1
        explained, whole = legends[0].get_window_extent(), figure.bbox
        for axes in panels:
            assert not explained.overlaps(axes.get_tightbbox())
        for box in (explained, *(axes.get_tightbbox() for axes in panels)):
            assert (box.x0, box.y0) >= (0, 0)
            assert whole.x1 >= box.x1
            assert whole.y1 >= box.y1
    for axes in panels:
        assert axes.get_title()
        assert axes.get_xlabel() or not axes.get_subplotspec().is_last_row()
    assert min(text.get_fontsize() for text in legends[0].get_texts()) >= 10


@pytest.mark.parametrize("name", DRAWN)
def test_lines_differ_in_their_marks_too(name: str) -> None:
    with styled():
        figure = DRAWN[name]()
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 2 and line.get_marker() not in "|_"]
    assert len({line.get_marker() for line in lines}) == len({line.get_color() for line in lines}) == len(lines) >= 3


def test_hops_are_in_order_with_what_they_cost() -> None:
    with styled():
        figure = streaming_plot.draw(swept())
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels == ["0.3\n(6.7 ×)", "0.45\n(4.4 ×)", "0.6\n(3.3 ×)", "0.9\n(2.2 ×)"]
