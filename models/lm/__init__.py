"""Language models: n-grams in KenLM's binary format or as ARPA, and the one that ships with asrd."""

from asrd.models.lm.language import LanguageModel, resolve
from asrd.models.lm.settings import DecodingSettings

__all__ = ["DecodingSettings", "LanguageModel", "resolve"]
