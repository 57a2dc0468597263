"""The CTC loss (Graves et al. 2006): how improbable a text is, over all ways to say it."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def ctc(logits: Tensor, frames: Tensor, letters: np.ndarray, spelled: np.ndarray, blank: int = 0) -> Tensor:
    """The loss per letter; clips with fewer frames than their letters need count as 0.

    logits: `(clips, frames, labels)`. frames: of each clip. letters: `(clips, most)`, of which `spelled` count.
    """
    targets, counts = (torch.from_numpy(part).to(logits.device) for part in (letters, spelled))
    log_probs = logits.float().log_softmax(-1).transpose(0, 1)
    each = functional.ctc_loss(log_probs, targets, frames, counts, blank, reduction="none", zero_infinity=True)
    return each.sum() / counts.sum().clamp_min(1)


def core(logits: Tensor, first: Tensor, last: Tensor) -> tuple[Tensor, Tensor]:
    """The frames from `first` to before `last` of each clip, moved to the front, and how many they are.

    logits: `(clips, frames, labels)`. first, last: `(clips,)`. At least one frame of each clip is kept.
    """
    counts = (last - first).clamp_min(1)
    wanted = first[:, None] + torch.arange(int(counts.max()), device=first.device)
    wanted = wanted.clamp_max(logits.shape[1] - 1)
    return logits.gather(1, wanted[..., None].expand(-1, -1, logits.shape[2])), counts
