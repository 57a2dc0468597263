"""Run asrd's conformance tests, which every backend must pass."""

from asrd.backends.conformance import BackendConformance


class TestCosines(BackendConformance):
    """All tests are inherited."""

    name = "cosines"
