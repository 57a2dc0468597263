"""Errors are one line, and carry an exit code."""

import pytest

from asrd.core.errors import AsrdError, MissingExtraError, UsageError, reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("\n  what happened\n  and where\n"), "what happened"),
        (ValueError(), "ValueError"),
        (
            RuntimeError(
                "Exception from src/inference/src/cpp/core.cpp:117:\n"
                "Check 'device_id.empty()' failed at src/plugins/intel_cpu/src/config.cpp:247:\n"
                "CPU plugin supports only '' as device id\n\n"
            ),
            "CPU plugin supports only '' as device id",
        ),
        (RuntimeError("Exception from src/a.cpp:1:\nException from src/b.cpp:2:\n"), "Exception from src/b.cpp:2:"),
        (OSError(2, "No such file"), "No such file"),
        (OSError(2, "No such file", "x.bin"), "No such file: x.bin"),
        (OSError("libx.so: cannot open"), "libx.so: cannot open"),
    ],
)
def test_the_reason_of_a_foreign_error_is_the_first_line_that_says_what(error: Exception, expected: str) -> None:
    assert reason(error) == expected


def test_an_error_that_fails_to_say_why_is_known_by_its_type() -> None:
    class Speechless(Exception):  # noqa: N818
        def __str__(self) -> str:
            raise SystemExit(1)

    assert reason(Speechless()) == "Speechless"


def test_exit_codes() -> None:
    assert (AsrdError.exit_code, UsageError.exit_code, MissingExtraError("torch", "x").exit_code) == (1, 2, 1)


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert str(MissingExtraError("quant", "quantization")).endswith("pip install '.[quant]' in a clone of asrd")
