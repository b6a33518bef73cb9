"""Decides with which status a command ends, and what it says of its error: one table, the same for people and tools."""

import enum
from collections.abc import Mapping
from typing import Final

from federation.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    InvalidValueError,
    UnreachableError,
    VUpdateError,
)


class Exit(enum.IntEnum):
    """The status of a command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    DENIED = 4
    CONFLICT = 5
    ABSENT = 6
    INTERRUPTED = 130


MEANINGS: Final[Mapping[Exit, str]] = {
    Exit.DONE: "done",
    Exit.FAILED: "the work failed; the message says why",
    Exit.USAGE: "the command was not understood, or a value is wrong",
    Exit.UNREACHABLE: "no node is running, or it or another node did not answer",
    Exit.DENIED: "not allowed: no right, or a link, invitation or enrolment that is used or expired",
    Exit.CONFLICT: "something else came first, or exists already: look, and try again",
    Exit.ABSENT: "there is nothing of this name",
    Exit.INTERRUPTED: "interrupted from the keyboard",
}

_BY_CODE: Final[Mapping[str, Exit]] = {
    "invalid-value": Exit.USAGE,
    "usage": Exit.USAGE,
    "unreachable": Exit.UNREACHABLE,
    "denied": Exit.DENIED,
    "invitation": Exit.DENIED,
    "enrolment": Exit.DENIED,
    "login": Exit.DENIED,
    "stranger": Exit.DENIED,
    "conflict": Exit.CONFLICT,
    "exists": Exit.CONFLICT,
    "withdrawn": Exit.CONFLICT,
    "not-found": Exit.ABSENT,
    "interrupted": Exit.INTERRUPTED,
}
_BY_KIND: Final[tuple[tuple[type[VUpdateError], Exit], ...]] = (
    (InvalidValueError, Exit.USAGE),
    (UnreachableError, Exit.UNREACHABLE),
    (DeniedError, Exit.DENIED),
    (ConflictError, Exit.CONFLICT),
    (AbsentError, Exit.ABSENT),
)


class CommandError(Exception):
    """An error as a command ends with it. ``correlation``: the reference under which the node's log knows more."""

    def __init__(self, message: str, code: str = "failed", correlation: str = "", status: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.correlation = correlation
        self.status = status

    @property
    def document(self) -> dict[str, object]:
        """What ``--json`` prints of it."""
        found = {"code": self.code, "message": self.message, "correlation": self.correlation, "exit": int(self.status)}
        return {"error": {key: value for key, value in found.items() if value != ""}}


def answered(message: str, code: str, correlation: str = "") -> CommandError:
    """The error that a node answered with ``code``."""
    return CommandError(message, code, correlation, _BY_CODE.get(code, Exit.FAILED))


def usage(message: str) -> CommandError:
    """What was typed is wrong."""
    return CommandError(message, "usage", status=Exit.USAGE)


def unreachable(message: str) -> CommandError:
    """Nobody answers."""
    return CommandError(message, "unreachable", status=Exit.UNREACHABLE)


def explained(error: BaseException) -> CommandError | None:
    """``error``, or the first cause in a group of them, if it was meant for people."""
    if isinstance(error, BaseExceptionGroup):
        return next((found for one in error.exceptions if (found := explained(one))), None)
    if isinstance(error, CommandError):
        return error
    if isinstance(error, VUpdateError):
        status = next((status for kind, status in _BY_KIND if isinstance(error, kind)), Exit.FAILED)
        return CommandError(error.message, error.code, status=status)
    return None


def innermost(error: BaseException) -> BaseException:
    """``error``, or the first single one in a group of them."""
    return innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def table() -> str:
    """The statuses, one a line, for the help and the documentation."""
    return "\n".join(f"  {int(status):>3}  {meaning}" for status, meaning in MEANINGS.items())
