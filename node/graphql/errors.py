"""Decides what a caller learns of an error: its sentence and code when it was meant for him, else only a reference."""

import uuid
from typing import Final

import structlog
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from federation.errors import VUpdateError

_log: Final = structlog.get_logger("node.graphql")

INVALID_QUERY: Final = "invalid-query"
INTERNAL: Final = "internal"
_OF_THE_QUERY = (CannotGetOperationTypeError, InvalidOperationTypeError)


def _told(error: GraphQLError, reference: str) -> tuple[str, str]:
    cause = error.original_error
    if isinstance(cause, VUpdateError) and cause.code != INTERNAL:
        _log.info("request refused", correlation=reference, code=cause.code, path=error.path)
        return cause.message, cause.code
    if cause is None or isinstance(cause, _OF_THE_QUERY):
        return error.message, INVALID_QUERY
    _log.error("request failed", correlation=reference, path=error.path, exc_info=cause)
    return f"Something went wrong here; reference {reference}", INTERNAL


def presented(error: GraphQLError) -> GraphQLError:
    """``error`` as its caller sees it, with a code and a reference under which the log knows more."""
    reference = uuid.uuid4().hex[:12]
    message, code = _told(error, reference)
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, "correlation": reference},
    )
