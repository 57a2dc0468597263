"""Estimate when words were said: CTC shows where a model was surest of the letters, which lies within a word.

CTC emissions are known to have this bias (Zeyer, Schlüter and Ney 2021, "Why does CTC result in peaky behavior?").
Its size depends on the model, and is measured by `asrd calibrate-confidence`.
"""

from collections.abc import Sequence

from asrd.core.units import Samples
from asrd.models.calibration import Calibration

Span = tuple[int, int]
"""Start and end of a word, in samples."""


def place(letters: Sequence[Span], calibration: Calibration, bounds: Span) -> list[tuple[Samples, Samples]]:
    """Return the times of words whose letters lie in these spans, which follow each other and are not empty.

    Each word reaches beyond its letters by what the calibration says, but not beyond the utterance's bounds, between
    which the middle of all letters lies. Neighbours that would overlap share what lies between them in proportion.
    The results are not empty, follow each other within the bounds and hold the middle of their letters.
    """
    first, last = bounds
    spans = []
    for start, end in letters:
        middle = (start + end) // 2
        spans.append(
            [max(first, min(start - calibration.before, middle)), min(last, max(end + calibration.after, middle + 1))]
        )
    reach = calibration.before + calibration.after
    for (_, end), (start, _), one, other in zip(letters, letters[1:], spans, spans[1:], strict=False):
        if one[1] > other[0]:
            share = min(max(calibration.after / reach, 0.0), 1.0) if reach > 0 else 0.5
            one[1] = other[0] = round(end + share * (start - end))
    return [(Samples(start), Samples(end)) for start, end in spans]
