"""The results of an interrupted run are used, and only by the run they belong to."""

from pathlib import Path

import pytest

from asrd.core.errors import UsageError
from asrd.quant.journal import Journal

RUN = {"recipe": {"seed": 0}, "model": {"config.json": "abc"}}


def test_results_survive(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j", RUN)
    first.record("a", [1, "x"])
    first.record("b", {"y": 0.5})
    assert first.get("c") is None
    first.close()
    second = Journal(tmp_path / "j", RUN)
    assert (second.get("a"), second.get("b"), second.get("c")) == ([1, "x"], {"y": 0.5}, None)
    second.close()


def test_a_line_that_was_being_written_is_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", RUN)
    journal.record("a", 1)
    journal.record("b", "a long result that is torn")
    journal.close()
    content = (tmp_path / "j").read_text(encoding="utf-8")
    (tmp_path / "j").write_text(content[:-10], encoding="utf-8")
    resumed = Journal(tmp_path / "j", RUN)
    assert (resumed.get("a"), resumed.get("b")) == (1, None)
    resumed.record("b", 2)
    resumed.close()
    again = Journal(tmp_path / "j", RUN)
    assert again.get("b") == 2
    again.close()


def test_another_run_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    Journal(tmp_path / "j", RUN).close()
    with pytest.raises(UsageError, match=r"recipe changed.*without --resume"):
        Journal(tmp_path / "j", RUN | {"recipe": {"seed": 1}})
