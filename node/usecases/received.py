"""Takes in what consumers report of the versions they took, and keeps the newest of each.

Whose a report is, the key says that signed the request. What it says of services outside the consumer's profile is
passed over; a report of nothing else is refused. It is durable before it is acknowledged, and arriving twice is once.
"""

from typing import Final, TypeVar

from federation.catalog.listing import Tested
from federation.clock import Clock
from federation.errors import AbsentError, DeniedError, ExistsError
from federation.link.messages import ReportTaken
from federation.names import NodeName, ProfileName, ServiceName
from federation.report import CountsReport, StateReport, TestedReport
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.peer import Consumer
from node.model.report import ReceivedCounts, ReceivedMark, ReceivedStates
from node.storage.port import Order, Where
from node.storage.repository import Repository
from node.usecases.changes import ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.links import Links
from node.usecases.profiles import Profiles

MARK_INDEXES: Final = ("consumer,received",)
MARKS_KEPT: Final = 200
"""Of each consumer, the newest."""

_Kept = TypeVar("_Kept", ReceivedStates, ReceivedCounts)


class Received:
    """What the consumers of this node reported."""

    def __init__(
        self,
        *,
        states: Repository[ReceivedStates],
        counts: Repository[ReceivedCounts],
        marks: Repository[ReceivedMark],
        links: Links,
        profiles: Profiles,
        desired: Desired,
        hub: ChangeHub,
        clock: Clock,
    ) -> None:
        self._states = states
        self._counts = counts
        self._marks = marks
        self._links = links
        self._profiles = profiles
        self._desired = desired
        self._hub = hub
        self._clock = clock

    async def take_states(self, consumer: Consumer, report: StateReport) -> ReportTaken:
        """Keep the states of a consumer's instances, unless newer ones are here.

        Raises:
            DeniedError: it speaks of services outside the consumer's profile only.
        """
        profile = await self._profiles.find(consumer.profile)
        within = report.within(profile)
        if report.services and not within.services:
            raise DeniedError(f"nothing that this node shares with {consumer.name} stands in its report")
        kept = ReceivedStates(consumer=consumer.name, received=self._clock.now(), report=within)
        await _keep_newest(self._states, consumer.name, kept)
        self._hub.publish(Topic.LINKS, consumer.name)
        return ReportTaken(id=str(report.sequence))

    async def take_counts(self, consumer: Consumer, report: CountsReport) -> ReportTaken:
        """Keep how much a consumer did not send whole, unless newer counts are here."""
        profile = await self._profiles.find(consumer.profile)
        kept = ReceivedCounts(consumer=consumer.name, received=self._clock.now(), report=report.within(profile))
        await _keep_newest(self._counts, consumer.name, kept)
        self._hub.publish(Topic.LINKS, consumer.name)
        return ReportTaken(id=str(report.sequence))

    async def take_mark(self, consumer: Consumer, report: TestedReport) -> ReportTaken:
        """Keep a tested mark; the oldest of a consumer give way.

        Raises:
            DeniedError: it names services outside the consumer's profile only.
        """
        within = report.within(await self._profiles.find(consumer.profile))
        if not within:
            raise DeniedError(f"nothing that this node shares with {consumer.name} stands in its tested mark")
        mark = ReceivedMark(
            consumer=consumer.name,
            received=self._clock.now(),
            report=TestedReport(id=report.id, at=report.at, versions=within, comment=report.comment),
        )
        try:
            await self._marks.add(mark)
        except ExistsError:
            return ReportTaken(id=report.id)
        for old in (await self._marks_of(consumer.name, limit=MARKS_KEPT + 10))[MARKS_KEPT:]:
            await self._marks.remove(old.id)
        self._hub.publish(Topic.LINKS, consumer.name)
        self._hub.publish(Topic.TESTED, consumer.name)
        return ReportTaken(id=report.id)

    async def _marks_of(self, consumer: NodeName, *, limit: int) -> list[ReceivedMark]:
        where = Where("consumer", "==", consumer)
        return await self._marks.find(where, order=(Order("received", descending=True),), limit=limit)

    async def marks(self, profile: ProfileName) -> list[Tested]:
        """The newest word of each tester on the versions of ``profile`` that are desired now, by service.

        A tester's own profile may be another: what it tested it could see, and the reader sees only its own services.
        """
        shared = await self._profiles.find(profile)
        desired = shared.visible((await self._desired.current(ListKind.DEVELOPER)).developer)
        found: list[Tested] = []
        for consumer in await self._links.consumers():
            if consumer.tester:
                found += await self._words_of(consumer, desired)
        return sorted(found, key=lambda one: (one.service, one.tester))

    async def _words_of(self, tester: Consumer, desired: dict[ServiceName, DeveloperVersion]) -> list[Tested]:
        words: dict[ServiceName, Tested] = {}
        for mark in await self._marks_of(tester.name, limit=MARKS_KEPT):
            for one in mark.report.versions:
                if desired.get(one.service) == one.version and one.service not in words:
                    words[one.service] = Tested(
                        tester=tester.name, service=one.service, version=one.version, at=mark.report.at
                    )
        return list(words.values())

    # What an operator sees.

    async def states_of(self, consumer: NodeName) -> ReceivedStates | None:
        """The newest state report of a consumer."""
        return await self._states.get(consumer)

    async def counts_of(self, consumer: NodeName) -> ReceivedCounts | None:
        """The newest counts of a consumer."""
        return await self._counts.get(consumer)

    async def marks_of(self, consumer: NodeName, *, first: int) -> list[ReceivedMark]:
        """The newest ``first`` tested marks of a consumer, newest first."""
        return await self._marks_of(consumer, limit=first)

    async def forget(self, consumer: Consumer) -> None:
        """The consumer is gone, and all that it reported."""
        await self._states.remove(consumer.name)
        await self._counts.remove(consumer.name)
        while marks := await self._marks_of(consumer.name, limit=MARKS_KEPT):
            for mark in marks:
                await self._marks.remove(mark.id)
        self._hub.publish(Topic.TESTED, consumer.name)


async def _keep_newest(kept: Repository[_Kept], key: str, new: _Kept) -> None:
    """An equal number is the same report sent again, perhaps with what happened since."""

    def newest(present: _Kept) -> _Kept:
        return new if new.report.sequence >= present.report.sequence else present

    try:
        await kept.change(key, newest)
    except AbsentError:
        try:
            await kept.add(new)
        except ExistsError:
            await kept.change(key, newest)
