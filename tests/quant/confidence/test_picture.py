"""The reliability diagram hides nothing, and tells before from after without colours."""

import numpy as np

from asrd.quant.confidence.calibrate import Judged, Judgement
from asrd.quant.confidence.reliability import Item, Reliability, reliability
from asrd.quant.confidence.report import draw
from asrd.quant.evaluation.style import COLOURS


def measured(shift: float) -> Reliability:
    """Return the reliability of confidences that are too high by `shift`."""
    generator = np.random.default_rng(0)
    confidence = generator.random(300)
    right = generator.random(300) < confidence - shift
    return reliability([Item(c, float(r), n // 10) for n, (c, r) in enumerate(zip(confidence, right, strict=True))])


def test_nothing_is_covered_and_data_sets_differ_in_their_marks() -> None:
    judged = Judged(measured(0.2), measured(0.0))
    names = ["bundled", "held-out speakers", "a data set with a long name", "all"]
    figure = draw([Judgement(name, 0.8, judged, judged) for name in names])
    figure.draw_without_rendering()
    [below] = figure.legends
    assert [text.get_text() for text in below.get_texts()] == [*names, "before calibration"]
    for axes in figure.axes:
        assert not below.get_window_extent().overlaps(axes.get_tightbbox())
        assert axes.get_tightbbox().x1 <= figure.bbox.x1
    own = [line for line in figure.axes[0].lines if line.get_color() in COLOURS]
    assert len({(line.get_marker(), line.get_fillstyle()) for line in own}) == len(own) == 2 * len(names)
    assert 0 <= below.get_window_extent().x0 <= below.get_window_extent().x1 <= figure.bbox.x1
