"""Invitations and enrolments: what is copied by hand from one node to the other end of a new link.

A text is a prefix that names kind and version, then base64url of JSON. It holds a one-time secret and the key that its
maker will be recognised by. Whether a secret is still good is the maker's to decide; here is only the form.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, Self

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What both kinds hold: where their maker is, the key it will be recognised by, and a secret good for one use."""

    PREFIX: ClassVar[str]
    WHAT: ClassVar[str]

    url: str
    node: NodeName
    key: PublicKey
    secret: str = field(repr=False)
    expires: Moment

    def __post_init__(self) -> None:
        check_url(self.url)
        check_secret(self.secret)

    @property
    def text(self) -> str:
        """The same as one line to copy."""
        return self.PREFIX + base64.urlsafe_b64encode(codec.encode(self)).decode("ascii").rstrip("=")

    def expired(self, now: datetime) -> bool:
        """Whether its maker will no longer take it."""
        return now >= self.expires

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What was copied as ``text``; white space in it does no harm.

        Raises:
            InvalidValueError: not a whole one of this kind.
        """
        # A terminal or a mail program may have broken the text into lines.
        joined = "".join(text[: 2 * limits.INVITATION_CHARS].split())
        if not joined.startswith(cls.PREFIX):
            raise InvalidValueError(f"this is not an {cls.WHAT}: copy the whole text, it begins with {cls.PREFIX}")
        if len(joined) > limits.INVITATION_CHARS:
            raise InvalidValueError(
                f"this is too long for an {cls.WHAT}: copy only the one text that begins with {cls.PREFIX}"
            )
        try:
            return codec.decode(_from_base64url(joined.removeprefix(cls.PREFIX)), cls)
        except (binascii.Error, ValueError) as error:
            raise InvalidValueError(
                f"the {cls.WHAT} is damaged or cut off: copy the whole text, it begins with {cls.PREFIX}"
            ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(Handover):
    """What a consumer needs to link to the node ``node`` and take the versions of ``profile``. Good for one use."""

    PREFIX: ClassVar[str] = INVITATION_PREFIX
    WHAT: ClassVar[str] = "invitation"

    profile: ProfileName


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Handover):
    """What an agent needs to attach itself to the node ``node`` as ``instance``. Good for one use."""

    PREFIX: ClassVar[str] = ENROLMENT_PREFIX
    WHAT: ClassVar[str] = "enrolment"

    instance: InstanceName
