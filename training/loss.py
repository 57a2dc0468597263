"""What is made small: the CTC loss (Graves et al. 2006), and how far two hearings of one clip are apart."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def ctc(logits: Tensor, frames: Tensor, letters: np.ndarray, spelled: np.ndarray, blank: int = 0) -> Tensor:
    """How improbable the text is, over all ways to say it, per letter. Clips with fewer frames than their letters need
    count as 0.

    logits: `(clips, frames, labels)`. frames: of each clip. letters: `(clips, most)`, of which `spelled` count.
    """
    targets, counts = (torch.from_numpy(part).to(logits.device) for part in (letters, spelled))
    log_probs = logits.float().log_softmax(-1).transpose(0, 1)
    each = functional.ctc_loss(log_probs, targets, frames, counts, blank, reduction="none", zero_infinity=True)
    return each.sum() / counts.sum().clamp_min(1)


def apart(logits: Tensor, frames: Tensor, letters: int) -> Tensor:
    """How much two hearings of the same clips differ: the mean of both Kullback-Leibler divergences, per letter.

    CTC alone is soon content with what it knows by heart. That what is heard must not depend on what is hidden keeps it
    from that (Yao et al. 2025, "CR-CTC: consistency regularization on CTC for improved speech recognition"). Each
    hearing learns from the other, as it is: no gradient flows into what is learnt from.

    logits: `(2 clips, frames, labels)`, the second hearings behind the first. frames: of each clip, `(clips,)`.
    """
    one, other = logits.float().log_softmax(-1).chunk(2)
    fixed, other_fixed = one.detach(), other.detach()
    each = fixed.exp() * (fixed - other) + other_fixed.exp() * (other_fixed - one)
    inside = torch.arange(logits.shape[1], device=frames.device) < frames[:, None]
    return 0.5 * (each.sum(-1) * inside).sum() / max(1, letters)


def core(logits: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """The frames from `first` to before `last` of each clip, moved to the front, and how many they are.

    logits: `(clips, frames, labels)`. first, last: `(clips,)`. At least one frame of each clip is kept.
    """
    counts = (last - first).clamp_min(1)
    wanted = first[:, None] + torch.arange(int(counts.max()), device=first.device)
    wanted = wanted.clamp_max(logits.shape[1] - 1)
    return logits.gather(1, wanted[..., None].expand(-1, -1, logits.shape[2])), counts
