"""Errors that are answered to a client."""

from asrd.core.errors import AsrdError


class RefusedError(AsrdError):
    """A request that is not served. status: of HTTP. code: a word for programs. param: the field that is wrong."""

    def __init__(self, status: int, message: str, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


class LaggingError(AsrdError):
    """A connection does not read what it was to get."""
