"""Run the command as a process of its own, as in the tests of the command."""

from tests.cli.conftest import environment, spawn

__all__ = ["environment", "spawn"]
