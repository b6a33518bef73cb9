"""Builds for peers that were granted it: takes their orders, tells how they stand, hands over what came out.

Orders live in memory: a node that is started anew has none, and the asker, told so, gives the order elsewhere or again.
What came out is kept until it is fetched or the asker's lease runs out. A peer's build never shares a folder, a cache
or a credential with another's or with our own; what an asker hands over for an order is for that order alone.
"""

import asyncio
import contextlib
import functools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from build.developer import DeveloperBuild
from build.environment import strangers_view
from build.reach import PeersReach
from build.source import SourceRequest
from federation import codec, limits
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError, InvalidValueError
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.link.builds import LEASE_SECONDS, LOADED, LOG_LINES, BuilderState, BuildOrder, BuildReport, BuildStand
from federation.link.sealing import Purpose
from federation.log import LogRecord
from federation.transfer.pack import make_pack
from federation.transfer.tree import TreeSource
from node.model.orders import Asker, Load, forbidden_source, pressure
from node.model.task import Task, TaskKind, TaskState
from node.usecases.builds import BuildDeveloper
from node.usecases.changes import ChangeHub, Topic
from node.usecases.confining import Confining
from node.usecases.handed_over import HandedOver
from node.usecases.tasks import Job, TaskLog, Tasks
from node.usecases.witness import Witness

WAIT_SECONDS: Final = 15.0
"""So long a question waits for news."""

_FETCH_SECONDS: Final = 3600.0
_LOOK_SECONDS: Final = 5.0
_ORDERS_MOST: Final = 100
_WAITING_MOST: Final = 20
"""So many questions of one asker wait for news at once."""

_STANDS: Final = {
    TaskState.QUEUED: BuildStand.QUEUED,
    TaskState.RUNNING: BuildStand.RUNNING,
    TaskState.SUCCEEDED: BuildStand.SUCCEEDED,
    TaskState.CANCELLED: BuildStand.CANCELLED,
}


