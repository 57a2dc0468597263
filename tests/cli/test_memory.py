"""A memory limit is refused if it cannot be enough, and later only memory errors are blamed on it."""

import resource

import pytest

from asrd.cli.memory import GIB, allocated, bounded
from asrd.core.errors import AsrdError, UsageError
from asrd.quant.quantize import NotGoodEnoughError, QuantizationError


@pytest.fixture(autouse=True)
def bounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Limits that were set; they are not applied here, because they could not be lifted again."""
    found: list[int] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: found.append(limits[0]))
    return found


def test_what_cannot_be_enough_is_refused_beforehand(bounds: list[int]) -> None:
    least = round(0.501 * GIB)
    with pytest.raises(UsageError, match=r"--memory 0.4 is too little: .* 0.51 GiB; allow more"), bounded(0.4, least):
        pass
    assert bounds == []
    with bounded(0.6, least):
        assert bounds == [round(0.6 * GIB)]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RuntimeError("a library's"), "this takes more than"),
        (QuantizationError("a library's"), "this takes more than"),
        (NotGoodEnoughError("costs too much"), "costs too much"),
        (UsageError("too few clips"), "too few clips"),
    ],
)
def test_only_what_may_come_of_too_little_memory_is_told_as_such(error: Exception, told: str) -> None:
    bound = 1.1 * allocated() / GIB
    with pytest.raises(AsrdError, match=told), bounded(bound, 0, NotGoodEnoughError):
        raise error
