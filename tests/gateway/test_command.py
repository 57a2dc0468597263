"""`asrd serve` as a command."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from asrd.cli.main import asrd
from asrd.core.errors import UsageError


def serve(*arguments: str, **environment: str):
    return CliRunner().invoke(asrd, ["serve", *arguments], env={"COLUMNS": "200"} | environment)


def test_settings_are_checked_and_shown(tmp_path: Path):
    result = serve("--check", "--model", "asrd-tiny-en", "--idle", "60", ASRD_SESSIONS="8")
    assert result.exit_code == 0, result.exception
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert rows["http"] == ["127.0.0.1:8765", "default"]
    assert rows["idle"] == ["60.0", "flag"]
    assert rows["sessions"] == ["8", "$ASRD_SESSIONS"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--http", "0.0.0.0:80"], "would be open to everyone on the network"),
        (["--tls-cert", "cert.pem"], "give both --tls-cert and --tls-key"),
        (["--tls-cert", "no.pem", "--tls-key", "no.key"], "no such file: no.pem"),
        (["--token-file", "none"], "the tokens in none cannot be read"),
    ],
)
def test_what_is_wrong_is_told_at_once(flags: list[str], message: str):
    result = serve("--check", *flags)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_without_the_extra_the_command_says_how_to_install_it():
    code = "import sys; sys.modules['uvicorn'] = None; from asrd.cli.main import main; main()"
    result = subprocess.run([sys.executable, "-c", code, "serve"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "'asrd serve' needs an optional part of asrd: " in result.stderr
    assert "pip install '.[serve]'" in result.stderr
