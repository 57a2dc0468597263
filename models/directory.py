"""A model is a directory: a Hugging Face checkpoint, and the OpenVINO files built from it.

    config.json  preprocessor_config.json  vocab.json  model.safetensors
    openvino/fp16.xml  openvino/fp16.bin  openvino/int8.xml  openvino/int8.bin
    calibration.json  decoding.json  manifest.json

Everything asrd must know about a model is derived from these; nothing is assumed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asrd.core.errors import ModelError
from asrd.core.units import SAMPLE_RATE
from asrd.models import families, languages
from asrd.models.calibration import UNCALIBRATED, Calibration
from asrd.models.files import read_object
from asrd.models.geometry import Geometry
from asrd.models.vocabulary import Vocabulary

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


@dataclass(frozen=True, slots=True)
class ModelDirectory:
    """A CTC checkpoint that was read and found consistent.

    normalize: whether input is brought to zero mean and unit variance.
    attention_mask: whether the model takes a mask when windows of unequal length are padded into
        one batch. asrd never pads, so an all-ones mask is implied and none is passed.
    calibration: corrections to its word times and confidences.
    language: the one taken of a checkpoint of several languages; "" for all others. speaks: the code of the language
        that the model knows, as its manifest, its config or its tokenizer tells it; "" if none does.
    """

    path: Path
    geometry: Geometry
    vocabulary: Vocabulary
    normalize: bool
    attention_mask: bool
    calibration: Calibration = UNCALIBRATED
    language: str = ""
    speaks: str = ""

    @property
    def name(self) -> str:
        """The directory's name, which is what people call the model."""
        return self.single.name

    @property
    def single(self) -> Path:
        """The directory that holds this language alone: a neighbour, which converting makes, or this directory itself
        if it has one language only. As text, it is also what names the model: "DIR@deu".
        """
        return self.path.with_name(f"{self.path.name}@{self.language}") if self.language else self.path

    @property
    def has_weights(self) -> bool:
        """True if the checkpoint itself is here, not only what was built from it."""
        return any((self.path / name).is_file() for name in WEIGHT_FILES)

    @property
    def adapter(self) -> Path | None:
        """The file of the language, which replaces a part of the weights; None if they are for it as they are."""
        path = self.path / languages.adapter(self.language)
        return path if self.language and path.is_file() else None

    def openvino(self, precision: str) -> Path:
        """Return the path of the OpenVINO model of this precision ("fp16", "int8"); it may not exist."""
        return self.single / "openvino" / f"{precision}.xml"

    @classmethod
    def open(cls, path: Path, language: str = "") -> "ModelDirectory":
        """Read and check a directory. Raises ModelError naming the file at fault and the remedy.

        language: the one to take of a checkpoint of several; without it, the checkpoint's own. Raises UsageError if
        there is no such language.
        """
        path = path.resolve()
        if not path.is_dir():
            raise ModelError(f"no model directory at {path}; see 'asrd model list' for the models at hand")
        config = read_object(path / "config.json")
        families.check(config, str(path))
        outputs = config.get("vocab_size", 32)  # transformers' own default
        if not isinstance(outputs, int):
            raise ModelError(f"{path / 'config.json'}: vocab_size must be a number, not '{outputs}'")
        language = languages.choose(path, language, outputs, str(path))
        outputs = languages.outputs(path, language, outputs)
        audio = _audio_settings(path)
        rate = audio.get("sampling_rate", SAMPLE_RATE)
        if rate != SAMPLE_RATE:
            raise ModelError(f"{path} was trained on {rate} Hz audio; asrd runs models of {SAMPLE_RATE} Hz")
        return cls(
            path=path,
            geometry=Geometry.from_config(config),
            vocabulary=Vocabulary.load(path, outputs, config.get("pad_token_id"), language),
            normalize=bool(audio.get("do_normalize", True)),
            attention_mask=bool(audio.get("return_attention_mask", False)),
            calibration=UNCALIBRATED if language else Calibration.load(path),
            language=language,
            speaks=language or languages.spoken(path, config),
        )


def _audio_settings(path: Path) -> dict[str, Any]:
    """The feature extractor's settings, from either file that transformers keeps them in."""
    if (path / "preprocessor_config.json").is_file():
        return read_object(path / "preprocessor_config.json")
    if (path / "processor_config.json").is_file():
        settings = read_object(path / "processor_config.json").get("feature_extractor")
        if isinstance(settings, dict):
            return settings
        raise ModelError(f"{path / 'processor_config.json'} has no feature_extractor; copy it from the checkpoint")
    raise ModelError(f"{path} lacks preprocessor_config.json; copy it from the checkpoint")
