"""The third party's own test suite: the conformance class, subclassed as its docstring says."""

from asrd.backends.conformance import BackendConformance


class TestToy(BackendConformance):
    name = "toy"
