"""Collect text from Debian packages of openly licensed books and dictionaries, read without being installed."""

import gzip
import json
import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asrd.core.errors import AsrdError
from asrd.training.text import sentences


def _wordnet(root: Path) -> Iterator[str]:
    for part in ("noun", "verb", "adj", "adv"):
        for line in (root / f"share/wordnet/data.{part}").read_text(encoding="latin-1").splitlines():
            gloss = line.partition(" | ")[2]
            for example in re.findall(r'"([^"]+)"', gloss):
                yield from sentences(example)
            yield from sentences(re.sub(r'"[^"]*"|\([^)]*\)', "", gloss).split(";")[0])


def _webster(root: Path) -> Iterator[str]:
    """Yield Webster's quotations: deeply indented paragraphs, each up to the dashes before the author's name."""
    for paragraph in re.split(r"\n\s*\n", _unzipped(root / "share/dictd/gcide.dict.dz")):
        quotation = re.match(r"\s{9,}(.*?)\s*(--|$)", paragraph, re.DOTALL)
        if quotation and "{" not in paragraph:
            yield from sentences(quotation.group(1))


def _devil(root: Path) -> Iterator[str]:
    yield from sentences(_unzipped(root / "share/dictd/devil.dict.dz"))


def _anarchism(root: Path) -> Iterator[str]:
    for path in sorted((root / "share/doc/anarchism/markdown").iterdir()):
        text = _unzipped(path) if path.suffix == ".gz" else path.read_text(encoding="utf-8", errors="ignore")
        yield from sentences(re.sub(r"\[[^\]]*\]", "", text))


def _austen(root: Path) -> Iterator[str]:
    """Yield the sentences of an R data set.

    R keeps it as a row of blocks, 4 bytes and a zlib stream each. In them a line of a book is a string of R's
    serialisation format: flags, 4 bytes of length (none here reaches 256), the bytes.
    """
    rest = (root / "lib/R/site-library/janeaustenr/data/Rdata.rdb").read_bytes()
    lines: list[bytes] = []
    while rest:
        block = zlib.decompressobj()
        lines += re.findall(rb"\x00\x04\x00\x09\x00\x00\x00.([\x20-\x7e]*)", block.decompress(rest[4:]), re.DOTALL)
        rest = block.unused_data
    yield from sentences(b"\n".join(lines).decode())


def _unzipped(path: Path) -> str:
    with gzip.open(path, "rt", encoding="utf-8", errors="ignore") as file:
        return file.read()


@dataclass(frozen=True, slots=True)
class Source:
    """A source of text."""

    package: str
    """Debian package that carries it."""
    title: str
    licence: str
    weight: float
    """Share of draws."""
    read: Callable[[Path], Iterator[str]]
    """Yields its sentences, given the package's `/usr`."""


SOURCES = (
    Source("wordnet-base", "WordNet 3.0, its examples and definitions", "WordNet licence (permissive)", 0.5, _wordnet),
    Source("r-cran-janeaustenr", "Jane Austen's six novels", "public domain", 0.2, _austen),
    Source("anarchism", "An Anarchist FAQ", "GFDL or GPL-2+", 0.15, _anarchism),
    Source(
        "dict-gcide", "quotations in Webster's dictionary of 1913", "public domain, in a GPL-3 work", 0.13, _webster
    ),
    Source("dict-devil", "The Devil's Dictionary, by Ambrose Bierce", "public domain", 0.02, _devil),
)


def collect(folder: Path) -> dict[str, list[str]]:
    """Collect the sentences of every source, each once, sorted; they are kept in `folder`, one JSON file per source.

    Packages of missing files are downloaded with apt-get and unpacked into a temporary directory. Raises AsrdError
    where that fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        kept = folder / f"{source.package}.json"
        if not kept.exists():
            with tempfile.TemporaryDirectory() as temporary:
                root = _unpacked(source.package, Path(temporary))
                kept.write_text(json.dumps(sorted(set(source.read(root)))), encoding="utf-8")
    return {
        source.package: json.loads((folder / f"{source.package}.json").read_text(encoding="utf-8"))
        for source in SOURCES
    }


def _unpacked(package: str, into: Path) -> Path:
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise AsrdError(f"'{package}' is fetched with apt-get and dpkg, which are not here; collect the text on Debian")
    for command in (["apt-get", "download", package], ["sh", "-c", "dpkg -x ./*.deb unpacked"]):
        done = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["?"])[-1]
            raise AsrdError(f"{command[0]} could not get '{package}' ({last}); try 'apt-get update' first")
    return into / "unpacked/usr"
