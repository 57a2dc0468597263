"""What a shell may do to a command's input and output, and values that are no numbers."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from asrd.cli.main import asrd

COMMAND = f"{sys.executable} -m asrd.cli.main"


def shell(line: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_full_disk_is_one_line(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND} backend list --json > /dev/full", environment)
    assert (result.returncode, result.stderr) == (1, "asrd: No space left on device\n")


def test_without_standard_output(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND} backend list --json >&-", environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_output_that_lacks_a_letter(environment: dict[str, str]) -> None:
    result = shell(f"{COMMAND} start --check -s pcm:- --device Gerät", environment | {"PYTHONIOENCODING": "ascii"})
    assert (result.returncode, result.stderr) == (0, "")
    assert "Ger?t" in result.stdout


def test_a_reader_that_has_seen_enough_is_no_failure(environment: dict[str, str]) -> None:
    line = f"{COMMAND} model list --json | true; echo ${{PIPESTATUS[0]}}"
    result = shell(line, environment)
    assert (result.stdout, result.stderr) == ("0\n", "")


@pytest.mark.parametrize("option", ["--hangover", "--max-utterance", "--partials", "--pre-roll", "--min-speech"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "61"])
def test_no_finite_span(option: str, value: str) -> None:
    result = CliRunner().invoke(asrd, ["start", "--check", option, value])
    assert result.exit_code == click.UsageError.exit_code
    assert "is not in the range 0<=x<=60" in result.stderr
