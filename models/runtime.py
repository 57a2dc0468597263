"""Import OpenVINO and NNCF without the usage reports they send when imported.

Both report to a web analytics service through the distribution `openvino_telemetry`, from the
moment they are imported and without asking. asrd uses the network for `asrd model pull` alone.
Both fall back to a stub where that distribution is not importable, so it is made so: a None in
`sys.modules` is Python's own way of saying that a module must not be imported.
"""

import sys
from importlib import import_module
from typing import Any

from asrd.core.errors import MissingExtraError

REPORTER = "openvino_telemetry"


def openvino() -> Any:
    """The module `openvino`, imported silently."""
    _silence()
    return import_module("openvino")


def nncf() -> Any:
    """The module `nncf`, imported silently. Raises MissingExtraError where it is not installed."""
    _silence()
    try:
        return import_module("nncf")
    except ImportError as error:
        raise MissingExtraError("quant", "quantization") from error


def _silence() -> None:
    """Whoever imported the reporter before us did so knowingly; it is left alone then."""
    sys.modules.setdefault(REPORTER, None)  # type: ignore[arg-type]
