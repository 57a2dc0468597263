"""Run a third party's own test suite: a subclass of the conformance class, as its docstring says."""

from asrd.backends.conformance import BackendConformance


class TestToy(BackendConformance):
    name = "toy"
