"""The training losses: CTC (Graves et al. 2006), and the divergence between two versions of one clip."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def ctc(logits: Tensor, frames: Tensor, letters: np.ndarray, spelled: np.ndarray, blank: int = 0) -> Tensor:
    """Compute the CTC loss per letter: the negative log-probability of the text, summed over all its alignments.

    Clips with fewer frames than their letters need count as 0.

    logits: `(clips, frames, labels)`. frames: of each clip. letters: `(clips, most)`, of which `spelled` count.
    """
    targets, counts = (torch.from_numpy(part).to(logits.device) for part in (letters, spelled))
    log_probs = logits.float().log_softmax(-1).transpose(0, 1)
    each = functional.ctc_loss(log_probs, targets, frames, counts, blank, reduction="none", zero_infinity=True)
    return each.sum() / counts.sum().clamp_min(1)


def apart(logits: Tensor, frames: Tensor, letters: int) -> Tensor:
    """Compute how much two versions of the same clips differ: the mean of both Kullback-Leibler divergences, per
    letter.

    With CTC alone the network soon knows its data by heart. It does not where the output must not depend on what is
    masked (Yao et al. 2025, "CR-CTC: consistency regularization on CTC for improved speech recognition"). Each version
    learns from the other, as it is: no gradient flows into the one that is learnt from.

    logits: `(2 clips, frames, labels)`, the second versions after the first. frames: of each clip, `(clips,)`.
    """
    one, other = logits.float().log_softmax(-1).chunk(2)
    fixed, other_fixed = one.detach(), other.detach()
    each = fixed.exp() * (fixed - other) + other_fixed.exp() * (other_fixed - one)
    inside = torch.arange(logits.shape[1], device=frames.device) < frames[:, None]
    return 0.5 * (each.sum(-1) * inside).sum() / max(1, letters)


def core(logits: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """Move the frames from `first` to before `last` of each clip to the front; return them, and how many they are.

    logits: `(clips, frames, labels)`. first, last: `(clips,)`. At least one frame of each clip is kept.
    """
    counts = (last - first).clamp_min(1)
    wanted = first[:, None] + torch.arange(int(counts.max()), device=first.device)
    wanted = wanted.clamp_max(logits.shape[1] - 1)
    return logits.gather(1, wanted[..., None].expand(-1, -1, logits.shape[2])), counts
