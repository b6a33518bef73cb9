"""A whole network through quiet, storm and healing: what is checked all the time, and what is measured.

Quiet: everybody gets the first versions, and one origin changes its key. Storm: messages are lost and late, the network
is cut in pieces, nodes crash, liars begin to lie; meanwhile the origins go on: newer versions, a rollback, a
withdrawal. Then the network heals, and the liars stay liars.
"""

import asyncio
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from structlog.testing import capture_logs
from structlog.typing import EventDict

from federation.keys import PrivateKey
from federation.names import NodeName, ProfileName, ServiceName
from federation.versions import DeveloperVersion
from node.model.looks import SLOW_SECONDS
from node.model.policy import REFUSED_GRACE
from node.usecases.following import MOST_RETRY_SECONDS
from tests.support.nodes import WHO, Member
from tests.support.simulated_audit import Auditor
from tests.support.simulated_lies import Forger, Lie, Lying, copy_of, republish, stripped
from tests.support.simulated_network import FAIR, STORM, SimulatedNetwork
from tests.support.simulated_nodes import PROFILE, SimulatedNodes, repeatable
from tests.support.simulated_plan import Plan
from tests.support.simulated_time import run_simulated

QUIET_SECONDS: Final = 900.0
"""Within so many seconds everybody has the first versions, in fair weather; and knows of a changed key."""

_CLOSELY_SECONDS: Final = 7200.0
_PUBLIC: Final = ProfileName(PROFILE)


