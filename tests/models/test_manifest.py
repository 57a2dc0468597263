"""A manifest notices every change of the files it lists, and keeps what was known."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from asrd.core.errors import ModelError
from asrd.models import manifest


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "openvino").mkdir()
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "openvino" / "fp16.bin").write_bytes(bytes(range(256)))
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "half.part").write_text("hidden files are no part of the model", encoding="utf-8")
    manifest.write(tmp_path, source="here")
    return tmp_path


def test_lists_visible_files_with_known_hashes(directory: Path) -> None:
    files = manifest.read(directory)["files"]
    assert list(files) == ["config.json", "openvino/fp16.bin"]
    # sha256sum of "{}"
    assert files["config.json"] == {
        "sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        "size": 2,
    }
    assert manifest.verify(directory) == []


def test_flipped_byte_is_a_problem(directory: Path) -> None:
    path = directory / "openvino" / "fp16.bin"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    assert manifest.verify(directory) == [
        manifest.Problem("openvino/fp16.bin", "changed since the manifest was written")
    ]


def test_cut_missing_and_added_files_are_problems(directory: Path) -> None:
    (directory / "openvino" / "fp16.bin").write_bytes(b"short")
    (directory / "config.json").unlink()
    (directory / "vocab.json").write_text("{}", encoding="utf-8")
    assert manifest.verify(directory) == [
        manifest.Problem("config.json", "missing"),
        manifest.Problem("openvino/fp16.bin", "5 bytes instead of 256"),
        manifest.Problem("vocab.json", "not listed in the manifest"),
    ]


def test_writing_again_keeps_facts_and_renews_hashes(directory: Path) -> None:
    (directory / "config.json").write_text('{"changed": true}', encoding="utf-8")
    manifest.write(directory, openvino="1.0")
    content = manifest.read(directory)
    assert (content["source"], content["openvino"]) == ("here", "1.0")
    assert manifest.verify(directory) == []


def test_what_was_learned_is_listed_and_damage_stays_known(directory: Path) -> None:
    (directory / "openvino" / "fp16.bin").write_bytes(bytes(256))
    manifest.keep(directory, "calibration.json", {"times": 1})
    assert list(manifest.read(directory)["files"]) == ["calibration.json", "config.json", "openvino/fp16.bin"]
    assert [problem.file for problem in manifest.verify(directory)] == ["openvino/fp16.bin"]


@pytest.mark.parametrize("write", [manifest.write, lambda model: manifest.keep(model, "calibration.json", {})])
def test_a_full_disk_is_one_line_and_leaves_the_old_manifest(
    directory: Path, write: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ModelError, match=r"cannot be written \(No space left on device\); make room"):
        write(directory)
    assert manifest.verify(directory) == []


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"files": 3}', '{"files": {"config.json": "abc"}}', '{"files": {"config.json": {"size": "2"}}}'],
)
def test_a_broken_manifest_is_one_line(directory: Path, content: str) -> None:
    (directory / manifest.NAME).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        manifest.verify(directory)
    assert "\n" not in str(caught.value)


def test_a_missing_manifest_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="asrd model convert"):
        manifest.verify(tmp_path)
