"""The journal's file keeps order and never repeats a number, whatever is done to it."""

import os
import shutil
import sqlite3
import stat
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.core.errors import AsrdError
from asrd.core.events import Error, Final, Heartbeat, Partial, Started, Timestamps, encode
from asrd.daemon.journal import changes, store
from asrd.daemon.journal.file import lock, open_store
from asrd.daemon.journal.options import JournalOptions, journal_file
from asrd.daemon.journal.store import Change, Store

STAGES = Timestamps(heard=0.0, cut=0.0, started=0.0, recognized=0.0)
EMPTY = {"start": 0, "end": 1, "text": "", "words": (), "backend": "", "stages": STAGES}


def event(seq: int, time: float = 0.0, message: str = "") -> list[Change]:
    said = Error(message=message, seq=seq, time=time)
    return changes.of_event(said, encode(said))


def everything(kept: Store) -> list[int]:
    """Read all pages; be sure that each follows the one before."""
    first, found = 0, []
    while first < kept.next():
        page = kept.read(first, kept.next() - 1, room=300)
        found += [int(payload.partition('"seq":')[2].split(",")[0]) for payload in page.payloads]
        assert page.last >= first
        first = page.last + 1
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 5)),
        st.tuples(st.just("refuse"), st.integers(1, 5)),
        st.tuples(st.just("pass"), st.integers(1, 30)),
        st.tuples(st.sampled_from(["reopen", "crash"]), st.just(0)),
        st.tuples(st.just("prune"), st.integers(0, 40)),
    ),
    max_size=15,
)


@settings(max_examples=40)
@given(steps=STEPS)
def test_order_is_kept_and_no_number_comes_twice(steps: list[tuple[str, int]]) -> None:
    """A crash is a copy of the files as they lie there. A commit that is refused leaves nothing behind."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "STEP", 3)
        path = Path(folder) / "0" / "j.sqlite"
        path.parent.mkdir()
        kept, _ = open_store(path)
        expected: list[int] = []
        given_out = -1
        for turn, (step, number) in enumerate(steps, 1):
            following = max(kept.next(), given_out + 1)
            if step == "append":
                seqs = range(following, following + number)
                kept.commit([change for seq in seqs for change in event(seq, time=seq)])
                expected += seqs
                given_out = seqs[-1]
            elif step == "refuse":
                made = [change for seq in range(following, following + number) for change in event(seq)]
                with pytest.raises(sqlite3.OperationalError):
                    kept.commit([*made, ("INSERT INTO nothing VALUES (?)", (1,))])
            elif step == "pass":  # numbers of heartbeats, which are reserved and not kept
                kept.commit(changes.of_number(following + number))
                given_out = following + number - 1
            elif step == "prune":
                while kept.prune(before=number, size=1 << 40):
                    pass
                expected = [seq for seq in expected if seq >= number]
                assert not expected or kept.fact("kept") <= expected[0]
            else:
                if step == "crash":
                    path = Path(shutil.copytree(path.parent, Path(folder) / str(turn))) / path.name
                kept.close()
                kept, trouble = open_store(path)
                assert not trouble
            assert kept.next() > given_out
            assert everything(kept) == expected
        kept.close()


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    kept, _ = open_store(tmp_path / "j.sqlite")
    for seq in (0, 1, 2, 3, 9):
        kept.commit(event(seq, time=seq))
    kept.commit(changes.of_loss(4, 6))
    assert kept.prune(before=2.0, size=1 << 40) == 2
    page = kept.read(0, 9)
    assert (len(page.payloads), page.missing) == (3, [(0, 1), (4, 6)])
    assert kept.read(5, 5).missing == [(5, 5)]
    assert kept.read(7, 9).missing == []
    kept.close()


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path) -> None:
    kept, _ = open_store(tmp_path / "j.sqlite")
    kept.commit([change for seq in range(3000) for change in event(seq, time=1.0, message="x" * 1000)])
    kept.commit(changes.of_position("late", 100, time=0.0))
    kept.commit(changes.of_position("in time", 2999, time=1.0))
    while kept.prune(before=0.5, size=1 << 20):
        pass
    assert kept.bytes <= 1 << 20
    left = everything(kept)
    assert left == list(range(left[0], 3000))
    assert 500 < len(left) < 1200
    assert (kept.position("late"), kept.position("in time")) == (None, 2999)
    kept.checkpoint()
    kept.close()
    assert (tmp_path / "j.sqlite").stat().st_size < 1.2 * (1 << 20)


def test_of_open_utterances_the_latest_is_known(tmp_path: Path) -> None:
    kept, _ = open_store(tmp_path / "j.sqlite")
    said = [
        Started(utterance=1, start=0, stream="a"),
        Partial(utterance=1, stable=0, stream="a", **EMPTY),
        Started(utterance=2, start=0, stream="b"),
        Final(utterance=2, speech_end=0, confidence=0.0, reason="end", stream="b", **EMPTY),
        Heartbeat(uptime=0.0),
    ]
    for seq, one in enumerate(said):
        numbered = type(one)(**{field: getattr(one, field) for field in one.__struct_fields__} | {"seq": seq})
        kept.commit(changes.of_event(numbered, encode(numbered)))
    assert [(stream, number) for stream, number in kept.rows("SELECT stream, number FROM utterances")] == [("a", 1)]
    assert '"type":"partial"' in kept.rows("SELECT payload FROM utterances")[0][0]
    assert everything(kept) == [0, 2, 3]
    kept.close()


@pytest.mark.parametrize("content", ["noise", "torn", "foreign", "newer", "empty"])
def test_a_file_that_is_no_journal_is_moved_aside(tmp_path: Path, content: str) -> None:
    path = tmp_path / "j.sqlite"
    kept, _ = open_store(path)
    kept.commit([change for seq in range(2000) for change in event(seq, message="x" * 100)])
    kept.close()
    whole = path.read_bytes()
    if content in ("foreign", "newer"):
        with sqlite3.connect(path) as other:
            other.execute("PRAGMA user_version = 99" if content == "newer" else "PRAGMA application_id = 7")
        other.close()
    else:
        torn = whole[:5000] + bytes(4000) + whole[9000:]
        path.write_bytes({"noise": b"hello" * 1000, "torn": torn, "empty": b""}[content])
    before = path.read_bytes()
    kept, trouble = open_store(path)
    assert bool(trouble) == (content != "empty")
    if trouble:
        aside = tmp_path / "j.sqlite.unusable"
        assert str(aside) in trouble
        assert aside.read_bytes() == before
        assert kept.next() > 10**12  # larger than any number that was given out
    assert everything(kept) == []
    kept.close()


def test_only_its_user_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state" / "asrd" / "j.sqlite"
    held = lock(path)
    kept, _ = open_store(path)
    kept.commit(event(0))
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["j.sqlite", "j.sqlite-shm", "j.sqlite-wal", "j.sqlite.lock"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(AsrdError, match=r"another daemon keeps its journal at .* --no-journal"):
        lock(path)
    kept.close()
    os.close(held)


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert journal_file(None) == tmp_path / "asrd" / "journal.sqlite"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/asrd:/var/lib/more")
    assert journal_file(None) == Path("/var/lib/asrd/journal.sqlite")
    assert journal_file(tmp_path) == tmp_path / "journal.sqlite"
    assert journal_file(tmp_path / "new") == tmp_path / "new" / "journal.sqlite"
    assert journal_file(tmp_path / "x.db") == tmp_path / "x.db"
    with pytest.raises(AsrdError, match="room for at least 1 MB"):
        JournalOptions(tmp_path, size=5)
