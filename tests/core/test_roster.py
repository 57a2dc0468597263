"""Clients are entered and revoked in a private file that several processes may change at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from asrd.core.errors import UsageError
from asrd.core.key import create, find
from asrd.core.roles import EVERY, Role
from asrd.core.roster import Roster, members


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    """The list beside a daemon's new key."""
    return Roster(create(tmp_path / "asrd.key"))


def test_a_client_is_entered_and_has_all_it_needs_in_one_private_file(roster: Roster, tmp_path: Path) -> None:
    daemon = find(tmp_path / "asrd.key")
    client = roster.add("desk", {Role.SPEAK, Role.LISTEN}, tmp_path / "desk.key")
    own = find(tmp_path / "desk.key")
    assert daemon
    assert own
    assert (own.public, own.server) == (client.public, daemon.public)
    assert own.secret != daemon.secret
    assert roster.read() == {"desk": client}
    assert members(daemon) == {client.public: {Role.LISTEN, Role.SPEAK}}
    assert [path.stat().st_mode & 0o777 for path in (own.path, roster.path)] == [0o600, 0o600]
    assert own.secret not in roster.path.read_text(encoding="utf-8")


def test_a_revoked_client_is_gone_and_the_others_stay(roster: Roster, tmp_path: Path) -> None:
    kept = roster.add("kept", EVERY, tmp_path / "kept.key")
    roster.add("desk", EVERY, tmp_path / "desk.key")
    assert roster.revoke("desk").name == "desk"
    assert roster.read() == {"kept": kept}
    with pytest.raises(UsageError, match="no client is called 'desk'; there are: kept"):
        roster.revoke("desk")


@pytest.mark.parametrize("name", ["", "a b", "../x", "a.b", "é", "-x", "x\n", "[x]", 'x"', "x" * 33])
def test_odd_names_are_refused(roster: Roster, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a client"):
        roster.add(name, EVERY, tmp_path / "odd.key")
    assert not (tmp_path / "odd.key").exists()
    assert not roster.path.exists()


def test_names_and_files_are_not_taken_over(roster: Roster, tmp_path: Path) -> None:
    first = roster.add("desk", EVERY, tmp_path / "desk.key")
    with pytest.raises(UsageError, match="there is a client desk already"):
        roster.add("desk", EVERY, tmp_path / "other.key")
    with pytest.raises(UsageError, match=r"desk\.key is there already"):
        roster.add("other", EVERY, tmp_path / "desk.key")
    assert not (tmp_path / "other.key").exists()
    assert roster.read() == {"desk": first}


def test_writers_at_once_lose_nothing(roster: Roster, tmp_path: Path) -> None:
    """Each process enters ten clients, and all of them begin when a pipe closes."""
    code = (
        "import sys; from pathlib import Path; from asrd.core.key import find; from asrd.core.roster import Roster\n"
        "folder, one = Path(sys.argv[1]), sys.argv[2]; roster = Roster(find(folder / 'asrd.key')); sys.stdin.read()\n"
        "for i in range(10): roster.add(f'{one}{i}', {'listen'}, folder / f'{one}{i}.key')\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), one], stdin=subprocess.PIPE) for one in "abc"
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.close()
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    assert set(roster.read()) == {f"{one}{i}" for one in "abc" for i in range(10)}
    assert not [*tmp_path.glob(".clients.toml-*")]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"desk = 3\n",
        b"[desk]\npublic = 'short'\nroles = []\nmade = 2026-01-01T00:00:00Z\n",
        b"[desk]\npublic = '" + b"x" * 40 + b"'\nroles = ['root']\nmade = 2026-01-01T00:00:00Z\n",
    ],
)
def test_a_file_without_clients_is_told(roster: Roster, content: bytes) -> None:
    roster.path.write_bytes(content)
    roster.path.chmod(0o600)
    with pytest.raises(UsageError, match="is no list of clients"):
        roster.read()


def test_a_list_that_others_may_write_is_told(roster: Roster, tmp_path: Path) -> None:
    roster.add("desk", EVERY, tmp_path / "desk.key")
    roster.path.chmod(0o620)
    with pytest.raises(UsageError, match="chmod go-w "):
        roster.read()


def test_a_daemon_needs_its_own_key(roster: Roster, tmp_path: Path) -> None:
    roster.add("desk", EVERY, tmp_path / "desk.key")
    with pytest.raises(UsageError, match="is a client's key"):
        members(find(tmp_path / "desk.key"))


def test_a_credential_of_systemd_has_its_list_where_keys_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    own = Roster(create(tmp_path / "config" / "asrd" / "asrd.key"))
    own.add("desk", EVERY, tmp_path / "desk.key")
    assert Roster(create(tmp_path / "credentials" / "asrd.key")).path == own.path
    own.path.unlink()
    assert Roster(create(tmp_path / "credstore" / "asrd.key")).path.parent.name == "asrd"
    assert [path.name for path in (tmp_path / "credstore").iterdir()] == ["asrd.key"]
