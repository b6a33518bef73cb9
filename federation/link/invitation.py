"""Invitations and enrolments: what is copied by hand from one node to the other end of a new link.

A text is a prefix that names kind and version, then base64url of JSON. It holds a one-time secret and the key that its
maker will be recognised by. Whether a secret is still good is the maker's to decide; here is only the form.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self, TypeVar

from federation import codec, limits
from federation.codec import Moment
from federation.errors import InvalidValueError
from federation.keys import PublicKey
from federation.link.address import check_url
from federation.names import InstanceName, NodeName, ProfileName

INVITATION_PREFIX: Final = "vui1:"
ENROLMENT_PREFIX: Final = "vua1:"
SECRET_BYTES: Final = 32
_SECRET_BYTES_MOST: Final = 64

_T = TypeVar("_T")


def new_secret() -> str:
    """A fresh one-time secret: 32 random bytes as base64url."""
    return secrets.token_urlsafe(SECRET_BYTES)


def _from_base64url(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)


def check_secret(secret: str) -> None:
    """Refuse what can't be a one-time secret.

    Raises:
        InvalidValueError: not base64url, or of fewer than 32 bytes; the message does not repeat it.
    """
    try:
        size = len(_from_base64url(secret)) if len(secret) <= 2 * _SECRET_BYTES_MOST else 0
    except (binascii.Error, ValueError):
        size = 0
    if not SECRET_BYTES <= size <= _SECRET_BYTES_MOST or "=" in secret or "+" in secret or "/" in secret:
        raise InvalidValueError("the secret is damaged: copy the whole text again")


def _to_text(prefix: str, value: object) -> str:
    return prefix + base64.urlsafe_b64encode(codec.encode(value)).decode("ascii").rstrip("=")


def _from_text(text: str, prefix: str, kind: type[_T], what: str) -> _T:
    # A terminal or a mail program may have broken the text into lines.
    joined = "".join(text[: 2 * limits.INVITATION_CHARS].split())
    if not joined.startswith(prefix):
        raise InvalidValueError(f"this is not an {what}: copy the whole text, it begins with {prefix}")
    if len(joined) > limits.INVITATION_CHARS:
        raise InvalidValueError(f"this is too long for an {what}: copy only the one text that begins with {prefix}")
    try:
        return codec.decode(_from_base64url(joined.removeprefix(prefix)), kind)
    except (binascii.Error, ValueError) as error:
        raise InvalidValueError(
            f"the {what} is damaged or cut off: copy the whole text, it begins with {prefix}"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What a consumer needs to link to the node ``node`` and take the versions of ``profile``. Good for one use."""

    url: str
    node: NodeName
    key: PublicKey
    profile: ProfileName
    secret: str = field(repr=False)
    expires: Moment

    def __post_init__(self) -> None:
        check_url(self.url)
        check_secret(self.secret)

    @property
    def text(self) -> str:
        """The invitation as one line to copy."""
        return _to_text(INVITATION_PREFIX, self)

    def expired(self, now: datetime) -> bool:
        """Whether its maker will no longer take it."""
        return now >= self.expires

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The invitation that was copied as ``text``; white space in it does no harm.

        Raises:
            InvalidValueError: not a whole invitation.
        """
        return _from_text(text, INVITATION_PREFIX, cls, "invitation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an agent needs to attach itself to the node ``node`` as ``instance``. Good for one use."""

    url: str
    node: NodeName
    key: PublicKey
    instance: InstanceName
    secret: str = field(repr=False)
    expires: Moment

    def __post_init__(self) -> None:
        check_url(self.url)
        check_secret(self.secret)

    @property
    def text(self) -> str:
        """The enrolment as one line to copy."""
        return _to_text(ENROLMENT_PREFIX, self)

    def expired(self, now: datetime) -> bool:
        """Whether its maker will no longer take it."""
        return now >= self.expires

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The enrolment that was copied as ``text``; white space in it does no harm.

        Raises:
            InvalidValueError: not a whole enrolment.
        """
        return _from_text(text, ENROLMENT_PREFIX, cls, "enrolment")
