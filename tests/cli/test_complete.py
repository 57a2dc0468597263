"""The shell completes commands and values, asked as the shell asks."""

import subprocess
import sys

import pytest


def completed(environment: dict[str, str], line: str) -> list[str]:
    """Return the values that bash would show for a line whose last word is incomplete."""
    words = line.split(" ")
    asked = {"_ASRD_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    code = "from asrd.cli.entry import main; main()"
    program = [sys.executable, "-c", f"import sys; sys.argv[0] = 'asrd'; {code}"]
    result = subprocess.run(program, env=environment | asked, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    return [entry.partition(",")[2] for entry in result.stdout.splitlines() if entry]


def test_names_of_commands_backends_and_models(environment: dict[str, str]) -> None:
    assert "transcribe" in completed(environment, "asrd tr")
    assert completed(environment, "asrd start --backend f") == ["fp16"]
    assert completed(environment, "asrd backend use t") == ["torch"]
    assert "asrd-tiny-en" in completed(environment, "asrd transcribe --model asrd")


@pytest.mark.parametrize("line", ["asrd words remove N", "asrd set hang", "asrd backend use nosuch"])
def test_what_cannot_be_asked_completes_nothing(environment: dict[str, str], line: str) -> None:
    assert completed(environment, line) == []
