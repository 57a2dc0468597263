"""Make the bundled language model: PocketSphinx's trigram, mixed with trigrams of openly licensed text.

    python -m asrd.training.language_model.make en-us.lm.bin text en.arpa --lmplz build/bin/lmplz
    build_binary -a 22 -q 8 -b 8 trie en.arpa en.bin

`text` is what `asrd.training.language_model.text` wrote. KenLM's `lmplz` makes a trigram of each file, with modified
Kneser-Ney smoothing. The mix has PocketSphinx's words, and those that the texts have twice or more. It is pruned by
relative entropy and written as ARPA; KenLM's `build_binary` turns that into what is loaded.
"""

import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import click

from asrd.training.language_model.mix import mix, table
from asrd.training.language_model.pocketsphinx import read
from asrd.training.language_model.prune import prune, spelled
from asrd.training.language_model.trigram import arpa, read_arpa

WEIGHTS = {"books": 0.23, "addresses": 0.09, "glosses": 0.10}
"""Shares of the texts in the mix; the rest is PocketSphinx's. Found by EM on held-out text of books and of Common
Voice, in about equal parts."""

LEAST = 2
"""Times a word must occur in the texts to be added."""

WORD = re.compile("[a-z]+('[a-z]+)?'?")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("text", type=click.Path(path_type=Path, exists=True))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--lmplz", default="lmplz", show_default=True, help="KenLM's lmplz program.")
@click.option("--threshold", default=1.9e-8, show_default=True, help="Drop n-grams that change perplexity by less.")
def main(source: Path, text: Path, target: Path, lmplz: str, threshold: float) -> None:
    """Mix SOURCE with the texts in TEXT, prune the mix, and write it to TARGET as ARPA."""
    models = [spelled(read(source), "abcdefghijklmnopqrstuvwxyz'")]
    count: Counter[str] = Counter()
    for name in WEIGHTS:
        lines = (text / f"{name}.txt").read_bytes()
        count.update(lines.decode().split())
        with tempfile.NamedTemporaryFile(suffix=".arpa") as file:
            subprocess.run([lmplz, "-o", "3", "-S", "1G", "--discount_fallback"], input=lines, stdout=file, check=True)
            models.append(read_arpa(Path(file.name)))
    words = list(models[0].words)
    known = set(words)
    words += sorted(
        word for word, n in count.items() if n >= LEAST and len(word) > 1 and word not in known and WORD.fullmatch(word)
    )
    weights = [1 - sum(WEIGHTS.values()), *WEIGHTS.values()]
    model = prune(mix([table(each, words) for each in models], weights, words), threshold)
    with target.open("w", encoding="utf-8") as file:
        file.writelines(arpa(model))
    click.echo(f"{len(model.words)} words, {len(model.p2)} bigrams, {len(model.p3)} trigrams")


if __name__ == "__main__":
    main()
