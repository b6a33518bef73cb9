"""Maps the errors of vUpdate to HTTP: one table, by class; the body holds the stable code and the sentence."""

import uuid
from typing import Final

import structlog
from quart import Response
from werkzeug.exceptions import HTTPException

from federation import codec, errors
from federation.link.messages import ErrorBody
from federation.link.refusals import BusyError

_STATUS: Final[tuple[tuple[type[errors.VUpdateError], int], ...]] = (
    (BusyError, 503),
    (errors.InvalidValueError, 400),
    (errors.DeniedError, 403),
    (errors.AbsentError, 404),
    (errors.ConflictError, 409),
    (errors.OversizedError, 413),
    (errors.TamperedError, 422),
    (errors.StaleError, 422),
    (errors.RemoteError, 502),
    (errors.DiskFullError, 507),
)
_log = structlog.get_logger(__name__)


def status_of(error: errors.VUpdateError) -> int:
    """The HTTP status of ``error``; 500 for what is the node's own fault."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def answer(code: str, message: str, status: int) -> Response:
    """An error as JSON."""
    return Response(codec.encode(ErrorBody(code=code, message=message)), status, mimetype="application/json")


def answer_of(error: Exception) -> Response:
    """The answer to ``error``; what is not meant for the caller is logged under a reference instead."""
    if isinstance(error, errors.VUpdateError) and status_of(error) != 500:
        return answer(error.code, error.message, status_of(error))
    if isinstance(error, HTTPException):
        status = error.code or 500
        return answer(f"http-{status}", error.name, status)
    reference = uuid.uuid4().hex[:12]
    _log.error("request failed", reference=reference, exc_info=error)
    return answer("internal", f"Something went wrong here; reference {reference}", 500)
