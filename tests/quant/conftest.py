"""A small data set: synthetic utterances of different lengths, some shorter than a window."""

import json
from pathlib import Path

import pytest
import soundfile

from asrd.core.flow import FloatArray


@pytest.fixture
def manifest(tmp_path: Path, babble: FloatArray) -> Path:
    """Six utterances of different sample rates and channel counts, with texts."""
    lines = []
    for index, (length, rate) in enumerate([(9000, 16_000), (30_000, 16_000), (12_000, 8000)] * 2):
        name = f"{index}.wav"
        soundfile.write(tmp_path / name, babble[:length], rate)
        lines.append(json.dumps({"audio": name, "text": f"utterance {index}"}))
    path = tmp_path / "manifest.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
