"""An outbox and its delivery over a storage that can crash, towards a provider that can be away, busy or forgetful."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import cast

from federation import limits
from federation.errors import UnreachableError, VUpdateError
from federation.keys import PrivateKey
from federation.link.answers import PeerError
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import NodeName, ProfileName
from federation.outbox import Budget, Entry
from node.model.peer import Provider
from node.repositories import Repositories
from node.storage.port import Collection, Document, Query, Stored, Where
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub
from node.usecases.countings import Countings
from node.usecases.delivery import Delivery, Letter, Withheld
from node.usecases.links import Links
from node.usecases.outbox import COUNTS, Outbox
from node.usecases.peers import ConnectPeer
from tests.support.clock import FakeClock
from tests.support.memory_storage import MemoryStorage

ACME = NodeName("acme")
FAULT = "fault"


class Crash(BaseException):
    """The process ends here: nothing in it catches this."""


@dataclass
class Fuse:
    """After so many more writes the process crashes, right before or right after one."""

    writes_left: int | None = None
    after: bool = False

    def burn(self, *, done: bool) -> None:
        if self.writes_left is None or done != self.after:
            return
        self.writes_left -= 1
        if self.writes_left < 0:
            self.writes_left = None
            raise Crash


@dataclass
class CrashingCollection:
    inner: Collection
    fuse: Fuse

    async def get(self, key: str) -> Stored | None:
        return await self.inner.get(key)

    async def insert(self, key: str, body: Document, blob: bytes | None = None) -> int:
        self.fuse.burn(done=False)
        revision = await self.inner.insert(key, body, blob)
        self.fuse.burn(done=True)
        return revision

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        self.fuse.burn(done=False)
        revision = await self.inner.replace(key, body, if_revision, blob)
        self.fuse.burn(done=True)
        return revision

    async def delete(self, key: str, if_revision: int | None = None) -> bool:
        self.fuse.burn(done=False)
        deleted = await self.inner.delete(key, if_revision)
        self.fuse.burn(done=True)
        return deleted

    async def find(self, query: Query) -> list[Stored]:
        return await self.inner.find(query)

    async def count(self, where: Sequence[Where] = ()) -> int:
        return await self.inner.count(where)


@dataclass
class CrashingStorage:
    inner: MemoryStorage
    fuse: Fuse

    def collection(self, name: str, indexes: Sequence[str] = ()) -> Collection:
        return CrashingCollection(self.inner.collection(name, indexes), self.fuse)

    async def close(self) -> None:
        await self.inner.close()


@dataclass
class Receiver:
    """The provider: what arrived, in order, and how it behaves. ``refuses``: the code it answers to a subject."""

    arrived: list[str] = field(default_factory=list)
    away: bool = False
    trouble: float = 0.0
    refuses: dict[str, str] = field(default_factory=dict)
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    asked: int = 0

    async def post(self, _path: str, body: bytes, *, most_bytes: int = limits.MIB) -> bytes:
        assert most_bytes > 0
        self.asked += 1
        subject = body.decode()
        if self.away:
            raise UnreachableError("acme is away")
        if subject in self.refuses:
            raise PeerError("no", remote_code=self.refuses[subject])
        if self.rng.random() < self.trouble:
            self._make_trouble(subject)
        self.arrived.append(subject)
        return b""

    def _make_trouble(self, subject: str) -> None:
        kind = self.rng.choice(["lost", "acknowledgement lost", "busy", "internal"])
        if kind == "acknowledgement lost":
            self.arrived.append(subject)
        if kind in ("lost", "acknowledgement lost"):
            raise UnreachableError("the connection broke")
        raise PeerError("not now", remote_code=kind)


@dataclass
class OneProvider:
    """The links of a node with one provider."""

    present: Provider
    heard_of: list[VUpdateError] = field(default_factory=list)

    async def providers(self) -> list[Provider]:
        return [self.present]

    async def refresh_state(self, _name: NodeName) -> Provider:
        return self.present

    async def provider(self, _name: NodeName) -> Provider:
        return self.present

    async def heard(self, _name: NodeName, error: VUpdateError) -> None:
        self.heard_of.append(error)


@dataclass
class Subjects:
    """A sender whose letters are the subjects themselves; those that begin with ``held`` are only counted."""

    right: Right = Right.FAULTS
    always: bool = False
    given: list[str] = field(default_factory=list)

    async def letter(self, entry: Entry, _provider: Provider) -> Letter | Withheld:
        if entry.subject.startswith("held"):
            return Withheld(why="held", counted=True)
        return Letter(path="/x", body=entry.subject.encode())

    async def delivered(self, entry: Entry) -> None:
        self.given.append(entry.subject)


@dataclass
class Site:
    """A consumer's way up to acme. ``restart`` is what a crash leaves: the storage, and nothing in memory."""

    budget: Budget = field(default_factory=Budget)
    seed: int = 1
    clock: FakeClock = field(default_factory=FakeClock)
    fuse: Fuse = field(default_factory=Fuse)
    receiver: Receiver = field(default_factory=Receiver)
    sender: Subjects = field(default_factory=Subjects)
    storage: MemoryStorage = field(default_factory=MemoryStorage)

    def __post_init__(self) -> None:
        key = PrivateKey(b"p" * 32).public
        provider = Provider(
            name=ACME, key=key, url="http://acme.test", profile=ProfileName("p"), linked=self.clock.now()
        )
        self.links = OneProvider(provider)
        self.restart()

    def restart(self) -> None:
        kept = Repositories.open(CrashingStorage(self.storage, self.fuse))
        hub = ChangeHub()
        self.kept = kept
        self.outbox = Outbox(
            entries=kept.outbox,
            checkpoints=kept.outbox_checkpoints,
            tallies=kept.outbox_tallies,
            sent=kept.outbox_sent,
            hub=hub,
            audit=Audit(kept.audit, self.clock),
            clock=self.clock,
            budget=self.budget,
        )
        self.delivery = Delivery(
            outbox=self.outbox,
            links=cast("Links", self.links),
            senders={FAULT: self.sender, COUNTS: Countings(self.outbox, self.clock)},
            connect=cast("ConnectPeer", lambda _url, _key: self.receiver),
            hub=hub,
            clock=self.clock,
            rng=random.Random(self.seed),
        )

    async def queue(self, subject: str, *, size_bytes: int = 10, version: str = "acme-1.0.0") -> None:
        await self.outbox.queue(ACME, FAULT, subject, size_bytes=size_bytes, service="shop", version=version)

    async def deliver(self) -> None:
        await self.delivery.deliver(ACME)

    async def drain(self) -> None:
        """Deliver until nothing waits any more, however long that takes."""
        for _ in range(500):
            await self.deliver()
            if (await self.outbox.heads(ACME)) == (None, None):
                return
            self.clock.advance(600)
        raise AssertionError("the outbox does not empty")

    async def counted(self) -> int:
        return sum(one.count for one in (await self.outbox.tally(ACME)).counts if one.kind == FAULT)

    def give(self, *rights: Right) -> None:
        self.links.present = replace(self.links.present, rights=frozenset(rights))

    def give_usual(self) -> None:
        self.give(*USUAL_RIGHTS)

    @property
    def faults(self) -> list[str]:
        """What arrived, without reports of counts."""
        return [subject for subject in self.receiver.arrived if not subject.startswith("{")]

    def later(self, **by: float) -> None:
        self.clock.advance(timedelta(**by).total_seconds())