class LoadedError(ConflictError):
    """This node takes no build on now; it may later, and another node may now."""

    code = LOADED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What an order gave. ``pack``: the whole image, to be fetched."""

    image: Digest
    pack: Path
    provenance: bytes
    comment: str


@dataclass(slots=True, kw_only=True)
class _Order:
    order: BuildOrder
    asker: Asker
    handed: HandedOver
    folder: Path
    lease_until: datetime
    task: str = ""
    made: _Made | None = field(default=None)


class Workshop:
    """The orders of peers at this node. ``most``: so many are worked on or wait at once; 0: none is taken."""

    def __init__(
        self,
        *,
        key: PrivateKey,
        confining: Confining,
        witness: Witness,
        tasks: Tasks,
        hub: ChangeHub,
        clock: Clock,
        work: Path,
        most: int,
        most_load: float,
        sources: tuple[str, ...],
        load: Callable[[Path], Load],
        build: BuildDeveloper,
    ) -> None:
        self._key = key
        self._confining = confining
        self._witness = witness
        self._tasks = tasks
        self._hub = hub
        self._clock = clock
        self._work = work
        self._most = most
        self._most_load = most_load
        self._sources = sources
        self._load = load
        self._build = build
        self._orders: dict[tuple[str, str], _Order] = {}
        self._waiting: Counter[NodeId] = Counter()

    async def state(self) -> BuilderState:
        """Whether another order would be taken now, and how loaded this machine is."""
        load = await asyncio.to_thread(self._load, self._work)
        running = len(await self._open())
        return BuilderState(
            refusal=self._refusal(load, running),
            running=running,
            most=self._most,
            load=load.load,
            cpus=load.cpus,
            free_memory_bytes=load.free_memory_bytes,
            free_disk_bytes=load.free_disk_bytes,
        )

    def _refusal(self, load: Load, running: int) -> str:
        if self._most == 0:
            return "it builds for nobody"
        if running >= self._most:
            return f"it works on {running} builds of peers, and takes no more at once"
        return pressure(load, self._most_load)

    async def take(self, asker: Asker, order: BuildOrder) -> BuildReport:
        """Take ``order`` on; the same one again tells how it stands.

        Raises:
            LoadedError: not now.
            InvalidValueError: a source that this node fetches for nobody.
            SandboxError: the build can't be closed in.
        """
        key = (asker.id, order.id)
        if key not in self._orders:
            if url := forbidden_source(order, self._sources):
                raise InvalidValueError(
                    f"this node fetches nothing from {url[:200]!r} for a peer: its operator allows {self._sources}"
                )
            await self._confining.foreign()
            if refusal := (await self.state()).refusal:
                raise LoadedError(f"no build is taken on now: {refusal}")
            self._orders[key] = await self._begin(asker, order)
        return await self._report(self._orders[key], after=0)

    async def _begin(self, asker: Asker, order: BuildOrder) -> _Order:
        if len(self._orders) >= _ORDERS_MOST:
            raise LoadedError("no build is taken on now: too many were made that nobody has fetched yet")
        handed = HandedOver(
            Purpose(order=order.id, asker=asker.id, builder=self._key.public.id),
            self._key,
            credentials=order.credentials,
            news=functools.partial(self._hub.publish, Topic.TASKS),
        )
        folder = self._work / asker.id / order.id
        one = _Order(order=order, asker=asker, handed=handed, folder=folder, lease_until=self._lease())
        job = Job(
            kind=TaskKind.PEER_BUILD,
            title=f"Build {order.service} {order.version} for {asker.name}",
            work=functools.partial(self._make, one),
            subject=order.id,
        )
        one.task = (await self._tasks.start(job, who=asker.name)).id
        return one

    async def _make(self, one: _Order, log: TaskLog) -> str:
        order, started = one.order, self._clock.now()
        await asyncio.to_thread(shutil.rmtree, one.folder, ignore_errors=True)
        request = DeveloperBuild(
            service=order.service,
            version=order.version,
            sources=tuple(
                SourceRequest(name=source.name, url=source.url, ref=source.ref, directory=source.directory)
                for source in order.sources
            ),
            work=one.folder,
            # What only the asker's credentials open stays no longer than the order.
            cache=(one.folder if order.credentials else self._work / one.asker.id) / "cache",
            private=one.handed,
            credentials=one.handed,
            confinement=await self._confining.foreign(),
            trusted=False,
            reach=PeersReach(self._sources),
            since=order.since,
            host=strangers_view(os.environ),
        )
        built = await self._build(request, log)
        signed = self._witness.state(request, built, invocation=order.id, started=started)
        pack = one.folder / "image.pack"
        source = TreeSource(built.tree, built.image)
        await asyncio.to_thread(make_pack, base=None, image=built.image, source=source, target=pack)
        one.made = _Made(image=built.image.digest, pack=pack, provenance=signed.to_bytes(), comment=built.comment)
        return str(built.image.digest)

    # What the asker asks.

    async def report(self, asker: Asker, order_id: str, *, after: int, wait: bool = True) -> BuildReport:
        """How an order stands, with its log after line ``after``; waits a while for news. It renews the lease.

        Raises:
            AbsentError: this asker has no such order here (any more).
        """
        one = self._mine(asker, order_id)
        one.lease_until = self._lease()
        # Each open question holds a connection: whoever has many open is answered at once.
        if wait and self._waiting[asker.id] < _WAITING_MOST:
            self._waiting[asker.id] += 1
            try:
                await self._news(one, after)
            finally:
                self._waiting[asker.id] -= 1
        return await self._report(one, after=after)

    async def _news(self, one: _Order, after: int) -> None:
        """Wait a while for something to tell."""
        async with self._hub.subscribe(frozenset({Topic.TASKS, Topic.LOGS})) as changes:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    while not await self._has_news(one, after):
                        await anext(changes)

    async def _has_news(self, one: _Order, after: int) -> bool:
        ended = (await self._tasks.get(one.task)).state.ended
        return ended or bool(one.handed.wants) or bool(await self._tasks.log(one.task, after, 1))

    def take_over(self, asker: Asker, order_id: str, sealed: bytes) -> None:
        """Give the build of an order what its asker hands over.

        Raises:
            AbsentError: as ``report``.
            TamperedError, ConflictError: as ``HandedOver.take``.
        """
        self._mine(asker, order_id).handed.take(sealed)

    async def cancel(self, asker: Asker, order_id: str) -> BuildReport:
        """Stop an order and forget what it made.

        Raises:
            AbsentError: as ``report``.
        """
        one = self._mine(asker, order_id)
        await self._drop(one)
        return BuildReport(id=order_id, stand=BuildStand.CANCELLED, lease_until=one.lease_until)

    def pack(self, asker: Asker, order_id: str) -> Path:
        """The whole image that an order gave, as a pack.

        Raises:
            AbsentError: there is none.
        """
        one = self._mine(asker, order_id)
        # A large image takes longer to fetch than a question to come.
        one.lease_until = self._clock.now() + timedelta(seconds=_FETCH_SECONDS)
        made = one.made
        if made is None:
            raise AbsentError("this order has not given an image")
        return made.pack

    def _mine(self, asker: Asker, order_id: str) -> _Order:
        one = self._orders.get((asker.id, order_id))
        if one is None:
            raise AbsentError("there is no such order of yours here: it ran out, or this node was started anew")
        return one

    async def _report(self, one: _Order, *, after: int) -> BuildReport:
        task = await self._tasks.get(one.task)
        stand = _STANDS.get(task.state, BuildStand.FAILED)
        made = one.made if stand is BuildStand.SUCCEEDED else None
        return BuildReport(
            id=one.order.id,
            stand=stand,
            lease_until=one.lease_until,
            why=await self._why(task),
            log=tuple(_bounded(await self._tasks.log(one.task, after, LOG_LINES))),
            provenance=None if made is None else made.provenance,
            comment="" if made is None else made.comment,
            sealing=one.handed.statement,
            wants=one.handed.wants,
        )

    async def _why(self, task: Task) -> str:
        waits = self._tasks.waits_for(task) if task.state is TaskState.QUEUED else ""
        return (task.error or waits)[: limits.LOG_MESSAGE_CHARS]

    # What nobody asks for any more.

    async def run(self) -> None:
        """Drop the orders whose lease has run out; never returns."""
        await asyncio.to_thread(_clear, self._work)
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.sweep()

    async def sweep(self) -> None:
        """Drop the orders whose lease has run out."""
        for one in [one for one in self._orders.values() if one.lease_until < self._clock.now()]:
            await self._drop(one)

    async def _drop(self, one: _Order) -> None:
        await self._tasks.cancel(one.task, who=one.asker.name)
        self._orders.pop((one.asker.id, one.order.id), None)
        await asyncio.to_thread(shutil.rmtree, one.folder, ignore_errors=True)

    async def _open(self) -> list[_Order]:
        return [one for one in self._orders.values() if not (await self._tasks.get(one.task)).state.ended]

    def _lease(self) -> datetime:
        return self._clock.now() + timedelta(seconds=LEASE_SECONDS)


def _bounded(records: list[LogRecord]) -> Iterable[LogRecord]:
    """As many of the first ``records`` as an answer has room for."""
    room = limits.RESPONSE_BODY_BYTES // 4
    for record in records:
        room -= len(codec.encode(record))
        if room < 0:
            return
        yield record


def _clear(work: Path) -> None:
    """Take away what orders before a restart left; the caches stay."""
    for folder in work.glob("*/*"):
        if folder.name != "cache":
            shutil.rmtree(folder, ignore_errors=True)
