"""One step after the other: letters by CTC and, beside them, the phone of every frame where it is known.

CTC (Graves et al. 2006) alone has to find out what sounds like what and when it is said at once. Phones whose times are
known teach the first; they are read off below the top by a head of their own, which is not part of the model.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from asrd.core.cpu import flags
from asrd.core.errors import ModelError
from asrd.models.recipe.align import PHONES
from asrd.models.recipe.batches import UNKNOWN, Batch
from asrd.models.recipe.plan import Plan

_ABOVE = 2
"""Blocks above the one that phones are read off: they are free to learn spelling."""


@dataclass(frozen=True, slots=True)
class Report:
    """letters, phones: the losses. right: the share of frames whose phone was. norm: of the gradient."""

    letters: float
    phones: float
    right: float
    norm: float


class Learner:
    """The network, its phone head, the optimizer, and how far they are."""

    def __init__(self, model: Any, plan: Plan) -> None:
        """model: a Wav2Vec2ForCTC, which is trained in place, on a GPU where there is one."""
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._short = self._device.type == "cuda" or "amx_bf16" in flags()  # other CPUs are slower in bfloat16
        self.model, self.plan = model.to(self._device), plan
        model.set_attn_implementation("eager")  # on CPUs the fused kernel's backward pass is the slower one
        # Layer normalisation right behind it makes the gradients of the filterbank enormous: it stays as it is.
        model.wav2vec2.feature_extractor.conv_layers[0].conv.requires_grad_(False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(plan.seed)
            width = model.config.hidden_size
            self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(PHONES))).to(self._device)
        self._layer = max(1, model.config.num_hidden_layers - _ABOVE)
        everything = [*model.parameters(), *self.head.parameters()]
        self._learnt = [parameter for parameter in everything if parameter.requires_grad]
        self._optimizers = optimizers(model, self._learnt, plan.peak)
        self.step, self.seconds = 0, 0.0

    @property
    def progress(self) -> float:
        """The share of the plan that is done."""
        return self.step / self.plan.steps if self.plan.steps else self.seconds / (60 * self.plan.minutes)

    def learn(self, batch: Batch) -> Report:
        """Take one step."""
        began, progress = time.monotonic(), self.progress
        self.model.train()
        for group in (group for optimizer in self._optimizers for group in optimizer.param_groups):
            group["lr"] = self.plan.rate(progress, self.step)
        letters, phones, right = self._losses(batch)
        loss = self.plan.letter_weight(progress) * letters + self.plan.phone_weight(progress) * phones
        for parameter in self._learnt:
            parameter.grad = None
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self._learnt, 1.0)
        if torch.isfinite(norm):
            for optimizer in self._optimizers:
                optimizer.step()
        self.step += 1
        self.seconds += time.monotonic() - began
        return Report(letters.item(), phones.item(), right.item(), norm.item())

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """The losses of letters, per letter, and of phones, per frame; and the share of frames that are right."""
        pcm, lengths = (torch.from_numpy(part).to(self._device) for part in (batch.pcm, batch.lengths))
        mask = (torch.arange(pcm.shape[1], device=self._device) < lengths[:, None]).long()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._short):
            output = self.model(pcm, attention_mask=mask, output_hidden_states=True)
            heard = self.head(output.hidden_states[self._layer])
        letters = ctc(self.model, output.logits, lengths, batch.letters, batch.spelled)
        said = torch.from_numpy(batch.phones).to(self._device)
        known = said != UNKNOWN
        if not known.any():
            return letters, letters.new_zeros(()), letters.new_zeros(())
        scores = heard.float()[:, : said.shape[1]][known]
        right = (scores.argmax(-1) == said[known]).float().mean()
        return letters, functional.cross_entropy(scores, said[known], label_smoothing=0.05), right

    def save(self, path: Path) -> None:
        """Everything a run needs to go on, whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "head": self.head.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "seconds": self.seconds,
            "plan": self.plan.plain(),
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on where `save` left off. Raises ModelError where that was another plan."""
        state = torch.load(path, weights_only=True, map_location=self._device)
        if state["plan"] != self.plan.plain():
            raise ModelError(f"{path} belongs to a run of another plan; take another directory, or delete it")
        self.model.load_state_dict(state["model"])
        self.head.load_state_dict(state["head"])
        for optimizer, kept in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.step, self.seconds = state["step"], state["seconds"]


def ctc(model: Any, logits: Tensor, lengths: Tensor, letters: np.ndarray, spelled: np.ndarray) -> Tensor:
    """The CTC loss per letter; 0 for clips that have fewer frames than letters.

    logits: `(clips, frames, labels)`. lengths: samples a clip. letters: `(clips, most)`, of which `spelled` count.
    """
    frames = model._get_feat_extract_output_lengths(lengths)
    targets, counts = (torch.from_numpy(part).to(logits.device) for part in (letters, spelled))
    log_probs = logits.float().log_softmax(-1).transpose(0, 1)
    blank = model.config.pad_token_id
    each = functional.ctc_loss(log_probs, targets, frames, counts, blank, reduction="none", zero_infinity=True)
    return each.sum() / counts.sum().clamp_min(1)


def optimizers(model: Any, learnt: list[Any], rate: float) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) for the matrices of the blocks, AdamW for everything else.

    Muon makes the update of a matrix orthogonal; scaled as in Liu et al. 2025, "Muon is scalable for LLM training", it
    takes AdamW's rates.
    """
    matrices = [parameter for parameter in model.wav2vec2.encoder.layers.parameters() if parameter.ndim == 2]
    inner = {id(parameter) for parameter in matrices}
    others = [parameter for parameter in learnt if id(parameter) not in inner]
    return [
        torch.optim.Muon(matrices, rate, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
    ]
