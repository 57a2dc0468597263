"""Errors as JSON, in the shape that OpenAI's API gives them; other protocols have their own."""

from asrd.core.errors import AsrdError, AudioError, UsageError
from asrd.gateway.errors import RefusedError


def refused(error: Exception) -> RefusedError:
    """Return an error of asrd as one of HTTP: the client's fault, or the server's."""
    if isinstance(error, RefusedError):
        return error
    assert isinstance(error, AsrdError)
    return RefusedError(400 if isinstance(error, UsageError | AudioError) else 503, str(error))


def described(refusal: RefusedError) -> dict[str, str | None]:
    """Return what is told of an error."""
    kind = "invalid_request_error" if refusal.status < 500 else "server_error"
    return {"message": str(refusal), "type": kind, "param": refusal.param or None, "code": refusal.code or None}


def body(refusal: RefusedError) -> dict[str, dict[str, str | None]]:
    """Return the body of the answer."""
    return {"error": described(refusal)}
