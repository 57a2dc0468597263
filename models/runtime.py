"""Import libraries without the usage reports they send: asrd contacts the internet for models and data sets only.

OpenVINO and NNCF report to a web analytics service through the distribution `openvino_telemetry`, from the moment
they are imported and without asking. Both fall back to a stub if that cannot be imported. So a None is put into
`sys.modules`, which makes Python refuse the import. huggingface_hub describes the machine in every request, and looks
up whether an AI agent runs it.
"""

import locale
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from asrd.core.errors import MissingExtraError

REPORTER = "openvino_telemetry"


_LOCALE = locale.setlocale(locale.LC_ALL)
_ONE_AT_A_TIME = threading.Lock()

PATIENCE = 30.0
"""Seconds that a model may keep others from being read: one that hangs must not hold up them all."""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Read or compile OpenVINO models in the block while no other thread does.

    OpenVINO 2026.4.1 sets the locale of the process to "C" meanwhile, and back. Two threads at a time leave it at "C",
    after which Python takes all text for ASCII; and `setlocale` is not safe among threads.
    """
    alone = _ONE_AT_A_TIME.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if locale.setlocale(locale.LC_ALL) != _LOCALE:
            locale.setlocale(locale.LC_ALL, _LOCALE)
        if alone:
            _ONE_AT_A_TIME.release()


def openvino() -> Any:
    """Import `openvino` without its usage reports."""
    _prepare()
    return import_module("openvino")


def nncf() -> Any:
    """Import `nncf` without its usage reports. Raises MissingExtraError if it is not installed."""
    _prepare()
    try:
        return import_module("nncf")
    except ImportError as error:
        raise MissingExtraError("quant", "quantization") from error


def huggingface_hub() -> Any:
    """Import `huggingface_hub` without its telemetry."""
    import_module("huggingface_hub.constants").HF_HUB_DISABLE_TELEMETRY = True  # type: ignore[attr-defined]
    return import_module("huggingface_hub")


def datasets() -> Any:
    """Import `datasets`. Raises MissingExtraError if it is not installed."""
    huggingface_hub()
    try:
        return import_module("datasets")
    except ImportError as error:
        raise MissingExtraError("quant", "a data set of the hub") from error


def beam_search() -> Any:
    """Import `ctc_beam_decoder`. Raises MissingExtraError if it is not installed."""
    try:
        return import_module("ctc_beam_decoder")
    except ImportError as error:
        raise MissingExtraError("lm", "beam search") from error


def _prepare() -> None:
    """Block the reporter, unless the program has imported it before, which was then its own choice."""
    sys.modules.setdefault(REPORTER, None)  # type: ignore[arg-type]
