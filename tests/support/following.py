"""Values for tests of what is followed: listings, offerings and situations in a line each."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from federation.catalog.listing import Entry, Listing, marker
from federation.catalog.listing import Tested as TestedMark
from federation.digest import Digest
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.names import NodeName, ProfileName, ServiceName
from federation.versions import DeveloperVersion
from node.model.following import Choice, Failure, Followed, Offering, Situation

NOW: Final = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
SHOP: Final = ServiceName("shop")
ACME, EVIL, GLOBEX = NodeName("acme"), NodeName("evil"), NodeName("globex")


def node_id(name: str) -> NodeId:
    """The id of node ``name``; always the same one."""
    return PrivateKey(Digest.of(name.encode()).encode()[:32]).id


def trail(*names: str, service: ServiceName = SHOP) -> tuple[str, ...]:
    """The markers of these nodes."""
    return tuple(marker(node_id(name), service) for name in names)


def entry(version: str = "acme-1.0.0", *names: str, service: ServiceName = SHOP) -> Entry:
    """``version`` as it came through ``names``; acme's own choice without any."""
    return Entry(
        service=service,
        version=DeveloperVersion(version),
        image=Digest.of(f"image {service} {version}".encode()),
        manifest=Digest.of(f"manifest {service} {version}".encode()),
        trail=trail(*(names or ("acme",)), service=service),
    )


def offering(provider: NodeName, *entries: Entry, tested: tuple[TestedMark, ...] = (), **changes: Any) -> Offering:
    """What ``provider`` lists, read just now and good for a day."""
    listing = Listing(node=provider, profile=ProfileName("public"), serial=1, entries=entries, tested=tested)
    given = {"expires": NOW + timedelta(days=1), "tried": NOW, **changes}
    return Offering(provider=provider, listing=listing, **given)


def followed(one: Entry, provider: NodeName = ACME) -> dict[ServiceName, Followed]:
    """``one`` was followed from ``provider``."""
    return {one.service: Followed(service=one.service, choice=Choice.of(provider, one), at=NOW)}


def here(*entries: Entry) -> dict[tuple[ServiceName, str], Digest]:
    """These versions are stored."""
    return {(one.service, str(one.version)): one.manifest for one in entries}


def failure(one: Entry, provider: NodeName = ACME, *, count: int = 1, seconds: float = 60) -> Failure:
    """Taking ``one`` failed."""
    return Failure(
        provider=provider,
        service=one.service,
        version=one.version,
        manifest=one.manifest,
        count=count,
        error="no room is left",
        at=NOW,
        again=NOW + timedelta(seconds=seconds),
    )


def situation(*offerings: Offering, node: str = "initech", **changes: Any) -> Situation:
    """What ``node`` knows."""
    return Situation(node=node_id(node), offerings=offerings, **{"now": NOW, **changes})
