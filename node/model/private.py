"""A private file as it may be shown: everything of it but its content."""

from dataclasses import dataclass

from build.private import private_target
from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError
from federation.names import PrivateFileName, ServiceName


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateFile:
    """A secret that this node keeps for a service.

    ``into``: where it stands in each client version of this node; none: only recipes place it. ``by``: who put it last,
    ``at`` when. ``fingerprint``: keyed, 32 hexadecimal digits; another content, service or name has another one.
    """

    service: ServiceName
    name: PrivateFileName
    into: str | None
    size: int
    at: Moment
    by: str
    fingerprint: str

    def __post_init__(self) -> None:
        if self.into is not None:
            private_target(self.into)
        if not 0 < self.size <= limits.PRIVATE_FILE_BYTES:
            raise InvalidValueError(f"a private file has 1 to {limits.PRIVATE_FILE_BYTES} bytes")

    @property
    def key(self) -> str:
        """``<service>/<name>``: its key in the storage, and how it is called in messages."""
        return f"{self.service}/{self.name}"
