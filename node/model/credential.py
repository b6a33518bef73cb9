"""A credential for Git servers as it may be shown: everything of it but its secret."""

import enum
from dataclasses import dataclass

from build.credentials import Reach
from federation.codec import Moment
from federation.errors import InvalidValueError


class CredentialKind(enum.Enum):
    """What opens the repositories."""

    PASSWORD = "password"  # noqa: S105  # the word, not one
    KEY = "key"

    @classmethod
    def of(cls, reach: Reach) -> "CredentialKind":
        """What servers of this transport ask for."""
        return cls.KEY if reach.scheme == "ssh" else cls.PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class GitCredential:
    """What the node keeps for the repositories under ``prefix``, which is in its one spelling.

    ``user``: of HTTPS; of SSH it is in the prefix. ``known_hosts``: whether the host's keys were given with it.
    ``fingerprint``: keyed, 32 hexadecimal digits; another secret or prefix has another one.
    """

    prefix: str
    kind: CredentialKind
    user: str
    known_hosts: bool
    at: Moment
    by: str
    fingerprint: str

    def __post_init__(self) -> None:
        if Reach.read(self.prefix).text != self.prefix:
            raise InvalidValueError(f"{self.prefix!r} is not how a prefix is written")

    @property
    def reach(self) -> Reach:
        """The addresses that it is for."""
        return Reach.read(self.prefix)
