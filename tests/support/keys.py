"""Keys that change: statements, manifests and pins for tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from federation.digest import Digest
from federation.keychange import KeyChange
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest, SignedManifest
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from node.repositories import Repositories
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub
from node.usecases.pins import Pins
from tests.support.clock import FakeClock
from tests.support.memory_storage import MemoryStorage

ACME, GLOBEX, EVIL = NodeName("acme"), NodeName("globex"), NodeName("evil")
FIRST, SECOND, THIRD, THIEF = (PrivateKey(bytes([number]) * 32) for number in (1, 2, 3, 66))
OWN = PrivateKey(b"o" * 32)
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def key_change(
    old: PrivateKey, new: PrivateKey, number: int = 1, *, node: NodeName = ACME, at: datetime = NOW
) -> bytes:
    """A statement of ``node``, signed by both."""
    return KeyChange(node=node, old=old.public, new=new.public, at=at, number=number).sign(old, new)


def manifest(key: PrivateKey, version: str = "acme-1.0.0", *, created: datetime = NOW) -> SignedManifest:
    """A version that bears acme's name, made by ``key``."""
    made = Manifest(
        service=ServiceName("shop"),
        version=DeveloperVersion(version),
        image=Digest.of(version.encode()),
        size_bytes=1,
        entries=1,
        recipe=Digest.of(b"recipe"),
        sources=(),
        maker=Maker(node=DeveloperVersion(version).node, key=key.public),
        created=created,
    )
    return SignedManifest.make(made, key)


@dataclass
class PinsPlace:
    """The pins of globex, with all that they rest on."""

    clock: FakeClock
    storage: MemoryStorage
    hub: ChangeHub
    audit: Audit
    alarms: Alarms
    pins: Pins

    async def told(self) -> list[str]:
        """The ids of the open alarms."""
        return [alarm.id for alarm in await self.alarms.open()]

    async def audited(self, action: str) -> Sequence[str]:
        return [entry.detail for entry in await self.audit.find(first=100) if entry.action == action]

    def kept(self) -> dict[str, str]:
        """All pins as they stand in the storage."""
        return {key: row.text for key, row in self.storage.collections["pins"].rows.items()}


def pins_place() -> PinsPlace:
    clock, hub, storage = FakeClock(), ChangeHub(), MemoryStorage()
    kept = Repositories.open(storage)
    audit = Audit(kept.audit, clock)
    alarms = Alarms(kept.alarms, hub, audit, clock)
    pins = Pins(kept.pins, clock, node=GLOBEX, key=OWN.public, alarms=alarms, audit=audit, hub=hub)
    return PinsPlace(clock, storage, hub, audit, alarms, pins)
