"""Labels of the bundled models: those of wav2vec2-base-960h, with the letters in order of frequency."""

LABELS = ("<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ")
"""The blank, three that are never text, the word boundary, and the letters."""

_INDEX = {label: index for index, label in enumerate(LABELS)} | {" ": LABELS.index("|")}


def spelling(text: str) -> list[int]:
    """Return the label indices of a text that `text.labels` wrote."""
    return [_INDEX[letter] for letter in text]
