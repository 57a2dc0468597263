"""What asrd promises of every backend, as tests."""

from asrd.backends.conformance import BackendConformance


class TestCosines(BackendConformance):
    """All tests are inherited."""

    name = "cosines"
