"""Go on training a checkpoint on a few minutes of other speech: a voice, a microphone, a subject of one's own."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from asrd.backends import load
from asrd.core.cpu import flags
from asrd.core.errors import ModelError, UsageError
from asrd.core.flow import FloatArray
from asrd.core.units import SAMPLE_RATE
from asrd.models import ModelDirectory, manifest
from asrd.models.checkpoint import load_checkpoint
from asrd.models.recipe.augment import Augmenter
from asrd.models.recipe.batches import collate, normalized
from asrd.models.recipe.learner import ctc
from asrd.models.vocabulary import Vocabulary
from asrd.quant.data import Clip, fingerprint, read
from asrd.quant.draft import check_output, draft_of
from asrd.quant.measure import measure
from asrd.quant.progress import Progress
from asrd.quant.score import Score
from asrd.quant.text import normalize_text

LONGEST_S = 20.0
"""Longer clips are not learnt from: memory grows with their length, and squared for attention."""

FEWEST = 10
"""Clips, of which 2 are for proof."""

STATE = ".state.pt"
_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Tuning:
    """epochs: at most. patience: epochs without a lower validation loss before it stops. batch: clips a step."""

    epochs: int = 30
    patience: int = 4
    rate: float = 1e-4
    batch: int = 8
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """What is learnt from, what says when to stop, and what shows the gain; no text is in two of them."""

    training: list[Clip]
    validation: list[Clip]
    test: list[Clip]


@dataclass(frozen=True, slots=True)
class Tuned:
    """Error rates on the test part as deployed, before and after; the epoch kept."""

    before: Score
    after: Score
    epoch: int


@dataclass(frozen=True, slots=True)
class Example:
    """Normalised samples and the labels of what is said."""

    pcm: FloatArray
    letters: list[int]


def divide(clips: Sequence[Clip], seed: int) -> Parts:
    """A fifth for proof, a tenth to stop by, the rest to learn from; the same each time for the same seed.

    Raises UsageError for fewer clips than `FEWEST`, or fewer than 3 different texts.
    """
    by_text: dict[str, list[Clip]] = {}
    for clip in clips:
        by_text.setdefault(normalize_text(clip.text), []).append(clip)
    if len(clips) < FEWEST or len(by_text) < 3:
        raise UsageError(
            f"there are {len(clips)} clips of {len(by_text)} texts; record {FEWEST} or more, better a hundred"
        )
    texts = random.Random(seed).sample(sorted(by_text), len(by_text))
    test = max(1, len(texts) // 5)
    validation = max(1, len(texts) // 10)
    cuts = (texts[test + validation :], texts[test : test + validation], texts[:test])
    return Parts(*([clip for text in part for clip in by_text[text]] for part in cuts))


def finetune(
    source: ModelDirectory, out: Path, parts: Parts, tuning: Tuning, *, resume: bool, progress: Progress
) -> Tuned:
    """Write the checkpoint of the best epoch, by validation loss, to the new directory `out`.

    An interrupted run leaves `draft_of(out)`, from which `resume` goes on. Raises UsageError where `out` exists or
    there is nothing to resume, ModelError where no epoch was better than the checkpoint was; nothing is written then.
    """
    check_output(out, STATE if resume else None)
    draft = draft_of(out)
    if draft.exists() and not resume:
        shutil.rmtree(draft)
    draft.mkdir(parents=True, exist_ok=True)
    run = _Run(source, draft, parts, tuning, progress)
    if resume:
        run.load()
    else:
        run.before = _measured(source, parts.test, progress, "before")
    run.learn()
    if not run.best_epoch:
        shutil.rmtree(draft)
        raise ModelError("no epoch was better than the checkpoint: give more speech, or a lower --rate")
    after = _measured(ModelDirectory.open(draft), parts.test, progress, "after")
    tuned = Tuned(run.before, after, run.best_epoch)
    (draft / STATE).unlink()
    manifest.write(draft, finetuning=_facts(source, parts, tuning, tuned))
    draft.replace(out)
    return tuned


class _Run:
    """The epochs of one run; the draft always holds the best checkpoint so far."""

    def __init__(self, source: ModelDirectory, draft: Path, parts: Parts, tuning: Tuning, progress: Progress) -> None:
        self.source, self.draft, self.parts, self.tuning, self.progress = source, draft, parts, tuning, progress
        self.network: Any = load_checkpoint(source)
        self.network.freeze_feature_encoder()
        self.network.config.apply_spec_augment = False
        learnt = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(learnt, tuning.rate, betas=(0.9, 0.98), weight_decay=0.0)
        self.before: Any = None
        self.epoch = self.best_epoch = 0
        self.best = float("inf")

    def learn(self) -> None:
        """Epoch after epoch, until they are over or have not helped for too long."""
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
        """Padded together only where the model takes a mask: others would hear the padding."""
        return [batch] if self.source.attention_mask else [[one] for one in batch]

    def _forward(self, part: list[Example]) -> Any:
        """The CTC loss per letter."""
        batch = collate([one.pcm for one in part], [one.letters for one in part], [np.zeros(1, int)] * len(part))
        lengths = torch.from_numpy(batch.lengths)
        mask = (torch.arange(batch.pcm.shape[1]) < lengths[:, None]).long() if self.source.attention_mask else None
        with torch.autocast("cpu", torch.bfloat16, enabled="avx512_bf16" in flags()):
            logits = self.network(torch.from_numpy(batch.pcm), attention_mask=mask).logits
        return ctc(self.network, logits, lengths, batch.letters, batch.spelled)

    def _loss(self, validation: list[Example]) -> float:
        self.network.eval()
        with torch.inference_mode():
            heard = [Example(self._normal(one.pcm), one.letters) for one in validation]
            total = sum(float(self._forward([one])) * len(one.letters) for one in heard)
        return total / sum(len(one.letters) for one in validation)

    def _keep(self) -> None:
        """The checkpoint, in the precision it was stored in, beside the source's own description of it."""
        for path in self.source.path.iterdir():
            if path.suffix in (".json", ".txt") and path.name != manifest.NAME and "index" not in path.name:
                shutil.copy(path, self.draft / path.name)
        stored = torch.float16 if self.network.config.dtype == torch.float16 else torch.float32
        weights = {name: tensor.to(stored) for name, tensor in self.network.state_dict().items()}
        self.network.save_pretrained(self.draft, state_dict=weights)

    def save(self) -> None:
        """What an interrupted run needs to go on."""
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "identity": self._identity(),
            "before": self.before,
            "epochs": (self.epoch, self.best_epoch, self.best),
        }
        torch.save(state, self.draft / ".state.partial")
        (self.draft / ".state.partial").replace(self.draft / STATE)

    def load(self) -> None:
        """Go on. Raises UsageError where the interrupted run was of other data or of another tuning."""
        state = torch.load(self.draft / STATE, weights_only=False)  # our own file
        if state["identity"] != self._identity():
            raise UsageError("the interrupted run had another model, other speech or options; leave --resume out")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.before = state["before"]
        self.epoch, self.best_epoch, self.best = state["epochs"]

    def _identity(self) -> dict[str, Any]:
        data = fingerprint([*self.parts.training, *self.parts.validation, *self.parts.test])
        return {"model": str(self.source.path), "data": data, "tuning": asdict(self.tuning)}


