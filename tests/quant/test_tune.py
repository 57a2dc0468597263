"""Decoder weights are found, and kept with the model."""

import json
import math
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from asrd.core.errors import ModelError
from asrd.core.units import Samples
from asrd.daemon.recognition.decoding import DecoderOptions, make_decoding
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.models import ModelDirectory, manifest
from asrd.models.lm import DecodingSettings, resolve
from asrd.quant.decoder_tuning import CORNERS, Tuner, save
from asrd.quant.evaluation.decode import Clock, text
from asrd.training.language_model.prune import prune
from asrd.training.language_model.trigram import Trigram, arpa

CONFUSED = {"T": "D", "D": "T", "A": "E", "E": "A"}


def spoken(model: ModelDirectory, line: str, sureness: float, seed: int) -> Frames:
    """Make the frames of a text, in which letters that sound alike are mixed up at random."""
    random = np.random.default_rng(seed)
    tokens, size = model.vocabulary.tokens, len(model.vocabulary)
    rows = []
    for letter in line:
        label = model.vocabulary.delimiter if letter == " " else tokens.index(letter)
        row = np.full(size, 0.02 / size)
        share = random.beta(sureness, 2)
        row[label] += share
        row[tokens.index(CONFUSED[letter]) if letter in CONFUSED else label] += 1 - share
        blank = np.full(size, 0.02 / size)
        blank[model.vocabulary.blank] += 1
        rows += [row, row, blank]
    log_probs = np.log(np.array(rows) / np.sum(rows, axis=1, keepdims=True)).astype(np.float32)
    stride, count = model.geometry.stride, len(rows)
    return Frames(log_probs, stride * np.arange(count, dtype=np.int64), (Samples(0), Samples(stride * count)))


LINES = [
    "THE CAT SAT ON THE MAT",
    "THEY ATE ALL THE BREAD",
    "IT WAS A DARK AND STORMY NIGHT",
    "WHAT DO YOU WANT TO EAT",
]


def test_tuned_weights_make_fewer_errors_than_greedy(bundled: ModelDirectory, tmp_path: Path) -> None:
    """It uses the bundled language model, on words in which letters that sound alike were mixed up."""
    heard = [[spoken(bundled, line, 3.0, seed)] for seed, line in enumerate(LINES)]
    tuner = Tuner(bundled, heard, LINES)
    greedy = tuner.greedy()
    best = tuner.tune("en", 32)
    assert greedy.wer.value > 0.3
    assert best.score.wer.value < 0.5 * greedy.wer.value
    assert best.score.wer.value == min(one.score.wer.value for one in tuner.tried.values())
    together = {tuple(getattr(weights, name) for name in CORNERS) for weights in tuner.tried}
    assert set(product(*CORNERS.values())) <= together  # one at a time ends where only two changes at once would gain

    own = tmp_path / "own"
    shutil.copytree(bundled.path, own)
    model = ModelDirectory.open(own)
    save(model, best, greedy, dataset="lines")
    assert not manifest.verify(own)
    assert DecodingSettings.load(own) == best.settings
    assert make_decoding(DecoderOptions("beam"), model).lm == "en"
    clock = Clock()
    texts = [
        text(make_decoding(DecoderOptions("beam", beam_width=32), model), clip, model.geometry.stride, clock=clock)
        for clip in heard
    ]
    assert sum(one == line for one, line in zip(texts, LINES, strict=True)) >= 2
    assert len(clock.finals) == len(LINES)


@pytest.mark.parametrize("content", [{}, {"lm": "en", "lm_weight": "much", "word_bonus": 1}])
def test_a_file_that_cannot_be_understood_is_said(tmp_path: Path, content: dict[str, object]) -> None:
    assert DecodingSettings.load(tmp_path) == DecodingSettings()
    earlier = {"lm": "en", "lm_weight": 0.4, "word_bonus": 1}
    (tmp_path / "decoding.json").write_text(json.dumps(earlier), encoding="utf-8")
    assert DecodingSettings.load(tmp_path) == DecodingSettings("en", 0.4, 1.0)
    (tmp_path / "decoding.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match="asrd tune"):
        DecodingSettings.load(tmp_path)


def test_the_bundled_language_model_knows_words() -> None:
    lm = resolve("en")
    assert lm.name == "en"
    assert len(lm.words) > 50_000
    assert {"the", "don't", "language"} <= set(lm.words)
    assert not set(lm.words) & {"<s>", "</s>", "<unk>"}
    assert lm.path.stat().st_size < 20e6


def test_pruning_keeps_probabilities_whole(tmp_path: Path) -> None:
    """After any word, explicit and backed-off probabilities still sum to one."""
    words = ["<s>", "</s>", "a", "b", "c"]
    p1 = np.log([1e-9, 0.2, 0.3, 0.3, 0.2])
    bigrams = np.array([[2, 0], [3, 2], [4, 2], [1, 3], [2, 3]])  # word, word before
    p2 = np.log([0.6, 0.5, 0.2001, 0.7, 0.1])
    before = np.bincount(bigrams[:, 1], np.exp(p2), 5)
    lower = np.bincount(bigrams[:, 1], np.exp(p1[bigrams[:, 0]]), 5)
    b1 = np.log((1 - before) / (1 - lower))
    none = np.zeros((0, 3), np.int64)
    model = Trigram(words, p1, b1, bigrams, p2, np.zeros(5), none, np.zeros(0))
    pruned = prune(model, 5e-3)
    assert 0 < len(pruned.p2) < 5
    for history in range(5):
        listed = {
            int(word): math.exp(p) for (word, one), p in zip(pruned.bigrams, pruned.p2, strict=True) if one == history
        }
        rest = sum(math.exp(p1[word] + pruned.b1[history]) for word in range(5) if word not in listed)
        assert sum(listed.values()) + rest == pytest.approx(1, abs=1e-6)
    assert len(prune(model, 0).p2) == 5
    path = tmp_path / "x.arpa"
    path.write_text("".join(arpa(pruned)), encoding="utf-8")
    assert resolve(str(path)).words == ("a", "b", "c")
