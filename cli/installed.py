"""What there is to say of a model at hand: its size, its backends, how well it was measured to hear."""

from pathlib import Path

from asrd.core.errors import AsrdError
from asrd.models import manifest, store
from asrd.models.directory import WEIGHT_FILES


def describe(entry: store.Installed) -> dict[str, object]:
    """What `asrd model list --json` says of it."""
    return {
        "name": entry.name,
        "origin": entry.origin,
        "default": entry.name == store.DEFAULT_MODEL,
        "backends": backends(entry.path),
        "bytes": size(entry.path),
        "measured": measured(entry.path),
        "path": str(entry.path),
    }


def measured(directory: Path) -> dict[str, dict[str, float]]:
    """By test set, what the manifest says of the last backend that was measured there: the smallest, INT8.

    Empty where it says nothing.
    """
    try:
        facts = manifest.read(directory)
        build = facts.get("quantization", {})
        sets = {name: one["backends"] for name, one in facts.get("evaluation", {}).items()}
        sets = sets or ({build["dataset"]: build["measured"]} if build else {})
        last = {name: list(backends.values())[-1] for name, backends in sets.items()}
        return {
            name: {
                "wer": float(row.get("finals", row)["wer"][0]),
                "times_real_time": 1 / float(row["real_time_factor"]),
            }
            for name, row in last.items()
        }
    except (AsrdError, AttributeError, KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        return {}


def size(directory: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def backends(directory: Path) -> list[str]:
    """The bundled backends for which the files are there; the directory may be faulty otherwise."""
    built = [name for name in ("fp16", "int8") if (directory / "openvino" / f"{name}.xml").is_file()]
    return [*(["torch"] if any((directory / name).is_file() for name in WEIGHT_FILES) else []), *built]