def memory_folder() -> Path | None:
    """Where files cost no disk, if there is such a place: a network writes and syncs many small ones."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else None


class DisagreementError(AssertionError):
    """The network did not do what it must."""


@dataclass(frozen=True, kw_only=True)
class Durations:
    """Seconds that the storm takes, agreeing after it at most, and the rest after that."""

    storm: float = 1200.0
    agree: float = 0.0
    rest: float = 3600.0

    def bound(self, plan: Plan) -> float:
        """Seconds within which all must agree after the network has healed: ``agree``, or what the design promises.

        On each link of the longest way a slow look finds what was missed. Once on the way a failed attempt may have to
        be waited for, and once the time of grace of a provider whose catalogue can't be believed any more.
        """
        looks = (plan.depth + 1) * SLOW_SECONDS * 1.2
        return self.agree or looks + MOST_RETRY_SECONDS + REFUSED_GRACE.total_seconds()


@dataclass
class Figures:
    """What a run came to.

    ``agreed``: by node, seconds from the healing until it agreed with all its origins; ``behind``: how many did not at
    the healing; ``refusals``: by code, what honest nodes would not believe or could not get; ``resting``: requests in
    the rest, by node.
    """

    crashes: int = 0
    requests: int = 0
    moved_bytes: int = 0
    checks: int = 0
    behind: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    agreed: dict[str, float] = field(default_factory=dict)
    resting: Counter[str] = field(default_factory=Counter)
    rest_hours: float = 1.0
    bound: float = 0.0
    simulated_seconds: float = 0.0
    wall_seconds: float = 0.0
    trace: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.agreed.values())

    @property
    def latest(self) -> float:
        return max(self.agreed.values())

    @property
    def resting_hourly(self) -> dict[str, float]:
        """Requests of each node in an hour of rest."""
        return {name: count / self.rest_hours for name, count in self.resting.items()}


@dataclass
class Simulation:
    """One run of ``plan``; the nodes live in ``folder``."""

    plan: Plan
    folder: Path
    durations: Durations = field(default_factory=Durations)
    figures: Figures = field(default_factory=Figures)
    auditor: Auditor = field(default_factory=Auditor)
    logs: list[EventDict] = field(default_factory=list)
    _builds: Counter[str] = field(default_factory=Counter)
    _stolen: dict[str, PrivateKey] = field(default_factory=dict)
    _first: dict[str, Path] = field(default_factory=dict)
    _withdrawn: set[tuple[str, str]] = field(default_factory=set)
    _up: dict[str, asyncio.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network = SimulatedNetwork(self.plan.seed)
        self.nodes = SimulatedNodes(self.folder, self.network, started=self._started)
        self.rng = random.Random(f"story {self.plan.seed}")

    def run(self) -> Figures:
        """Run it all, in simulated time."""
        began = time.perf_counter()
        with repeatable(self.plan.seed), capture_logs() as self.logs:
            run_simulated(self._run)
        self.figures.wall_seconds = time.perf_counter() - began
        return self.figures

    async def _run(self) -> None:
        await self._build()
        async with self.nodes.living():
            await self._quiet()
            await self._storm()
            healed = await self._heal()
            await self._rest(healed)
            await self._count()

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _started(self, member: Member) -> None:
        if member.name in self.plan.honest:
            self.auditor.watch(member)

    # Quiet.

    async def _build(self) -> None:
        for name in self.plan.nodes:
            self._up[name] = asyncio.Lock()
            member = self.nodes.add(name, ahead=self.rng.uniform(-15, 15))
            await member.share(PROFILE, *self.plan.services)
            await member.use.catalogs.root(_PUBLIC)
        for origin, services in self.plan.origins.items():
            await self.nodes.develops(origin, *services)
        for name, lie in self.plan.liars.items():
            if lie is Lie.ROLLS_BACK:
                self._first[name] = copy_of(self.nodes[name], PROFILE, self.folder / f"{name}-first")
        # A node that has just started takes no request that was signed before: clocks differ.
        await asyncio.sleep(60)
        for provider, consumer in self.plan.links:
            await self.nodes.link(provider, consumer)

    async def _quiet(self) -> None:
        for service in self.plan.services:
            await self._release(service)
        await self._until(self._agree, QUIET_SECONDS, "get the first versions")
        taken = Counter(origin for services in self.plan.wanted.values() for origin in set(services.values()))
        renewed = max(self.plan.origins, key=lambda origin: (taken[origin], origin))
        self._stolen[renewed] = await self.nodes.rotate(renewed)
        await self._until(self._know_keys, QUIET_SECONDS, "learn of the changed key")

    async def _release(self, service: str) -> None:
        """The origin makes another version of ``service``, and wants it run."""
        origin = self.plan.services[service]
        async with self._up[origin]:
            self._builds[service] += 1
            version = f"{origin}-1.0.{self._builds[service]}"
            files = {"app": f"{service} {version}\n".encode(), "same": service.encode() * 50}
            signed, image, _ = self.nodes[origin].signed(service, version, files)
            self.auditor.made[service, version] = (image.digest, signed.digest)
            await self.nodes[origin].develop(service, version, files)
        self.network.note("release", service, version)

    # Storm.

    async def _storm(self) -> None:
        for provider, consumer in self.plan.late:
            await self.nodes.link(provider, consumer)
        await self._begin_lies()
        self.network.weather = STORM
        ends = self._now + self.durations.storm
        async with asyncio.TaskGroup() as group:
            group.create_task(self._cut())
            for service in self.plan.services:
                group.create_task(self._go_on(service))
            for name in self.rng.sample(self.plan.honest, max(1, len(self.plan.honest) // 4)):
                group.create_task(self._crash(name))
        await asyncio.sleep(max(0.0, ends - self._now))

    async def _begin_lies(self) -> None:
        for name, lie in self.plan.liars.items():
            member, shown = self.nodes[name], self._first.get(name)
            if lie is Lie.FREEZES:
                shown = copy_of(member, PROFILE, self.folder / f"{name}-frozen")
            elif lie is Lie.STRIPS_TRAILS:
                republish(member, stripped(member))
            elif lie in (Lie.FORGES, Lie.FORKS_KEYS):
                forger = Forger(member, self._stolen if lie is Lie.FORKS_KEYS else {})
                await forger.prepare(self.plan.services)
                republish(member, forger.lie)
            self.network.liars[name] = Lying(lie, random.Random(f"{name} {self.plan.seed}"), shown)

    def _part(self, of: float, to: float) -> float:
        """Some seconds between two parts of the storm."""
        return self.durations.storm * self.rng.uniform(of, to)

    async def _cut(self) -> None:
        """Three pieces, then two others, which stay until the end."""
        await asyncio.sleep(self._part(0.05, 0.1))
        for pieces, seconds in ((3, self._part(0.4, 0.5)), (2, 0.0)):
            self.network.groups = {name: self.rng.randrange(pieces) for name in self.plan.nodes}
            await asyncio.sleep(seconds)

    async def _crash(self, name: str) -> None:
        await asyncio.sleep(self._part(0, 0.75))
        async with self._up[name]:
            kept = await self.nodes.crash(name)
            await asyncio.sleep(self._part(0.02, 0.2))
            await self.nodes.restart(name, kept)

    async def _go_on(self, service: str) -> None:
        """What the developers of ``service`` do meanwhile; of the services, one is rolled back, one withdrawn."""
        number = list(self.plan.services).index(service)
        for _ in range(self.rng.randint(2, 3)):
            await asyncio.sleep(self._part(0.05, 0.25))
            await self._release(service)
        await asyncio.sleep(self._part(0.05, 0.15))
        if number == 0:
            await self._withdraw(service)
        elif number == 1:
            await self._roll_back(service)

    async def _withdraw(self, service: str) -> None:
        origin = self.plan.services[service]
        bad = f"{origin}-1.0.{self._builds[service]}"
        async with self._up[origin]:
            use = self.nodes[origin].use
            await use.withdrawals.yank(ServiceName(service), DeveloperVersion(bad), reason="it loses data", who=WHO)
            self._withdrawn.add((service, bad))
        await self._release(service)

    async def _roll_back(self, service: str) -> None:
        origin = self.plan.services[service]
        async with self._up[origin]:
            await self.nodes[origin].set(service, f"{origin}-1.0.{self._builds[service] - 1}")

    # Healing and rest.

    async def _heal(self) -> float:
        self.network.weather, self.network.groups = FAIR, {}
        healed = self._now
        self.figures.behind, self.figures.bound = len(self._behind()), self.durations.bound(self.plan)
        await self._until(self._agree, self.figures.bound, "agree with their origins", self.figures.agreed)
        await self._until(self._know_withdrawn, self.figures.bound, "know of the withdrawal")
        return healed

    async def _rest(self, healed: float) -> None:
        """Nothing changes any more."""
        agreed, before = self._now, self.network.tally.asked.copy()
        await asyncio.sleep(self.durations.rest)
        if changed := self.auditor.changes(self.plan.honest, agreed):
            raise DisagreementError(f"{changed} versions changed after all had agreed")
        if returned := self.auditor.returns(self.plan.honest, healed):
            raise DisagreementError(f"came back to what they had left: {'; '.join(returned)}")
        self.figures.resting = self.network.tally.asked - before
        self.figures.rest_hours = self.durations.rest / 3600

    async def _until(
        self,
        holds: Callable[[], Awaitable[set[str]]],
        seconds: float,
        what: str,
        reached: dict[str, float] | None = None,
    ) -> None:
        """Wait until ``holds`` names nobody any more; ``reached``: when it named each node last."""
        began, named = self._now, set(self.plan.honest)
        while still := await holds():
            if reached is not None:
                reached.update(dict.fromkeys(named - still, self._now - began))
                for name in still - named:
                    reached.pop(name, None)
            named = still
            if self._now - began > seconds:
                raise DisagreementError(f"after {seconds:.0f} s still did not {what}: {await self._explained(still)}")
            if self.auditor.wrong:
                raise DisagreementError("; ".join(self.auditor.wrong[:5]))
            await asyncio.sleep(1.0 if self._now - began < _CLOSELY_SECONDS else 15.0)
        if reached is not None:
            reached.update(dict.fromkeys(named, self._now - began))

    def _wanted(self, name: str) -> Mapping[str, str | None]:
        """What its origins want ``name`` to have."""
        of = self.plan.wanted[name]
        return {service: self.auditor.desired[origin].get(service) for service, origin in of.items()}

    def _behind(self) -> set[str]:
        return {name for name in self.plan.honest if dict(self._wanted(name)) != self.auditor.desired[name]}

    async def _agree(self) -> set[str]:
        return self._behind()

    async def _know_keys(self) -> set[str]:
        """Who does not know the changed key yet."""
        found = set()
        for origin in self._stolen:
            key = self.nodes[origin].key.public
            for name in self.plan.honest:
                pin = await self.nodes[name].use.pins.get(NodeName(origin))
                if origin in self.plan.wanted[name].values() and (pin is None or pin.key != key):
                    found.add(name)
        return found

    async def _know_withdrawn(self) -> set[str]:
        """Who does not know of a withdrawal yet."""
        found = set()
        for name in self.plan.honest:
            told = {(str(one.service), str(one.version)) for one in await self.nodes[name].use.withdrawals.in_force()}
            if {one for one in self._withdrawn if one[0] in self.plan.wanted[name]} - told:
                found.add(name)
        return found

    async def _explained(self, names: set[str]) -> str:
        """Why those who are behind are."""
        found = [", ".join(sorted(names))]
        for name in sorted(names)[:6]:
            wanted, has = self._wanted(name), self.auditor.desired[name]
            found += [
                f"{name} {one.service} from {one.provider}: {one.reason.value}, {one.why}"
                for one in await self.nodes[name].use.following.verdicts()
                if wanted.get(one.service) != has.get(one.service)
            ]
        return "\n".join(found)

    async def _count(self) -> None:
        figures, tally = self.figures, self.network.tally
        if self.auditor.wrong:
            raise DisagreementError("; ".join(self.auditor.wrong[:5]))
        figures.crashes, figures.checks = self.nodes.crashes, self.auditor.checks
        figures.requests, figures.moved_bytes, figures.kinds = tally.requests, tally.moved_bytes, tally.kinds
        figures.refusals = tally.failed + Counter(
            str(line["code"]) for line in self.logs if line.get("event") == "provider could not be followed"
        )
        figures.alarms = Counter(str(line["kind"]) for line in self.logs if line.get("event") == "alarm")
        figures.simulated_seconds, figures.trace = self._now, self.network.trace
