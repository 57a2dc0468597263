"""The log is for people, for systemd's journal, or JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import logging
from asrd.cli.logs import log
log(logging.INFO, {form!r})
logger = logging.getLogger("asrd.test")
logger.warning("careful %s", "a\\nb")
try:
    raise ValueError("deep\\nforged")
except ValueError:
    logger.exception("failed")
"""


def logged(path: Path, form: str = "text", journal: bool = False) -> list[str]:
    with path.open("w", encoding="utf-8") as file:
        state = os.fstat(file.fileno())
        stream = {"JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino if journal else 1}"}
        command = [sys.executable, "-c", SCRIPT.format(form=form)]
        subprocess.run(command, stderr=file, env=os.environ | stream, check=True)
    return path.read_text(encoding="utf-8").splitlines()


def test_people_read_lines(tmp_path: Path) -> None:
    lines = logged(tmp_path / "log")
    assert lines[0] == r"asrd: careful a\u000ab"
    assert lines[1] == "asrd: failed"


def test_the_journal_gets_a_priority_for_every_line(tmp_path: Path) -> None:
    lines = logged(tmp_path / "log", journal=True)
    assert lines[:2] == [r"<4>careful a\u000ab", "<3>failed"]
    assert all(line.startswith("<3>") for line in lines[1:])


def test_programs_read_json(tmp_path: Path) -> None:
    first, second = map(json.loads, logged(tmp_path / "log", "json"))
    assert (first["level"], first["logger"], first["message"]) == ("warning", "asrd.test", "careful a\nb")
    assert first["time"] > 1e9
    assert "ValueError" in second["traceback"]
