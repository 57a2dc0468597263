"""The same audio gives the same result as transformers' own model and processor."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from asrd.backends import load
from asrd.core.flow import FloatArray, Level
from asrd.core.units import MAX_WINDOW, Samples
from asrd.daemon.recognition.decoding.frames import Frames
from asrd.daemon.recognition.decoding.greedy import GreedyDecoder
from asrd.daemon.recognition.recognizer import log_softmax, normalize
from asrd.daemon.sources.files import read_blocks
from asrd.models import ModelDirectory
from asrd.models.speech import bundled as speech

MODELS = ["bundled", "base_model", "lv60_model"]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> ModelDirectory:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=[MAX_WINDOW, MAX_WINDOW // 3, 5 * MAX_WINDOW], ids=["window", "shorter", "longer"])
def audio(request: pytest.FixtureRequest, babble: FloatArray) -> FloatArray:
    """Audio far from zero mean and unit variance, so that missing normalisation shows."""
    return 0.3 * np.resize(babble, request.param) + 0.05


def theirs(model: ModelDirectory, audio: FloatArray) -> tuple[FloatArray, str]:
    """Run transformers: return logits `(1, frames, vocabulary)`, and the text."""
    processor = transformers.Wav2Vec2Processor.from_pretrained(model.path, local_files_only=True)
    network = transformers.Wav2Vec2ForCTC.from_pretrained(model.path, dtype=torch.float32, local_files_only=True)
    with torch.inference_mode():
        logits = network.eval()(**processor(audio, sampling_rate=16_000, return_tensors="pt")).logits
    return logits.numpy(), processor.batch_decode(logits.argmax(-1))[0]


def ours(name: str, model: ModelDirectory, audio: FloatArray) -> FloatArray:
    backend = load(name, model)
    values = normalize(audio, Level(float(audio.mean()), float(audio.std()))) if model.normalize else audio
    return backend.logits(values[None])


def spelled(model: ModelDirectory, logits: FloatArray) -> str:
    """Decode `(frames, vocabulary)` greedily."""
    stride, count = model.geometry.stride, len(logits)
    frames = Frames(log_softmax(logits), stride * np.arange(count), (Samples(0), Samples(stride * count)))
    return GreedyDecoder(model.vocabulary, stride).decode(frames, count, last=True).text


def test_torch_is_transformers(model: ModelDirectory, audio: FloatArray) -> None:
    logits, text = theirs(model, audio)
    mine = ours("torch", model, audio)
    np.testing.assert_allclose(mine, logits, atol=1e-4)
    assert spelled(model, mine[0]) == " ".join(text.split())  # theirs has an empty word between two delimiters


def test_torch_leaves_f32_its_bits_on_a_gpu(base_model: ModelDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    load("torch", base_model)
    assert not torch.backends.cudnn.allow_tf32


def test_fp16_is_within_a_hundredth(model: ModelDirectory, audio: FloatArray) -> None:
    np.testing.assert_allclose(ours("fp16", model, audio), theirs(model, audio)[0], atol=1e-2, rtol=0)


def test_a_random_model_spells_something(base_model: ModelDirectory, babble: FloatArray) -> None:
    """A random model spells something; otherwise the comparison of texts above would compare nothing."""
    assert len(set(theirs(base_model, babble)[1])) > 5


def test_unnormalised_models_get_the_audio_as_it_is(base_model: ModelDirectory, tmp_path: Path) -> None:
    """`do_normalize` is read from the checkpoint, not assumed."""
    processor = transformers.Wav2Vec2Processor.from_pretrained(base_model.path, local_files_only=True)
    processor.feature_extractor.do_normalize = False
    transformers.Wav2Vec2ForCTC.from_pretrained(base_model.path, local_files_only=True).save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    model = ModelDirectory.open(tmp_path)
    audio = np.linspace(-0.1, 0.3, MAX_WINDOW, dtype=np.float32)
    np.testing.assert_allclose(ours("torch", model, audio), theirs(model, audio)[0], atol=1e-4)


def test_int8_hears_what_torch_hears(bundled: ModelDirectory) -> None:
    """INT8 differs from PyTorch in few letters; where a CPU's kernels are wrong, nearly all differ."""
    for utterance in speech("real")[:2]:
        audio = np.concatenate([*read_blocks(utterance.audio)])[:MAX_WINDOW]
        whole, eight = (ours(name, bundled, audio)[0].argmax(axis=1) for name in ("torch", "int8"))
        assert np.mean(whole == eight) > 0.9
