"""Quantize a Wav2Vec2 checkpoint with the libraries alone: `python examples/quantize_by_hand.py -o by-hand`.

transformers loads the checkpoint, OpenVINO converts it, and NNCF turns it into 8 bits; layers go back to floating point
until the word error rate on some speech rises by no more than 0.01. `asrd quantize` is made of this; it adds windows as
they are streamed, and a proof.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets
import jiwer
import numpy as np
import soundfile
import torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

from asrd.models import runtime, speech, store

nncf, openvino = runtime.nncf(), runtime.openvino()  # imports them without their usage reports

options = argparse.ArgumentParser(description="Quantize a Wav2Vec2 checkpoint with NNCF's accuracy control.")
options.add_argument("--model", type=Path, default=store.BUNDLED / "asrd-tiny-en", help="directory of a checkpoint")
options.add_argument("--clips", type=int, default=20, help="recordings in each of three sets")
options.add_argument("-o", "--output", type=Path, required=True, help="directory to write the OpenVINO model to")
chosen = options.parse_args()

# 1. The checkpoint and its processor.
model = Wav2Vec2ForCTC.from_pretrained(chosen.model).eval()
processor = Wav2Vec2Processor.from_pretrained(chosen.model)


# 2. Speech: what to learn ranges from, what to steer by, and what to measure with share no recording.
def heard(row: dict[str, Any]) -> dict[str, Any]:
    """Add a recording as the network takes it, `(1, samples)`."""
    audio, rate = soundfile.read(speech.BUNDLED.parent / row["audio"], dtype="float32")
    return {"input_values": processor(audio, sampling_rate=rate, return_tensors="np").input_values}


recordings = datasets.load_dataset("json", data_files=str(speech.BUNDLED), split="train").shuffle(seed=0)
recordings = recordings.select(range(3 * chosen.clips)).map(heard, load_from_cache_file=False).with_format("numpy")
learning, steering, measuring = (recordings.shard(3, part) for part in range(3))


# 3. Accuracy: 1 - WER, as a mean and for each recording.
def accuracy(network: Callable[[Any], Any], rows: Iterable[dict[str, Any]]) -> tuple[float, list[float]]:
    """Transcribe recordings, and compare with what is said in them."""
    said, texts = [], []
    for row in rows:
        logits = network(row["input_values"].astype(np.float32))[0]
        said.append(str(row["text"]))
        texts += processor.batch_decode(logits.argmax(-1))
    return 1 - jiwer.wer(said, texts), [1 - jiwer.wer(*pair) for pair in zip(said, texts, strict=True)]


def original(values: Any) -> Any:
    """Run the checkpoint itself in PyTorch."""
    with torch.inference_mode():
        return [model(torch.from_numpy(values)).logits.numpy()]


# 4. Convert, quantize under accuracy control, save, and compare on recordings that neither step has heard.
converted = openvino.convert_model(model, example_input=torch.zeros(1, 30_480))
quantized = nncf.quantize_with_accuracy_control(
    converted,
    calibration_dataset=nncf.Dataset(learning, lambda row: row["input_values"].astype(np.float32)),
    validation_dataset=nncf.Dataset(steering),
    validation_fn=accuracy,
    max_drop=0.01,
    model_type=nncf.ModelType.TRANSFORMER,
    # Where NNCF 3.4.0 takes a layer back, the scales of SmoothQuant stay behind and spoil it, so there are none.
    advanced_quantization_parameters=nncf.AdvancedQuantizationParameters(
        smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(matmul=-1)
    ),
)
openvino.save_model(quantized, chosen.output / "int8.xml")
for name, network in (("PyTorch", original), ("INT8", openvino.compile_model(quantized, "CPU"))):
    print(f"{name}: {100 * (1 - accuracy(network, measuring)[0]):.1f} % WER on {len(measuring)} recordings")
