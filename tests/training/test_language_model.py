"""The bundled language model is made from others."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asrd.training.language_model.mix import mix, table
from asrd.training.language_model.text import gutenberg, sentences
from asrd.training.language_model.trigram import Trigram, arpa, read_arpa

WORDS = ["<s>", "</s>", "a", "b", "c"]
SIZE = len(WORDS)


def model(seed: int, words: list[str] = WORDS) -> Trigram:
    """Make a trigram whose probabilities sum to one after every history. A trigram's last two words are a bigram."""
    rng = np.random.default_rng(seed)
    size = len(words)
    p1 = rng.dirichlet(np.ones(size))
    pairs = np.array(
        [(word, before) for before in range(size) for word in rng.permutation(size)[: rng.integers(1, size - 1)]]
    )
    p2, b1 = listed(pairs[:, 1], p1[pairs[:, 0]], size, rng)
    after = {before: np.flatnonzero(pairs[:, 1] == before) for before in range(size)}
    rows = [(bigram, at) for at, pair in enumerate(pairs) for bigram in after[pair[0]] if rng.random() < 0.5]
    bigram, history = np.array(rows, np.int64).reshape(-1, 2).T
    p3, b2 = listed(history, p2[bigram], len(pairs), rng)
    triples = np.column_stack([pairs[bigram], pairs[history][:, 1]])
    return Trigram(words, np.log(p1), np.log(b1), pairs, np.log(p2), np.log(b2), triples, np.log(p3))


def listed(
    history: np.ndarray, lower: np.ndarray, histories: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of listed n-grams, and the back-off weights that fill up the rest."""
    p = lower * rng.uniform(0.2, 0.9, len(lower))
    left = 1 - np.bincount(history, p, histories)
    return p, left / (1 - np.bincount(history, lower, histories))


def every(one: Trigram) -> np.ndarray:
    """Return the probabilities `(word, before, before that)` of all triples."""
    count = len(one.words)
    grid = np.stack(np.meshgrid(*[np.arange(count)] * 3, indexing="ij"), -1).reshape(-1, 3)
    keys = grid[:, 0] * count * count + grid[:, 1] * count + grid[:, 2]
    return np.asarray(np.exp(table(one, one.words).triples(keys))).reshape(count, count, count)


@given(st.integers(0, 1000), st.floats(0.05, 0.95))
def test_a_mix_sums_to_one_and_lies_between_its_parts(seed: int, share: float) -> None:
    parts = [model(seed), model(seed + 1)]
    mixed = mix([table(each, WORDS) for each in parts], [share, 1 - share], WORDS)
    found = every(mixed)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-6)
    wanted = share * every(parts[0]) + (1 - share) * every(parts[1])
    keys = mixed.trigrams
    np.testing.assert_allclose(found[tuple(keys.T)], wanted[tuple(keys.T)], rtol=1e-6)


def test_a_word_of_one_part_only_is_a_word_of_the_mix() -> None:
    more = [*WORDS, "d"]
    mixed = mix([table(model(1), more), table(model(2, more), more)], [0.75, 0.25], more)
    assert np.exp(mixed.p1[5]) == 0.25 * np.exp(model(2, more).p1[5])


def test_arpa_comes_back(tmp_path: Path) -> None:
    one, path = model(3), tmp_path / "one.arpa"
    path.write_text("".join(arpa(one)), encoding="utf-8")
    back = read_arpa(path)
    assert back.words == WORDS
    np.testing.assert_array_equal(back.bigrams, one.bigrams)
    np.testing.assert_array_equal(back.trigrams, one.trigrams)
    np.testing.assert_allclose(back.p1[1:], one.p1[1:], atol=2e-4)  # the probability of <s> is not written
    for name in ("b1", "p2", "b2", "p3"):
        np.testing.assert_allclose(getattr(back, name), getattr(one, name), atol=2e-4)


def test_sentences_are_spelled_as_they_are_spoken() -> None:
    text = "CHAPTER SEVENTEEN\n\nMr. Dent’s well-known _friend_ came. He said: “No!” It was 1812.\nAfter that, silence."
    assert list(sentences(text)) == ["mister dent's well known friend came", "after that silence"]


def test_what_project_gutenberg_wrote_is_no_part_of_a_book() -> None:
    assert (
        gutenberg("by X\n*** START OF THIS EBOOK ***\nIt began.\n*** END OF THIS EBOOK ***\nlicence").strip()
        == "It began."
    )
