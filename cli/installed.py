"""Facts about an installed model: its size, its backends, its measured error rates and speed."""

from pathlib import Path

from asrd.core.errors import AsrdError
from asrd.models import manifest, store
from asrd.models.directory import WEIGHT_FILES


def describe(entry: store.Installed) -> dict[str, object]:
    """Describe a model for `asrd model list --json`."""
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
    """Return, by test set, the manifest's figures of the last backend that was measured there: the smallest, INT8.

    Empty if it has none.
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
    """Count the bytes of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def backends(directory: Path) -> list[str]:
    """List the bundled backends whose files are there; the directory may be faulty otherwise."""
    built = [name for name in ("fp16", "int8") if (directory / "openvino" / f"{name}.xml").is_file()]
    return [*(["torch"] if any((directory / name).is_file() for name in WEIGHT_FILES) else []), *built]
