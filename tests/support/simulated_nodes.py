"""Nodes that live in a simulated network: their background loops run, they crash, and start again on what they kept.

A crash takes what was in memory and ends every task at once; what was written to the storage and to the disk stays.
What a power cut between two writes of one step leaves behind is not tried here but in the tests of each such step.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from federation.backoff import Backoff
from federation.clock import Clock
from federation.keychange import KeyChain
from federation.keys import PrivateKey
from federation.link.events import Event
from federation.link.follow import FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS, EventSource, follow
from federation.link.identity_proof import IdentityProof
from federation.names import NodeName, ProfileName, ServiceName
from node.app import make_app
from node.assembly import Assembly
from node.config import create_node, load_settings
from node.keyfolder import KeyFolder
from node.model.peer import AutoUpdate
from node.model.version import DevelopedService, GitSource
from node.usecases import Usecases
from tests.support.memory_storage import Files, MemoryStorage
from tests.support.nodes import WHO, Member
from tests.support.simulated_network import SimulatedNetwork, SimulatedPeer
from tests.support.simulated_time import SimulatedClock
from tests.support.wire import Wire

PROFILE: Final = "public"


def loops(use: Usecases) -> tuple[Coroutine[Any, Any, None], ...]:
    """What ``node.lifecycle`` runs, but for what needs a site (client versions), the log and the local network."""
    return (
        use.catalog_keys.run(),
        use.catalogs.run(),
        use.farewells.run(),
        use.followers.run(),
        use.packs.run(),
        use.delivery.run(),
        use.reports.run(),
        use.withdrawn_running.run(),
    )


@contextlib.contextmanager
def repeatable(seed: str) -> Iterator[None]:
    """All keys made in the block, and all chance that asks nobody for a generator, follow from ``seed``."""
    keys, before = random.Random(f"keys {seed}"), random.getstate()
    random.seed(f"chance {seed}")
    try:
        with patch.object(PrivateKey, "generate", lambda: PrivateKey(keys.randbytes(32))):
            yield
    finally:
        random.setstate(before)


@dataclass
class _Running:
    member: Member
    assembly: Assembly
    task: asyncio.Task[None] | None = None


@dataclass
class SimulatedNodes:
    """All nodes. ``started``: called with each that starts, before it does anything."""

    folder: Path
    network: SimulatedNetwork
    started: Callable[[Member], None] = lambda _member: None
    members: dict[str, Member] = field(default_factory=dict)
    crashes: int = 0
    _running: dict[str, _Running] = field(default_factory=dict)
    _group: asyncio.TaskGroup | None = None

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def add(self, name: str, *, ahead: float = 0.0) -> Member:
        """A new node, whose clock is ``ahead`` by so many seconds; it answers, and does nothing by itself yet."""
        url = f"http://{name}.test:7420"
        settings = create_node(self.folder / name, name=NodeName(name), host="127.0.0.1", port=7420, url=url)
        clock = SimulatedClock(asyncio.get_running_loop(), timedelta(seconds=ahead))
        return self._assemble(name, PrivateKey.load(settings.key_file), clock, {})

    async def link(self, provider: str, consumer: str, auto_update: AutoUpdate = AutoUpdate.INSTALL) -> None:
        invitation = await self[provider].use.links.invite(ProfileName(PROFILE), who=WHO)
        await self[consumer].use.links.accept(invitation.text, auto_update=auto_update, who=WHO)

    async def develops(self, name: str, *services: str) -> None:
        """``name`` builds ``services``, as its operator configured it."""
        source = (GitSource(name="main", url="https://git.test/main.git"),)
        for service in services:
            await self[name].use.services.add(DevelopedService(name=ServiceName(service), sources=source), who=WHO)

    # Living and dying.

    @contextlib.asynccontextmanager
    async def living(self) -> AsyncGenerator[None, None]:
        """All nodes run while the block does; a background loop that dies of an error ends it with that error."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for name in self.members:
                    self._live(name)
                yield
                for name in self.members:
                    await self._end(name)
        finally:
            self._group = None
            for running in self._running.values():
                running.assembly.close()

    def _live(self, name: str) -> None:
        assert self._group is not None
        running = self._running[name]
        running.task = self._group.create_task(_life(running.member), name=name)

    async def _end(self, name: str) -> None:
        """End all tasks of a node; what they may say to that is nobody's concern any more."""
        task = self._running[name].task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    async def crash(self, name: str) -> Files:
        """End a node as a power cut does; what it had stored."""
        member = self[name]
        # A copy: what the tasks still write while they end counts no more.
        kept = {collection: dict(rows) for collection, rows in member.storage._files.items()}
        self.network.crash(name)
        await self._end(name)
        self._running[name].assembly.close()
        self.crashes += 1
        return kept

    async def restart(self, name: str, kept: Files) -> Member:
        """Start a node again on what it had stored, and on its disk."""
        before = self[name]
        keys = KeyFolder(self.folder / name / "keys", NodeName(name)).load()
        member = self._assemble(name, keys.key, before.clock, kept, keys.chain)
        self.network.down.discard(name)
        self._live(name)
        return member

    async def rotate(self, name: str) -> PrivateKey:
        """Give a node another key, for which it is stopped for a moment; the old one."""
        old = self[name].key
        kept = await self.crash(name)
        KeyFolder(self.folder / name / "keys", NodeName(name)).rotate(self[name].clock.now(), keep_old=False)
        await self.restart(name, kept)
        return old

    def _assemble(self, name: str, key: PrivateKey, clock: Clock, kept: Files, chain: KeyChain | None = None) -> Member:
        storage = MemoryStorage(kept)
        rng = random.Random(f"node {self.network.seed} {name} {self.crashes}")
        assembly = Assembly(
            load_settings(self.folder / name),
            key=key,
            storage=storage,
            connect=lambda url, peer: SimulatedPeer(self.network, name, url, peer, key, clock),
            follow=partial(_following, rng),
            identify=_unasked,
            clock=clock,
            rng=rng,
            chain=chain,
        )
        use = assembly.usecases()
        app = make_app(use, clock, None)
        member = Member(name, self.folder / name, key, use, app, storage, clock, Wire())
        self.members[name] = self.network.hosts[name] = member
        self._running[name] = _Running(member, assembly)
        self.started(member)
        return member


async def _life(member: Member) -> None:
    """All that a node does by itself."""
    use = member.use
    await use.key_changes.countersign()
    if use.key_changes.former_ids:
        await use.withdrawals.renew()
    async with asyncio.TaskGroup() as group, use.tasks.running():
        for loop in loops(use):
            group.create_task(loop)
        await asyncio.Event().wait()


def _following(
    rng: random.Random, peer: EventSource, path: str, told: Callable[[bool], None]
) -> AsyncGenerator[Event, None]:
    return follow(peer, path, backoff=Backoff(FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS, rng), on_state=told)


async def _unasked(_url: str) -> IdentityProof:
    raise AssertionError("nobody pairs here")
