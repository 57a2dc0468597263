"""The key is found in its place, and what is not a key is refused."""

import os
from pathlib import Path

import pytest

from asrd.core.addresses import is_local
from asrd.core.errors import UsageError
from asrd.core.key import NONE, chosen, create, find, places


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty settings directory for this test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "asrd"


def test_a_new_key_is_its_owners_alone_and_is_found(config: Path) -> None:
    assert (chosen(), find()) == (NONE, None)
    made = create(places()[0])
    assert made.path == config / "asrd.key"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert find() == made
    assert create(config / "other").public != made.public


def test_it_is_named_by_the_environment_before_the_settings_before_its_place(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [create(config / name) for name in ("asrd.key", "set", "environment")]
    (config / "asrd.toml").write_text(f'key = "{config / "set"}"\n', encoding="utf-8")
    assert find() == keys[1]
    monkeypatch.setenv("ASRD_KEY", str(config / "environment"))
    assert find() == keys[2]
    assert find(config / "asrd.key") == keys[0]
    monkeypatch.setenv("ASRD_KEY", NONE)
    assert find() is None


def test_a_key_is_not_replaced(config: Path) -> None:
    made = create(config / "asrd.key")
    with pytest.raises(UsageError, match="is there already"):
        create(config / "asrd.key")
    assert find() == made


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"public = 3\nsecret = 4\n", b'public = "short"\nsecret = "too"\n']
)
def test_a_file_without_a_key_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "k"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="holds no key; copy the daemon's again"):
        find(path)


def test_a_key_that_is_not_there_or_is_everyones_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        find(tmp_path / "none")
    made = create(tmp_path / "k")
    made.path.chmod(0o640)  # a service's group
    assert find(made.path) == made
    made.path.chmod(0o644)
    with pytest.raises(UsageError, match="chmod o= "):
        find(made.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read all")
def test_one_that_another_user_keeps_is_left_alone(config: Path) -> None:
    create(config / "asrd.key").path.chmod(0)
    assert find() is None


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("ipc:///run/x", True),
        ("tcp://127.0.0.1:7", True),
        ("tcp://127.1.2.3:*", True),
        ("tcp://localhost:7", True),
        ("tcp://[::1]:7", True),
        ("tcp://0.0.0.0:7", False),
        ("tcp://*:7", False),
        ("tcp://[::]:7", False),
        ("tcp://192.168.0.2:7", False),
        ("tcp://127.0.0.1.example.com:7", False),
        ("tcp://localhost.example.com:7", False),
    ],
)
def test_what_only_this_machine_can_reach(address: str, local: bool) -> None:
    assert is_local(address) == local


def test_a_credential_of_systemd_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert chosen() != str(tmp_path / "asrd.key")
    made = create(tmp_path / "asrd.key")
    assert find() == made