def examples(model: ModelDirectory, clips: Sequence[Clip]) -> list[Example]:
    """Of the clips that are short enough. What the model has no letters for is left out of the text."""
    found = []
    for clip in clips:
        pcm, letters = read(clip), spell(clip.text, model.vocabulary)
        if len(pcm) <= LONGEST_S * SAMPLE_RATE and model.geometry.frames(len(pcm)) > len(letters) > 0:
            found.append(Example(pcm, letters))
    return found


def spell(text: str, vocabulary: Vocabulary) -> list[int]:
    """The labels of a text, in the model's own case."""
    words = (index for index in range(len(vocabulary)) if index not in vocabulary.special | {vocabulary.blank})
    letters = {normalize_text(vocabulary.tokens[index]): index for index in words}
    space = letters.get("") if vocabulary.delimiter is None else vocabulary.delimiter
    said = (space if letter == " " else letters.get(letter) for letter in normalize_text(text))
    return [index for index in said if index is not None]


def _measured(model: ModelDirectory, clips: Sequence[Clip], progress: Progress, when: str) -> Score:
    """As deployed: the daemon's windows, stitching and decoding."""
    progress.stage(f"measuring {when}", len(clips))
    backend = load("torch", model)
    try:
        return measure({"torch": backend}, clips, progress.advance)["torch"].score
    finally:
        backend.close()


def _facts(source: ModelDirectory, parts: Parts, tuning: Tuning, tuned: Tuned) -> dict[str, Any]:
    return {
        "source": source.name,
        "tuning": asdict(tuning),
        "epoch": tuned.epoch,
        "split": {part: [clip.id for clip in getattr(parts, part)] for part in ("training", "validation", "test")},
        "before": asdict(tuned.before),
        "after": asdict(tuned.after),
    }
