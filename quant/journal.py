"""Journal of results, so that an interrupted run goes on where it stopped.

Quantization is deterministic, and cheap compared with the evaluations that steer it. A resumed run quantizes again
and takes the results of earlier evaluations from here, so it ends where an uninterrupted one would have.
"""

import json
from pathlib import Path
from typing import Any

from asrd.core.errors import UsageError


class Journal:
    """Results by key, one JSON line each, flushed as they come. A torn last line is ignored."""

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        """Open the journal. run: what must be the same for old results to hold.

        Raises UsageError if the journal is that of another run.
        """
        self._results: dict[str, Any] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for line in lines:
            try:
                key, value = json.loads(line)
            except ValueError:
                continue
            self._results[key] = value
        known = json.loads(json.dumps(run))
        changed = [name for name in known if self._results.get("run", known).get(name) != known[name]]
        if changed:
            raise UsageError(
                f"the run to resume was another ({', '.join(changed)} changed); "
                "resume with the same options, or start again without --resume"
            )
        self._file = path.open("a", encoding="utf-8")
        if "run" not in self._results:
            self.record("run", run)

    def get(self, key: str, default: Any = None) -> Any:
        """Return an earlier result, or `default`."""
        return self._results.get(key, default)

    def record(self, key: str, value: Any) -> None:
        """Keep a result; it survives a crash from now on."""
        self._results[key] = value
        self._file.write("\n" * (self._file.tell() > 0) + json.dumps([key, value]))
        self._file.flush()

    def close(self) -> None:
        """Stop writing."""
        self._file.close()
