"""Languages by their codes."""

_LONG = {
    "eng": "en",
    "deu": "de",
    "ger": "de",
    "fra": "fr",
    "fre": "fr",
    "spa": "es",
    "por": "pt",
    "ita": "it",
    "nld": "nl",
    "dut": "nl",
}
"""Codes of three letters (ISO 639-2 and -3) of the languages for which asrd has rules."""


def primary(code: str) -> str:
    """Return the language of a code such as "en", "en-GB", "eng" or "uzb-script_cyrillic": of two letters where asrd
    has rules for it.
    """
    language = code.strip().replace("_", "-").partition("-")[0].lower()
    return _LONG.get(language, language)
