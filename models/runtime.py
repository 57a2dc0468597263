"""Import libraries without the usage reports they send: asrd uses the network to pull models and data
sets, and for nothing else.

OpenVINO and NNCF report to a web analytics service through the distribution `openvino_telemetry`,
from the moment they are imported and without asking. Both fall back to a stub where that cannot be
imported, so it is made so: a None in `sys.modules` is Python's way to say that a module must not be.
huggingface_hub describes the machine in every request, and looks up whether an AI agent runs it.
"""

import sys
from importlib import import_module
from typing import Any

from asrd.core.errors import MissingExtraError

REPORTER = "openvino_telemetry"


def openvino() -> Any:
    """The module `openvino`, imported silently."""
    _prepare()
    return import_module("openvino")


def nncf() -> Any:
    """The module `nncf`, imported silently. Raises MissingExtraError where it is not installed."""
    _prepare()
    try:
        return import_module("nncf")
    except ImportError as error:
        raise MissingExtraError("quant", "quantization") from error


def huggingface_hub() -> Any:
    """The module `huggingface_hub`, asking for what it is told to and no more."""
    import_module("huggingface_hub.constants").HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
    return import_module("huggingface_hub")


def datasets() -> Any:
    """The module `datasets`. Raises MissingExtraError where it is not installed."""
    huggingface_hub()
    try:
        return import_module("datasets")
    except ImportError as error:
        raise MissingExtraError("quant", "a data set of the hub") from error


def beam_search() -> Any:
    """The module `ctc_beam_decoder`. Raises MissingExtraError where it is not installed."""
    try:
        return import_module("ctc_beam_decoder")
    except ImportError as error:
        raise MissingExtraError("lm", "beam search") from error


def _prepare() -> None:
    """Whoever imported the reporter before us did so knowingly; it is left alone then."""
    sys.modules.setdefault(REPORTER, None)  # type: ignore[arg-type]
