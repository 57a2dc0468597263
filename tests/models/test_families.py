"""What cannot run is told by `config.json` alone, with what to do."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from asrd.core.errors import ModelError
from asrd.models import ModelDirectory, families
from asrd.models.checkpoint import load_checkpoint


@pytest.mark.parametrize("kind", families.FAMILIES)
@pytest.mark.parametrize("named", [True, False], ids=["with its class", "as old checkpoints are"])
def test_all_families_pass(kind: str, named: bool) -> None:
    families.check({"model_type": kind, "architectures": [families.FAMILIES[kind]] if named else None}, "it")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            {"model_type": "whisper"},
            "'whisper', which takes filter-bank features instead of audio, and writes",
        ),
        ({"model_type": "wav2vec2-bert", "architectures": ["Wav2Vec2BertForCTC"]}, "features instead of audio"),
        ({"model_type": "speech_to_text"}, "features instead of audio, and writes text with a decoder of its own"),
        ({"model_type": "moonshine"}, "which writes text with a decoder of its own instead of CTC"),
        ({"model_type": "speech-encoder-decoder"}, "decoder of its own instead of CTC"),
        ({"model_type": "bart"}, "'bart', which asrd does not know"),
        ({}, "type 'None', which asrd does not know"),
        (
            {"model_type": "hubert", "architectures": ["HubertModel"]},
            "a HubertModel, .* pre-trained only.*HubertForCTC",
        ),
        ({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForPreTraining"]}, "it was pre-trained only"),
        ({"model_type": "wavlm", "architectures": ["WavLMForXVector"]}, "it tells speakers apart"),
        ({"model_type": "sew", "architectures": ["SEWForSequenceClassification"]}, "it sorts recordings into classes"),
        ({"model_type": "wav2vec2", "architectures": ["MyOwn"]}, "MyOwn, which has no CTC head to transcribe with; "),
    ],
)
def test_others_are_told_and_what_to_take_instead(config: dict[str, object], says: str) -> None:
    with pytest.raises(ModelError, match=f"^it is .*{says}") as caught:
        families.check(config, "it")
    assert "; take a " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_else_of_a_checkpoint_is_needed_to_tell(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}', encoding="utf-8")
    with pytest.raises(ModelError, match=f"^{tmp_path} is of the type 'whisper'"):
        ModelDirectory.open(tmp_path)


def test_a_head_that_is_missing_is_told_by_the_weights(base_model: ModelDirectory, tmp_path: Path) -> None:
    path = Path(shutil.copytree(base_model.path, tmp_path / "model"))
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    (path / "config.json").write_text(json.dumps(config | {"architectures": None}), encoding="utf-8")
    tensors = load_file(path / "model.safetensors")
    body = {name: tensor for name, tensor in tensors.items() if not name.startswith("lm_head")}
    save_file(body, path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="is a checkpoint without 'lm_head', which has no CTC head"):
        load_checkpoint(ModelDirectory.open(path))
