"""What stands in a catalogue beside TUF's own files: the target paths, and the listing of what is desired.

The listing is the provider's word for what is current; it is signed by being a target. What each version *is* stands
in the origin's manifest, which is a target too and never re-encoded.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from federation import codec, limits
from federation.codec import Moment
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.identity import NodeId
from federation.names import NodeName, ProfileName, ServiceName
from federation.versions import DeveloperVersion

LISTING_TARGET: Final = "listing.json"
_MARKER = re.compile(r"[0-9a-f]{32}", re.ASCII)


def manifest_target(manifest: Digest) -> str:
    """The target path of the signed manifest whose payload has the digest ``manifest``."""
    return f"manifests/{manifest}.json"


def withdrawal_target(withdrawal: Digest) -> str:
    """The target path of the withdrawal whose payload has the digest ``withdrawal``."""
    return f"withdrawals/{withdrawal}.json"


def key_changes_target(node: NodeName) -> str:
    """The target path of the key changes of ``node``: a JSON array of base64 envelopes, oldest first."""
    return f"key-changes/{node}.json"


def marker(node: NodeId, service: ServiceName) -> str:
    """How a node marks an entry of ``service`` that passed it.

    A node knows its own marker and so finds a circle; who else's a marker is can be confirmed, but not read off.
    """
    return hashlib.sha256(f"vupdate trail\n{node}\n{service}".encode()).hexdigest()[:32]


def check_trail(trail: tuple[str, ...]) -> None:
    """Refuse what is no trail.

    Raises:
        OversizedError: too few or too many markers.
        InvalidValueError: not markers.
    """
    if not 1 <= len(trail) <= limits.TRAIL_HOPS:
        raise OversizedError(f"a trail has from 1 to {limits.TRAIL_HOPS} markers")
    if not all(_MARKER.fullmatch(one) for one in trail):
        raise InvalidValueError("a trail consists of markers of 32 hexadecimal digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The version of one service that the provider wants run.

    ``trail``: the markers of the nodes this choice came through, the one that made it first, the publisher last.
    """

    service: ServiceName
    version: DeveloperVersion
    image: Digest
    manifest: Digest
    trail: tuple[str, ...]

    def __post_init__(self) -> None:
        check_trail(self.trail)

    def passed(self, node: NodeId) -> bool:
        """Whether the choice came through ``node`` before: taking it there would close a circle."""
        return marker(node, self.service) in self.trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A test consumer's word, passed on by the provider: ``version`` of ``service`` passed its tests."""

    tester: NodeName
    service: ServiceName
    version: DeveloperVersion
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All that is current in a profile. ``serial`` grows with each change; entries are sorted by service.

    ``withdrawals``: the digests of the withdrawals in force, and ``withdrawal_trails`` for each in the same order the
    markers of the nodes it came through (the key is the service withdrawn), or none at all; ``key_changes``: the nodes
    with a changed key.
    """

    node: NodeName
    profile: ProfileName
    serial: int
    entries: tuple[Entry, ...]
    withdrawals: tuple[Digest, ...] = ()
    tested: tuple[Tested, ...] = ()
    key_changes: tuple[NodeName, ...] = ()
    withdrawal_trails: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        parts = (self.entries, self.withdrawals, self.tested, self.key_changes)
        if any(len(part) > limits.OFFER_VERSIONS for part in parts):
            raise OversizedError(f"a listing with more than {limits.OFFER_VERSIONS} entries of a kind is refused")
        services = [one.service for one in self.entries]
        if services != sorted(set(services)) or not 0 <= self.serial <= limits.SERIAL:
            raise InvalidValueError("a listing has a serial and names each service once, in order")
        if self.withdrawal_trails and len(self.withdrawal_trails) != len(self.withdrawals):
            raise InvalidValueError("a listing gives a trail for each withdrawal, or for none")
        for trail in self.withdrawal_trails:
            check_trail(trail)

    def encode(self) -> bytes:
        """The listing as the content of its target."""
        return codec.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """The listing in a verified target.

        Raises:
            TamperedError: not a listing: its signer made a mistake, or is no vUpdate node.
            OversizedError: over a bound of ``limits``.
        """
        try:
            return codec.decode(content, cls)
        except InvalidValueError as error:
            raise TamperedError(f"the catalogue's listing can't be read: {error}") from error
