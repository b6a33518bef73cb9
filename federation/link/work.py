"""What a node that can't be dialled and the peer that has builds run by it say to each other: the builder calls in.

The builder asks for work, and is given questions: those that an asker puts to a builder that it dials, the other way
round. Each is answered by itself. What a build needs to be, and how long it is worked on, ``builds`` says.
"""

import enum
import re
from dataclasses import dataclass, field
from typing import Final, Self

from federation import codec, limits
from federation.errors import AbsentError, ConflictError, DeniedError, InvalidValueError, OversizedError, VUpdateError
from federation.link.answers import error_of_answer
from federation.link.builds import BuilderState, BuildOrder, BuildReport
from federation.link.messages import ErrorBody
from federation.names import NodeName

PATH: Final = "/federation/v1/work"

PIECE_BYTES: Final = 2 * limits.MIB
"""So large is each piece of a pack but the last; it travels as base64 in JSON."""

QUESTIONS: Final = 8
"""So many questions one answer holds at most."""

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


class WorkKind(enum.Enum):
    """What a builder is asked: take an order; how one stands; take secrets for one; a piece of its pack; to stop it."""

    OFFER = "offer"
    REPORT = "report"
    HAND_OVER = "hand-over"
    PACK = "pack"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCall:
    """A builder calls in: whether it would take another order now."""

    state: BuilderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to a builder about an order. ``number``: what its answer is sent to, 32 hexadecimal digits.

    ``offer``: the order to take. ``after``: of a report the number of the last line known of the log, of a pack the
    first byte that is asked for. ``content``: what is handed over, sealed.
    """

    number: str
    kind: WorkKind
    order: str
    offer: BuildOrder | None = None
    after: int = 0
    content: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.number) or not _ID.fullmatch(self.order):
            raise InvalidValueError("the number of a question and the id of an order are 32 hexadecimal digits")
        if not 0 <= self.after <= limits.SERIAL:
            raise InvalidValueError("'after' is the number of a line or of a byte")
        if (self.kind is WorkKind.OFFER) != (self.offer is not None):
            raise InvalidValueError("an order comes with the offer of it, and with nothing else")
        if self.offer is not None and self.offer.id != self.order:
            raise InvalidValueError("an offer is about its own order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a builder that called in is asked; nothing where there was nothing for a while."""

    questions: tuple[Question, ...] = ()

    def __post_init__(self) -> None:
        if len(self.questions) > QUESTIONS:
            raise OversizedError(f"a builder is asked at most {QUESTIONS} questions at once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a question has no better answer. ``status``: of HTTP, as if the builder had been dialled."""

    status: int
    code: str
    message: str

    def __post_init__(self) -> None:
        if not 400 <= self.status < 600:
            raise InvalidValueError("a refusal has a status from 400 to 599")

    @classmethod
    def of(cls, error: VUpdateError) -> Self:
        """The refusal that tells of ``error``."""
        told = ErrorBody.of(error)
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 422)
        return cls(status=status, code=told.code, message=told.message)

    def error(self, builder: NodeName) -> VUpdateError:
        """The error to raise where ``builder`` gave it."""
        return error_of_answer(builder, self.status, codec.encode(ErrorBody(code=self.code, message=self.message)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackPiece:
    """A part of a pack of ``size`` bytes in all, from where it was asked for; but for the last of ``PIECE_BYTES``."""

    size: int
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.size <= limits.SERIAL or len(self.content) > PIECE_BYTES:
            raise OversizedError(f"a piece of a pack has at most {PIECE_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkAnswer:
    """The answer to one question: a report or a piece where one was asked for, else nothing; or a refusal."""

    refusal: Refusal | None = None
    report: BuildReport | None = None
    piece: PackPiece | None = None


_STATUS: Final[tuple[tuple[type[VUpdateError], int], ...]] = (
    (InvalidValueError, 400),
    (DeniedError, 403),
    (AbsentError, 404),
    (ConflictError, 409),
    (OversizedError, 413),
)
