"""Keeps what was followed and what failed, and judges what each provider lists; the policy is ``node.model.policy``."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from federation.backoff import Backoff
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind, Revision
from node.model.following import (
    ERROR_CHARS,
    Choice,
    Chosen,
    Decision,
    Failure,
    Followed,
    Offering,
    Situation,
    Verdict,
)
from node.model.peer import Provider, Right
from node.model.policy import decide
from node.model.window import Windows
from node.storage.port import QUERY_LIMIT
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.ordering import BY_KEY
from node.usecases.penalties import Penalties
from node.usecases.services import Services
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals

FIRST_RETRY_SECONDS: Final = 5.0
MOST_RETRY_SECONDS: Final = 1800.0
_HISTORY_LOOKED_AT: Final = 200


def failure_key(failure: Failure) -> str:
    """``<provider>/<service>``."""
    return f"{failure.provider}/{failure.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A decision and the revision of the desired versions that it rests on."""

    decision: Decision
    revision: int


class Following:
    """What this node follows."""

    def __init__(
        self,
        *,
        node: NodeId,
        providers: Repository[Provider],
        followed: Repository[Followed],
        failures: Repository[Failure],
        services: Services,
        desired: Desired,
        versions: Versions,
        withdrawals: Withdrawals,
        penalties: Penalties,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._node = node
        self._providers = providers
        self._followed = followed
        self._failures = failures
        self._services = services
        self._desired = desired
        self._versions = versions
        self._withdrawals = withdrawals
        self._penalties = penalties
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._backoff = Backoff(first=FIRST_RETRY_SECONDS, most=MOST_RETRY_SECONDS, rng=rng)
        # A stored version never changes; hundreds of providers list thousands, and not each is read at each decision.
        self._here: dict[tuple[ServiceName, str], Digest] = {}
        hub.watch(self._noticed)

    # Judging.

    async def judge(self, forced: NodeName | None = None) -> Judgement:
        """What to do with what the providers list now; what is true without an act is noted."""
        revision = await self._desired.current(ListKind.DEVELOPER)
        decision = decide(await self._situation(revision), forced)
        for followed in decision.noted:
            await self._followed.put(followed)
        if decision.noted:
            # The trails that this node publishes are others now.
            self._hub.publish(Topic.DESIRED, ListKind.DEVELOPER.value)
        return Judgement(decision=decision, revision=revision.number)

    async def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict on each version that a provider lists; nothing is changed by asking."""
        revision = await self._desired.current(ListKind.DEVELOPER)
        return decide(await self._situation(revision)).verdicts

    async def chosen(self, service: ServiceName) -> Chosen | None:
        """Who last changed the desired developer version of ``service`` here; ``None``: too long ago."""
        return (await self._choosers([service])).get(service)

    async def _situation(self, revision: Revision) -> Situation:
        followed = {one.service: one for one in await self._followed.find(limit=QUERY_LIMIT)}
        offerings = await self._offerings()
        own = [
            service
            for service, one in followed.items()
            if one.choice is not None and revision.versions.get(service) != one.choice.version
        ]
        return Situation(
            node=self._node,
            offerings=offerings,
            now=self._clock.now(),
            developed=frozenset(one.name for one in await self._services.developed()),
            followed=followed,
            desired=revision.versions,
            chosen=await self._choosers(own),
            stored=await self._stored(offerings),
            withdrawn=await self._withdrawals.reasons(),
            failures={(one.provider, one.service): one for one in await self._failures.find(limit=QUERY_LIMIT)},
        )

    async def _offerings(self) -> tuple[Offering, ...]:
        """All providers whose catalogue was read once."""
        penalised = {penalty.provider: penalty.until for penalty in await self._penalties.all()}
        return tuple(
            Offering(
                provider=provider.name,
                listing=provider.catalog.listing,
                expires=provider.catalog.expires,
                auto_update=provider.auto_update,
                windows=Windows.parse(provider.window),
                tested_by=provider.tested_by,
                tried=provider.checked,
                refused=provider.refused,
                penalised=penalised.get(provider.name),
                ended=provider.ended is not None or Right.TAKE not in provider.rights,
            )
            for provider in await self._providers.find(order=BY_KEY)
            if provider.catalog is not None
        )

    async def _stored(self, offerings: Iterable[Offering]) -> dict[tuple[ServiceName, str], Digest]:
        """The manifests of those versions that are listed and here."""
        listed = {(entry.service, str(entry.version)) for one in offerings for entry in one.listing.entries}
        for service, version in listed - self._here.keys():
            if await self._versions.has(ListKind.DEVELOPER, service, version):
                stored = await self._versions.get(ListKind.DEVELOPER, service, version)
                self._here[service, version] = stored.manifest
        return {key: self._here[key] for key in listed & self._here.keys()}

    def _noticed(self, change: Change) -> None:
        """A version came, or went: what is remembered of it is read again."""
        if change.topic is Topic.VERSIONS:
            service, _, version = change.subject.partition("/")
            self._here.pop((ServiceName(service), version), None) if service else self._here.clear()

    async def _choosers(self, services: Iterable[ServiceName]) -> dict[ServiceName, Chosen]:
        """Who changed the desired versions of ``services`` last, as far as the newest revisions tell."""
        missing, found = set(services), dict[ServiceName, Chosen]()
        if not missing:
            return found
        for revision in await self._desired.history(ListKind.DEVELOPER, first=_HISTORY_LOOKED_AT, before=None):
            for delta in revision.deltas:
                if delta.service in missing:
                    found[delta.service] = Chosen(who=revision.who, at=revision.at)
                    missing.discard(delta.service)
        return found

    # What was followed.

    async def followed(self, service: ServiceName) -> Followed | None:
        """What was last followed for ``service``."""
        return await self._followed.get(service)

    async def trail(self, service: ServiceName, version: DeveloperVersion) -> tuple[str, ...]:
        """The trail by which ``version`` came here; empty for a choice of this node's own."""
        followed = await self._followed.get(service)
        return followed.trail(version) if followed else ()

    async def trails(self, versions: Mapping[ServiceName, DeveloperVersion]) -> dict[ServiceName, tuple[str, ...]]:
        """The trails by which ``versions`` came here, read in one go; empty for choices of this node's own."""
        found = await self._followed.find(limit=QUERY_LIMIT)
        return {one.service: one.trail(versions[one.service]) for one in found if one.service in versions}

    async def begin(self, verdicts: Iterable[Verdict]) -> None:
        """Remember what is about to be made desired, so that it is never published without its trail."""
        for verdict in verdicts:
            before = await self._followed.get(verdict.service) or Followed(service=verdict.service)
            await self._followed.put(replace(before, taking=Choice.of(verdict.provider, verdict.listed)))

    async def finish(self, verdicts: Iterable[Verdict]) -> None:
        """It is desired now: it was followed."""
        for verdict in verdicts:
            now = self._clock.now()
            await self._followed.put(
                Followed(service=verdict.service, choice=Choice.of(verdict.provider, verdict.listed), at=now)
            )

    # What failed.

    async def failed(self, verdict: Verdict, error: str, *, untrue: bool = False) -> Failure:
        """Taking a version failed: not again before the back-off has passed, also after a restart.

        ``untrue``: because it is not what its origin made.
        """
        before = await self._failures.get(f"{verdict.provider}/{verdict.service}")
        count = before.count + 1 if before is not None and before.is_about(verdict.listed) else 1
        # Half of the wait is certain: what failed just now is not tried again at once.
        wait = (self._backoff.ceiling(count - 1) + self._backoff.delay(count - 1)) / 2
        now = self._clock.now()
        failure = Failure(
            provider=verdict.provider,
            service=verdict.service,
            version=verdict.listed.version,
            manifest=verdict.listed.manifest,
            count=count,
            error=error[:ERROR_CHARS],
            at=now,
            again=now + timedelta(seconds=wait),
            untrue=untrue,
        )
        await self._failures.put(failure)
        return failure

    async def succeeded(self, verdict: Verdict) -> None:
        """A version is here: what failed before counts no more."""
        await self._failures.remove(f"{verdict.provider}/{verdict.service}")

    # Settings of a link.

    async def set_window(self, name: NodeName, text: str, *, who: str) -> Provider:
        """Update by itself from a provider only within the windows that ``text`` spells; empty: at any time.

        Raises:
            AbsentError: there is none of this name.
            InvalidValueError: not a window.
        """
        windows = Windows.parse(text)
        provider = await self._providers.change(name, lambda present: replace(present, window=windows.text))
        await self._changed(name, who, "update-window", windows.text or "off")
        return provider

    async def require_tested(self, name: NodeName, tester: NodeName | None, *, who: str) -> Provider:
        """Take from a provider by itself only what ``tester`` marked as tested; ``None``: whatever it lists.

        Raises:
            AbsentError: there is none of this name.
            InvalidValueError: the provider itself can't be the tester: what it lists, it wants run.
        """
        if tester == name:
            raise InvalidValueError("the tester is another consumer of the provider, not the provider itself")
        provider = await self._providers.change(name, lambda present: replace(present, tested_by=tester))
        await self._changed(name, who, "require-tested", str(tester or "off"))
        return provider

    async def _changed(self, name: NodeName, who: str, action: str, detail: str) -> None:
        await self._audit.record(who, action, f"{name}: {detail}")
        self._hub.publish(Topic.LINKS, name)
