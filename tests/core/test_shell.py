"""Commands that people are told to run are understood by a shell."""

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asrd.core.shell import quoted


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("talk.m4a", "talk.m4a"),
        ("my talk.m4a", "'my talk.m4a'"),
        ("-x.m4a", "./-x.m4a"),
        ("größe", "'größe'"),
        ("a\nb", r"$'a\x0ab'"),
        ("tcp://[::1]:7", "'tcp://[::1]:7'"),
    ],
)
def test_what_is_written(word: str, text: str) -> None:
    assert quoted(word) == text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=8).filter(lambda name: 0 not in name), min_size=20, max_size=20))
def test_a_shell_reads_the_same_words(names: list[bytes]) -> None:
    words = [os.fsdecode(name) for name in names]
    line = " ".join(map(quoted, words))
    assert "\n" not in line
    script = f"printf '%s\\0' {line}".encode("utf-8", "surrogateescape")
    read = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.split(b"\0")[:-1]
    assert read == [b"./" + name if name.startswith(b"-") else name for name in names]
