"""Train a checkpoint epoch by epoch, keep the best one, and resume an interrupted run."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError

from asrd.core.cpu import flags
from asrd.core.errors import UsageError
from asrd.core.flow import FloatArray
from asrd.models import ModelDirectory, calibration, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.extract import describe
from asrd.models.files import writing
from asrd.quant.data import fingerprint
from asrd.quant.evaluation.score import Score
from asrd.quant.progress import Progress
from asrd.quant.provenance import hashes
from asrd.training import state
from asrd.training.augment import Augmenter
from asrd.training.batches import collate, normalized
from asrd.training.frontend import GEOMETRY
from asrd.training.lessons import LONGEST_S, Example, Parts, examples
from asrd.training.loss import ctc
from asrd.training.windows import Clip

STATE = ".state.pt"
"""File in the draft that an interrupted run resumes from."""

_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Tuning:
    """Options of a fine-tuning run."""

    epochs: int = 30
    """Most epochs."""
    patience: int = 4
    """Epochs without a lower validation loss before it stops."""
    rate: float = 1e-4
    """Learning rate."""
    batch: int = 8
    """Clips per step."""
    seed: int = 0


class Epochs:
    """The epochs of one run; the draft always holds the best checkpoint so far."""

    def __init__(self, source: ModelDirectory, draft: Path, parts: Parts, tuning: Tuning, progress: Progress) -> None:
        self.source, self.draft, self.parts, self.tuning, self.progress = source, draft, parts, tuning, progress
        self._identity = _identity(source, parts, tuning)
        self.network: Any = load_checkpoint(source)
        _freeze(self.network, source)
        self.network.config.apply_spec_augment = False
        learnt = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(learnt, tuning.rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.before: Any = None
        self.epoch = self.best_epoch = 0
        self.best = float("inf")

    def learn(self) -> None:
        """Run epochs until all are done, or too many in a row brought no improvement."""
        training = examples(self.source, self.parts.training)
        validation = examples(self.source, self.parts.validation)
        if not training or not validation:
            raise UsageError(
                f"no clip is both shorter than {LONGEST_S:g} s and spelled in the model's letters; give others"
            )
        augment = Augmenter(self.tuning.seed)
        if not self.epoch:
            self.best = self._loss(validation)
        while self.epoch < self.tuning.epochs and self.epoch - self.best_epoch < self.tuning.patience:
            self.progress.stage(f"epoch {self.epoch + 1}", len(training))
            self._epoch(training, augment)
            self.epoch += 1
            loss = self._loss(validation)
            self.progress.notice(f"validation loss {loss:.3f}, best {min(loss, self.best):.3f}")
            if loss < self.best:
                self.best, self.best_epoch = loss, self.epoch
                self._keep()
            self.save()

    def _epoch(self, training: list[Example], augment: Augmenter) -> None:
        rng = np.random.default_rng((self.tuning.seed, self.epoch))
        torch.manual_seed(int(rng.integers(2**31)))  # for dropout
        self.network.train()
        order = rng.permutation(len(training))
        for first in range(0, len(order), self.tuning.batch):
            batch = [training[index] for index in order[first : first + self.tuning.batch]]
            heard = [Example(self._normal(augment(one.pcm, rng)), one.letters) for one in batch]
            self.optimizer.zero_grad(set_to_none=True)
            for part in self._passes(heard):
                share = sum(len(one.letters) for one in part) / sum(len(one.letters) for one in heard)
                (self._forward(part) * share).backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            steps = self.epoch * -(-len(order) // self.tuning.batch) + first // self.tuning.batch
            for group in self.optimizer.param_groups:
                group["lr"] = self.tuning.rate * min(1.0, (steps + 1) / _WARM_UP)
            self.optimizer.step()
            self.progress.advance(len(batch))

    def _normal(self, pcm: FloatArray) -> FloatArray:
        return normalized(pcm) if self.source.normalize else pcm

    def _passes(self, batch: list[Example]) -> list[list[Example]]:
        """Split a batch into forward passes. Only a model that takes a mask gets padded clips: others would hear the
        padding.
        """
        return [batch] if self.source.attention_mask else [[one] for one in batch]

    def _forward(self, part: list[Example]) -> Any:
        """Compute the CTC loss per letter."""
        batch = collate([Clip(one.pcm, np.array(one.letters)) for one in part])
        lengths = torch.from_numpy(batch.lengths)
        mask = (torch.arange(batch.pcm.shape[1]) < lengths[:, None]).long() if self.source.attention_mask else None
        with torch.autocast("cpu", torch.bfloat16, enabled="avx512_bf16" in flags()):
            logits = self.network(torch.from_numpy(batch.pcm), attention_mask=mask).logits
        frames = self.network._get_feat_extract_output_lengths(lengths)
        return ctc(logits, frames, batch.letters, batch.spelled, self.network.config.pad_token_id)

    def _loss(self, validation: list[Example]) -> float:
        self.network.eval()
        with torch.inference_mode():
            heard = [Example(self._normal(one.pcm), one.letters) for one in validation]
            total = sum(float(self._forward([one])) * len(one.letters) for one in heard)
        return total / sum(len(one.letters) for one in validation)

    def _keep(self) -> None:
        """Save the checkpoint, in the precision it was stored in, with the source's own description of it.

        The calibration of confidences is left out, as it does not hold for the new weights. The weights of a language
        model are copied; they are a good start.
        """
        for path in [] if self.source.language else self.source.path.iterdir():
            described = path.suffix in (".json", ".txt") and "index" not in path.name
            if described and path.name not in (manifest.NAME, calibration.NAME):
                shutil.copy(path, self.draft / path.name)
        if self.source.language:
            describe(self.source, self.draft)
        stored = torch.float16 if self.network.config.dtype == torch.float16 else torch.float32
        weights = {name: tensor.to(stored) for name, tensor in self.network.state_dict().items()}
        with writing(self.draft, SafetensorError):
            self.network.save_pretrained(self.draft, state_dict=weights)

    def save(self) -> None:
        """Save what an interrupted run needs to resume."""
        found = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "identity": self._identity,
            "before": msgspec.to_builtins(self.before),
            "epochs": (self.epoch, self.best_epoch, self.best),
        }
        with writing(self.draft, RuntimeError):  # what PyTorch raises
            state.save(self.draft / STATE, found)

    def load(self) -> None:
        """Resume an interrupted run. Raises UsageError where it had another model, other data or another tuning, and
        ModelError where its state cannot be read.
        """
        found = state.load(self.draft / STATE)
        if found.get("identity") != self._identity:
            raise UsageError("the interrupted run had another model, other speech or options; leave --resume out")
        self.network.load_state_dict(found["network"])
        self.optimizer.load_state_dict(found["optimizer"])
        self.before = msgspec.convert(found["before"], Score | None)
        self.epoch, self.best_epoch, self.best = found["epochs"]


def _freeze(network: Any, source: ModelDirectory) -> None:
    """Freeze the convolutions.

    In a model trained by `asrd model train` the front end ends after the projection, and the positional convolution is
    computed, too: small steps in thousands of its weights would drown it in noise. So would bfloat16, which is too
    coarse for small sounds beside large constants.
    """
    network.freeze_feature_encoder()
    if source.geometry == GEOMETRY:
        inner = network.base_model
        for part in (inner.feature_extractor, inner.feature_projection, inner.encoder.pos_conv_embed):
            part.requires_grad_(False)
            part.forward = _in_float32(part.forward)


def _in_float32(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of tensors so that it computes in float32, even within autocast."""

    def full(*inputs: Any) -> Any:
        with torch.autocast("cpu", enabled=False):
            return forward(*(part.float() for part in inputs))

    return full


def _identity(source: ModelDirectory, parts: Parts, tuning: Tuning) -> dict[str, Any]:
    """Return what must not change between an interrupted run and the one that resumes it."""
    data = fingerprint([*parts.training, *parts.validation, *parts.test])
    return {"model": hashes(source), "data": data, "tuning": asdict(tuning)}
