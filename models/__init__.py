"""Models: what a checkpoint is, where checkpoints live, and how one is fetched and converted."""

from asrd.models.directory import ModelDirectory
from asrd.models.geometry import Geometry
from asrd.models.vocabulary import Vocabulary

__all__ = ["Geometry", "ModelDirectory", "Vocabulary"]
