"""Train step by step, on the letters alone, by CTC (Graves et al. 2006). Whisper's output is never used."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from asrd.core.cpu import flags
from asrd.core.errors import ModelError
from asrd.core.flow import FloatArray
from asrd.training import encoder, state
from asrd.training.batches import Batch, padded
from asrd.training.frontend import FrontEnd, frames
from asrd.training.loss import apart, core, ctc
from asrd.training.masks import mask
from asrd.training.masters import Masters
from asrd.training.plan import Plan
from asrd.training.positions import Exported

_SHORT = {"amx_bf16", "avx512_bf16"}
"""CPU features, any of which makes bfloat16 faster than float32: 2.5 times with AVX512-BF16."""


@dataclass(frozen=True, slots=True)
class Report:
    """Figures of one step. loss: per letter. norm: of the gradient."""

    loss: float
    norm: float


class Learner:
    """The blocks and the head, their masters, the optimizer, and the progress made. The front end is frozen."""

    def __init__(self, model: Any, plan: Plan) -> None:
        """model: a Wav2Vec2ForCTC as `assemble` makes it. It is trained on a GPU where there is one."""
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self._device.type == "cuda" or _SHORT & set(flags()) else torch.float32
        self._model, self.plan = model, plan
        self._front = FrontEnd(model, dtype).to(self._device)
        self._positions = Exported(model.wav2vec2.encoder.pos_conv_embed).to(self._device)
        self._encoder = encoder.read(model, plan.dropout).to(self._device)
        self._masters = Masters(self._encoder, dtype)
        head = {name: weight for name, weight in self._masters.weights.items() if name.startswith("head.")}
        blocks = [weight for name, weight in self._masters.weights.items() if name not in head]
        groups = [{"params": blocks}, {"params": list(head.values())}]
        self._optimizer = torch.optim.AdamW(groups, plan.blocks, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        self.step, self.seconds = 0, 0.0

    @property
    def progress(self) -> float:
        """The share of the plan that is done."""
        return self.step / self.plan.steps if self.plan.steps else self.seconds / (60 * self.plan.minutes)

    @property
    def hears_wholes(self) -> bool:
        """True while whole utterances are learnt from, with all of Whisper's positions; later it is parts of them."""
        return self.progress < self.plan.turn

    def learn(self, batch: Batch) -> Report:
        """Take one step. Where the gradient is not finite, the weights stay as they are."""
        began, parts = time.monotonic(), not self.hears_wholes
        rates = self.plan.rates(self.progress, self.step)
        for group, rate in zip(self._optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        torch.manual_seed(self.plan.seed << 32 | self.step)  # seeds dropout, so that a resumed run is the same
        loss = self._loss(batch, parts)
        loss.backward()
        self._masters.collect()
        norm = nn.utils.clip_grad_norm_(list(self._masters.weights.values()), 1.0)
        if torch.isfinite(norm):
            self._optimizer.step()
            self._masters.publish()
            if parts:
                self._masters.average()
        self.step += 1
        self.seconds += time.monotonic() - began
        return Report(loss.item(), norm.item())

    def _loss(self, batch: Batch, parts: bool) -> Tensor:
        pcm, lengths, first, last = (
            torch.from_numpy(part).to(self._device) for part in (batch.pcm, batch.lengths, batch.first, batch.last)
        )
        counts = frames(lengths)
        if not parts:
            with torch.no_grad():
                features = self._front(pcm)
            return ctc(self._encoder(features, counts), counts, batch.letters, batch.spelled)
        rng = np.random.default_rng((self.plan.seed, 3, self.step))
        times = 2 if self.plan.consistency else 1
        with torch.no_grad():
            units = self._front.units(pcm).repeat(times, 1, 1)
            mask(units, rng)
            features = self._front.features(units)
        heard = counts.repeat(times)
        logits = self._encoder(features, heard, self._positions(features, heard))
        inner = core(logits, first.repeat(times), torch.minimum(last, counts).repeat(times))
        letters, spelled = np.tile(batch.letters, (times, 1)), np.tile(batch.spelled, times)
        loss = ctc(*inner, letters, spelled)
        if self.plan.consistency:
            loss = loss + self.plan.consistency * apart(logits, counts, int(batch.spelled.sum()))
        return loss

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def log_probs(self, heard: list[FloatArray]) -> list[FloatArray]:
        """Compute log-probabilities, `(frames, labels)` each, of clips of unit variance, with the weights of the last
        step.
        """
        pcm = torch.from_numpy(padded(heard)).to(self._device)
        counts = frames(torch.tensor([len(clip) for clip in heard], device=self._device))
        features = self._front(pcm)
        positions = self._positions(features, counts) if self.plan.start else None
        self._encoder.eval()
        found = self._encoder(features, counts, positions).log_softmax(-1).cpu().numpy()
        self._encoder.train()
        return [each[:count] for each, count in zip(found, counts.tolist(), strict=True)]

    def trained(self) -> Any:
        """Return the Wav2Vec2ForCTC with the running mean of the weights."""
        best = encoder.read(self._model)
        best.load_state_dict({name: weight.cpu() for name, weight in self._masters.best().items()})
        encoder.write(best, self._model)
        return self._model

    def save(self, path: Path) -> None:
        """Save everything a run needs to resume, atomically."""
        found = {
            "masters": self._masters.state(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "plan": self.plan.plain(),
        }
        state.save(path, found)

    def load(self, path: Path) -> None:
        """Resume where `save` left off. Raises ModelError where that run had another plan, or the file is damaged."""
        found = state.load(path, self._device)
        if found["plan"] != self.plan.plain():
            raise ModelError(f"{path} belongs to a run of another plan; take another directory, or delete it")
        self._masters.restore(found["masters"])
        self._optimizer.load_state_dict(found["optimizer"])
        self.step, self.seconds = found["step"], found["seconds"]
