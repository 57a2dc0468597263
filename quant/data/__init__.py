"""Transcribed speech for calibration and measurement, from any source."""

from pathlib import Path

from asrd.core.errors import UsageError
from asrd.models.speech import BUNDLED, load
from asrd.quant.data import folder, hub
from asrd.quant.data.checked import Checked, check, fingerprint
from asrd.quant.data.clip import Clip, Encoded, read

__all__ = ["Checked", "Clip", "Encoded", "check", "dataset", "fingerprint", "read"]

FORMS = "bundled, hf:NAME[:CONFIG[:SPLIT]], a JSON-lines manifest, or a directory (LibriSpeech, audiofolder)"


def dataset(spec: str) -> list[Clip]:
    """List the clips that `spec` names, in an order that is always the same; none of them is read yet.

    spec: "bundled", the speech that ships with asrd; "hf:NAME[:CONFIG[:SPLIT]]", a data set of the Hugging Face hub,
    or one of its format in a local directory; the path of a JSON-lines manifest; or a directory in LibriSpeech's or
    the audiofolder format.
    Raises UsageError if it is none of these, AudioError if the list of clips cannot be read, MissingExtraError if the
    library for it is not installed.
    """
    if spec == "bundled":
        return _manifest(BUNDLED)
    if spec.startswith("hf:"):
        return hub.clips(spec)
    path = Path(spec).expanduser()
    if path.is_dir():
        return folder.clips(path)
    if not path.is_file():
        raise UsageError(f"no data set '{spec}'; give {FORMS}")
    return _manifest(path)


def _manifest(path: Path) -> list[Clip]:
    """List a manifest's clips; a clip has the name that the manifest gives its file."""
    return [
        Clip(one.audio.as_posix().removeprefix(f"{path.parent.as_posix()}/"), one.text, one.audio, one.speaker)
        for one in load(path)
    ]
