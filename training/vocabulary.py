"""The labels of the bundled model: those of wav2vec2-base-960h, the letters by how frequent they are."""

LABELS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")
"""The blank, three that are never text, the word boundary, and the letters."""

_INDEX = {label: index for index, label in enumerate(LABELS)} | {" ": LABELS.index("|")}


def spelling(text: str) -> list[int]:
    """The labels of a text as `labels` spells it."""
    return [_INDEX[letter] for letter in text]
