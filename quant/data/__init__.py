"""Transcribed speech for calibration and measurement, from any source."""

from pathlib import Path

from asrd.core.datasets import FORMS
from asrd.core.errors import UsageError
from asrd.models.speech import BUNDLED
from asrd.quant.data import folder, hub, table
from asrd.quant.data.checked import Checked, check, fingerprint
from asrd.quant.data.clip import Clip, Encoded, read

__all__ = ["Checked", "Clip", "Encoded", "check", "dataset", "fingerprint", "read"]


def dataset(spec: str) -> list[Clip]:
    """List the clips that `spec` names, in an order that is always the same; none of them is read yet.

    spec: one of `FORMS`; docs/datasets.md describes them.
    Raises UsageError if it is none of these or one of several tables or splits must be chosen, AudioError if the list
    of clips cannot be read, MissingExtraError if the library for it is not installed.
    """
    if spec == "bundled":
        return table.clips(BUNDLED)
    if spec.startswith("hf:"):
        return hub.clips(spec)
    try:
        path = Path(spec).expanduser()
        if path.is_dir():
            return folder.clips(path)
        is_file = path.is_file()
    except (OSError, RuntimeError, ValueError):  # no such user, or a name that nothing can have
        is_file = False
    if not is_file:
        raise UsageError(f"no data set '{spec}'; give {FORMS}")
    return hub.local(path) if path.suffix == ".parquet" else table.clips(path)
