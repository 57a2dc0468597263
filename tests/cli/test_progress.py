"""Long work reports progress where nobody watches a terminal."""

import pytest

from asrd.cli.progress import EVERY_S, ProgressBar


def test_a_log_shows_that_the_work_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    with ProgressBar(lambda: now) as stages:
        stages.stage("training", 100)
        for _ in range(40):
            now += EVERY_S / 10
            stages.advance()
        stages.notice("loss 0.5")
        now += EVERY_S
        stages.advance(9)
        stages.stage("counting", None)
        now += EVERY_S
        stages.advance(3)
    assert capsys.readouterr().err.splitlines() == [
        "training",
        "training: 10 of 100 in 0.5 min, about 4 min left",
        "training: 20 of 100 in 1.0 min, about 4 min left",
        "training: 30 of 100 in 1.5 min, about 4 min left",
        "training: 40 of 100 in 2.0 min, about 3 min left",
        "training: 49 of 100 in 2.5 min, about 3 min left; loss 0.5",
        "counting",
        "counting: 3",
    ]
