"""What an answer of 400 and above means here: the peer's code and sentence as an error of this side.

The peer's words are its own: they are cut to a bound and stripped of all that could steer a terminal or hide text, and
its code stays apart (``remote_code``), so that no peer can make an error look as if it arose here.
"""

import re
import unicodedata
from typing import Final

from federation import codec
from federation.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    ExistsError,
    InvalidValueError,
    RemoteError,
    UnreachableError,
    VUpdateError,
)
from federation.link.messages import ErrorBody
from federation.link.refusals import DENIED_CODES

MESSAGE_CHARS: Final = 500
ERROR_BODY_BYTES: Final = 64 * 1024
_CODE = re.compile(r"[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?", re.ASCII)
_AWAY: Final = frozenset({502, 503, 504})


class PeerRefusalError(VUpdateError):
    """A refusal that the peer gave. ``remote_code``: the peer's own code, or ``http-<status>`` where it gave none."""

    def __init__(self, message: str, *, remote_code: str) -> None:
        super().__init__(message)
        self.remote_code = remote_code


class PeerAbsentError(PeerRefusalError, AbsentError):
    """The peer does not have it, or not for us."""


class PeerDeniedError(PeerRefusalError, DeniedError):
    """The peer does not let us."""


class PeerConflictError(PeerRefusalError, ConflictError):
    """The peer's state is not the one we saw."""


class PeerExistsError(PeerRefusalError, ExistsError):
    """The peer has it already."""


class PeerError(PeerRefusalError, RemoteError):
    """The peer answered with an error of another kind; look at ``remote_code``."""


_KINDS: Final[dict[str, type[PeerRefusalError]]] = {
    AbsentError.code: PeerAbsentError,
    ConflictError.code: PeerConflictError,
    ExistsError.code: PeerExistsError,
    **dict.fromkeys(DENIED_CODES, PeerDeniedError),
}

_KINDS_BY_STATUS: Final[dict[int, type[PeerRefusalError]]] = {
    401: PeerDeniedError,
    403: PeerDeniedError,
    404: PeerAbsentError,
    409: PeerConflictError,
}
"""For codes that are not in the table: a peer's narrower word, or that of a newer version."""


def plain_text(text: str, most: int = MESSAGE_CHARS) -> str:
    """``text`` in one line of at most ``most`` characters, without control, format and other invisible ones."""
    shown = "".join(" " if char.isspace() else char for char in text[: 4 * most])
    shown = "".join(char for char in shown if not unicodedata.category(char).startswith("C"))
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def error_of_answer(url: str, status: int, body: bytes) -> VUpdateError:
    """The error to raise for the answer ``status`` of the peer at ``url`` with ``body``."""
    try:
        said = codec.decode(body, ErrorBody)
    except InvalidValueError:
        return _unexplained(url, status)
    code = said.code if _CODE.fullmatch(said.code) else f"http-{status}"
    message = plain_text(said.message) or f"{url} answered with status {status}"
    kind = _KINDS.get(code) or _KINDS_BY_STATUS.get(status, PeerError)
    return kind(message, remote_code=code)


def _unexplained(url: str, status: int) -> VUpdateError:
    """Something between us and the peer answered, or no vUpdate at all."""
    if status in _AWAY:
        return UnreachableError(f"{url} is away: status {status} came from what stands before it")
    return PeerError(
        f"{url} answered with status {status} and no reason: is it a vUpdate node?", remote_code=f"http-{status}"
    )
