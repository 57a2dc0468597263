"""Mask stripes of the spectrogram, so that the network relies on no single sound (SpecAugment, Park et al. 2019).

Masked values are replaced by their mean over the clip. The masks lie on the units of the front end, each of which
belongs to one mel band. The log-mel spectrogram is linear in them, so it gets its mean as well.
"""

import numpy as np
from torch import Tensor

from asrd.training.logmel import BANDS

SHARE = 0.7
"""Share of clips that are masked."""

_LONGEST, _WIDEST = 18, 14
"""Upper bounds (exclusive) of masks, in steps of 10 ms and in bands."""


def mask(units: Tensor, rng: np.random.Generator) -> None:
    """Mask one to three spans of time and one or two of bands in most clips, in place.

    units: `(clips, steps, 560)`, of which unit `i` belongs to band `i mod 80`.
    """
    steps = units.shape[1]
    for clip in units:
        if rng.random() >= SHARE:
            continue
        mean = clip.mean(0)
        for _ in range(int(rng.integers(1, 4))):
            length = int(rng.integers(2, _LONGEST))
            first = int(rng.integers(max(1, steps - length)))
            clip[first : first + length] = mean
        by_band = clip.view(steps, -1, BANDS)
        for _ in range(int(rng.integers(1, 3))):
            width = int(rng.integers(1, _WIDEST))
            first = int(rng.integers(BANDS - width))
            by_band[..., first : first + width] = mean.view(-1, BANDS)[:, first : first + width]
