"""The words in which an operator's command and the agent speak: one request, one answer, each a line of JSON."""

import enum
from dataclasses import dataclass, replace
from typing import Final

from agent.wishes import Wish
from federation import limits
from federation.names import ServiceKey
from federation.state import ServiceState

LINE_BYTES: Final = 64 * limits.KIB
"""The most that a request or an answer may have."""


class Act(enum.Enum):
    """What an operator can ask for."""

    STOP = "stop"
    START = "start"
    RESTART = "restart"
    HOLD = "hold"
    RELEASE = "release"
    RETRY = "retry"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Do ``act`` to ``service``."""

    act: Act
    service: ServiceKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is true of the service now, or why it was not done."""

    state: ServiceState | None = None
    code: str = ""
    message: str = ""


def wish_after(wish: Wish, act: Act) -> Wish:
    """What is wanted once ``act`` was asked for."""
    if act in (Act.STOP, Act.START):
        return replace(wish, halted=act is Act.STOP)
    if act in (Act.HOLD, Act.RELEASE):
        return replace(wish, held=act is Act.HOLD)
    return wish
