"""Make a small language model of the general English trigram that PocketSphinx ships.

    python -m asrd.training.language_model.make en-us.lm.bin en.arpa --threshold 1e-7
    build_binary -a 22 -q 8 -b 8 trie en.arpa en.bin

Reads PocketSphinx's own format (its converters leave out the last trigrams' contexts and stop), keeps the
words that letters and apostrophes can spell, prunes by relative entropy, and writes ARPA, which
KenLM's `build_binary` turns into what is loaded. `docs/language-model.md` says more.
"""

from pathlib import Path
from typing import Any

import click

from asrd.training.language_model.pocketsphinx import read
from asrd.training.language_model.prune import prune, spelled
from asrd.training.language_model.trigram import arpa


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--threshold", default=1e-7, show_default=True, help="Drop what changes perplexity by less.")
@click.option(
    "--letters", default="abcdefghijklmnopqrstuvwxyz'", show_default=True, help="What words are spelled with."
)
def main(source: Path, target: Path, **options: Any) -> None:
    """Prune a PocketSphinx trigram and write it as ARPA."""
    whole = spelled(read(source), options["letters"])
    model = prune(whole, options["threshold"])
    with target.open("w", encoding="utf-8") as file:
        file.writelines(arpa(model))
    click.echo(
        f"{len(model.words)} words, {len(model.p2)} of {len(whole.p2)} bigrams, "
        f"{len(model.p3)} of {len(whole.p3)} trigrams"
    )


if __name__ == "__main__":
    main()
