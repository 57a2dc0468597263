"""Speed measured on a busy machine is marked as such."""

import math
from pathlib import Path

import pytest

from asrd.quant.evaluation import conditions
from asrd.quant.evaluation.conditions import Conditions, Watch


@pytest.mark.parametrize(
    ("found", "busy"),
    [
        (Conditions(0.02, 1.1, 0.5), ""),
        (Conditions(math.nan, 1.1, 0.5), ""),
        (Conditions(0.4, 1.1, 2.5), "the machine was busy: other work took 40 % of its processors"),
        (Conditions(0.02, 1.8, 0.5), "the machine was uneven: a tenth of the windows took over 1.8 times the median"),
    ],
)
def test_busy(found: Conditions, busy: str) -> None:
    assert found.busy == busy
    assert found.plain()["busy"] == busy


def test_other_work_is_what_the_machine_did_beside_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "STAT", tmp_path / "stat")
    monkeypatch.setattr(conditions.time, "process_time", lambda: 5.0)
    monkeypatch.setattr(conditions.os, "sysconf", lambda _: 100)
    conditions.STAT.write_text("cpu 1000 0 0 1000 0 0 0 0 0 0\ncpu0 1 2\n", encoding="utf-8")
    watch = Watch()
    monkeypatch.setattr(conditions.time, "process_time", lambda: 7.0)
    conditions.STAT.write_text(
        "cpu 1500 0 0 1500 0 0 0 0 0 0\n", encoding="utf-8"
    )  # 5 s busy of 10, 2 of them this process
    found = watch.conditions([(0.1, 0.1, 0.1, 0.3), ()])
    assert found.others == pytest.approx(0.3)
    assert found.spread == pytest.approx(2.4)
    conditions.STAT.unlink()
    assert math.isnan(Watch().conditions([]).others)
