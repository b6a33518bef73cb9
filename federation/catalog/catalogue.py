"""What a consumer holds of a provider's catalogue once all of it is verified, and what it asks for on the way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from federation.catalog.filenames import prefixed
from federation.catalog.listing import Listing
from federation.digest import Digest
from federation.errors import AbsentError, TamperedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file to fetch before reading goes on. ``path`` is relative to the catalogue's address.

    ``most_bytes``: stop reading the answer there, and refuse it.
    """

    path: str
    most_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInfo:
    """What the signed targets metadata says of one target: its bytes are exactly these."""

    length: int
    sha256: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A provider's catalogue, verified as a whole. ``expires``: when the first of its signatures runs out."""

    listing: Listing
    root_version: int
    timestamp_version: int
    targets_version: int
    expires: datetime
    targets: Mapping[str, TargetInfo]

    def info(self, path: str) -> TargetInfo:
        """What is known of the target ``path``.

        Raises:
            AbsentError: the catalogue has none.
        """
        try:
            return self.targets[path]
        except KeyError:
            raise AbsentError(f"the catalogue of {self.listing.node} has no target {path[:160]!r}") from None

    def url_path(self, path: str) -> str:
        """Where to fetch the target ``path``, relative to the catalogue's address.

        Raises:
            AbsentError: the catalogue has none.
        """
        return f"targets/{prefixed(path, self.info(path).sha256)}"

    def check_target(self, path: str, content: bytes) -> bytes:
        """``content`` if these are the bytes that the catalogue means by ``path``.

        Raises:
            AbsentError: the catalogue has no such target.
            TamperedError: other bytes.
        """
        return check_content(path, self.info(path), content)


def check_content(path: str, info: TargetInfo, content: bytes) -> bytes:
    """``content`` if it is what ``info`` says of ``path``.

    Raises:
        TamperedError: another length or digest.
    """
    if len(content) != info.length or Digest.of(content) != info.sha256:
        raise TamperedError(
            f"what the provider served as {path} is not what its signed catalogue names: it is refused; "
            "if this happens again, ask the provider's operator, or look for a proxy that alters downloads"
        )
    return content
