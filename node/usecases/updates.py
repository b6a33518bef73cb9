"""Takes versions from providers: reads what they list, fetches what was decided, verifies, stores, makes it desired.

What is taken decides ``node.model.policy``, what may be believed of a catalogue ``federation.catalog``, of an origin
``pins``; how an image comes here is for ``fetching``.
"""

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from weakref import WeakValueDictionary

from federation import keychange, limits
from federation.catalog.listing import Entry, key_changes_target, manifest_target, withdrawal_target
from federation.catalog.reader import Catalogue
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import ConflictError, OversizedError, StaleError, TamperedError, VUpdateError
from federation.manifest import SignedManifest
from federation.names import NodeName
from node.model.desired import Delta, ListKind
from node.model.following import Action, Verdict
from node.model.peer import Provider
from node.model.task import Asked, Task, TaskKind, TaskState
from node.model.version import StoredVersion
from node.usecases.alarms import Alarms
from node.usecases.desired import Desired
from node.usecases.fetching import Fetcher
from node.usecases.following import Following
from node.usecases.key_changes import KeyChanges
from node.usecases.links import Links
from node.usecases.pins import Pins
from node.usecases.provenances import Provenances
from node.usecases.provider_catalogs import ProviderCatalogs, seen
from node.usecases.tasks import Job, TaskLog, Tasks
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals

CATALOG_REFUSED: Final = "catalog-refused"
"""The kind of alarm of a catalogue that can't be believed."""

_REFUSALS: Final = (TamperedError, StaleError, OversizedError)
_ACTS: Final = frozenset({Action.TAKE, Action.DOWNLOAD})
# So long what was read is good enough to take from: what is behind it may be replaced at the provider later.
_FRESH: Final = timedelta(seconds=30)
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class _Source:
    """A provider and its catalogue as it was just read."""

    provider: Provider
    catalogue: Catalogue


class Updates:
    """Updates of this node from its providers."""

    def __init__(
        self,
        *,
        links: Links,
        catalogs: ProviderCatalogs,
        following: Following,
        pins: Pins,
        key_changes: KeyChanges,
        withdrawals: Withdrawals,
        versions: Versions,
        desired: Desired,
        provenances: Provenances,
        fetcher: Fetcher,
        alarms: Alarms,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._links = links
        self._catalogs = catalogs
        self._following = following
        self._pins = pins
        self._key_changes = key_changes
        self._withdrawals = withdrawals
        self._versions = versions
        self._desired = desired
        self._provenances = provenances
        self._fetcher = fetcher
        self._alarms = alarms
        self._tasks = tasks
        self._clock = clock
        self._turns: WeakValueDictionary[NodeName, asyncio.Lock] = WeakValueDictionary()
        self._read: dict[NodeName, _Source] = {}
        # The withdrawals of each provider that were heard since this node started, so that none is fetched twice.
        self._listened: dict[NodeName, dict[Digest, bytes]] = {}

    # Looking.

    async def check(self, name: NodeName) -> Provider:
        """Read the catalogue of a provider, verify it and remember what it lists.

        Raises:
            AbsentError: no such provider, or it has no catalogue for this node.
            UnreachableError: it does not answer.
            TamperedError, StaleError, OversizedError: its answer can't be believed; an alarm sounds.
        """
        return (await self._check(name)).provider

    async def _check(self, name: NodeName) -> _Source:
        # One look at a provider at a time: an older answer must not take the place of a newer one. Who waits here
        # waits for the same provider, and its every answer has a time limit.
        async with self._turns.setdefault(name, asyncio.Lock()):
            return await self._look(name)

    async def _look(self, name: NodeName) -> _Source:
        provider = await self._links.provider(name)
        self._read.pop(name, None)
        try:
            catalogue = await self._catalogs.read(provider)
            provider = await self._heard(provider, catalogue)
        except VUpdateError as error:
            await self._refused(provider, error)
            raise
        now = self._clock.now()
        learnt = replace(provider, catalog=seen(catalogue, now), checked=now, refused=None, error="")
        source = _Source(await self._links.change_provider(learnt), catalogue)
        await self._alarms.settle(CATALOG_REFUSED, name)
        self._read[name] = source
        return source

    async def _refused(self, provider: Provider, error: VUpdateError) -> None:
        """Remember why a look failed; what was verified before stays."""
        now = self._clock.now()
        lies = isinstance(error, _REFUSALS)
        refused = (provider.refused or now) if lies else provider.refused
        await self._links.change_provider(replace(provider, checked=now, refused=refused, error=error.message))
        if lies:
            await self._alarms.sound(CATALOG_REFUSED, provider.name, error.message)
        await self._links.heard(provider.name, error)

    async def _heard(self, provider: Provider, catalogue: Catalogue) -> Provider:
        """Take note of what the catalogue says beside its entries: the provider's own key, and withdrawals."""
        listing = catalogue.listing
        if provider.catalog is not None and provider.catalog.listing == listing and provider.name in self._listened:
            return provider
        if len(listing.withdrawals) > limits.WITHDRAWALS_FOLLOWED:
            raise OversizedError(f"{provider.name} lists more than {limits.WITHDRAWALS_FOLLOWED} withdrawals: refused")
        if provider.name in listing.key_changes:
            changes = await self._changes_of(_Source(provider, catalogue), provider.name)
            provider = await self._key_changes.repin_provider(provider, changes)
        await self._follow_keys(_Source(provider, catalogue))
        before = self._listened.get(provider.name, {})
        heard = {
            digest: before.get(digest) or await self._withdrawal(provider, catalogue, digest)
            for digest in listing.withdrawals
        }
        envelopes = [heard[digest] for digest in listing.withdrawals]
        await self._withdrawals.received(provider, envelopes, listing.withdrawal_trails)
        self._listened[provider.name] = heard
        return provider

    async def _follow_keys(self, source: _Source) -> None:
        """Learn which origins changed their keys, and have what is here of them signed by the new ones, to pass it on.

        What can't be followed sounds its own alarm, and stops the versions of that origin, not those of others.
        """
        listing = source.catalogue.listing
        for node in listing.key_changes:
            with contextlib.suppress(TamperedError, OversizedError):
                await self._key_changes.learn(node, await self._changes_of(source, node), through=source.provider.name)
        for entry in listing.entries:
            if entry.version.node in listing.key_changes:
                await self._sign_again(source, entry)

    async def _sign_again(self, source: _Source, entry: Entry) -> None:
        if not await self._versions.has(ListKind.DEVELOPER, entry.service, entry.version):
            return
        present = await self._versions.get(ListKind.DEVELOPER, entry.service, entry.version)
        if present.manifest != entry.manifest or not await self._key_changes.lacks_newest(present):
            return
        target, most = manifest_target(entry.manifest), limits.ENVELOPE_BYTES
        content = await self._catalogs.fetch(source.provider, source.catalogue, target, most_bytes=most)
        with contextlib.suppress(TamperedError):  # the provider has not heard of the new key yet
            await self._key_changes.refresh(present, content)

    async def _withdrawal(self, provider: Provider, catalogue: Catalogue, digest: Digest) -> bytes:
        target, most = withdrawal_target(digest), limits.WITHDRAWAL_BYTES
        return await self._catalogs.fetch(provider, catalogue, target, most_bytes=most)

    # Taking.

    async def update(self, name: NodeName, *, who: str, forced: bool = True, resumed_from: str = "") -> Task:
        """Queue an update because an operator told to: where ``forced``, nothing is held that he may decide.

        Raises:
            AbsentError: no such provider.
        """
        await self._links.provider(name)
        return await self._start(name, forced=forced, who=who, resumed_from=resumed_from)

    async def run(self, name: NodeName, decided: Collection[Verdict]) -> None:
        """Take by itself what was ``decided`` for this provider; what came of it is kept, so that nothing spins."""
        begun = [one.entry for one in decided]
        try:
            task = await self._start(name, forced=False, who=f"auto-update from {name}")
            ended = await self._tasks.wait(task.id)
            error = "" if ended.state is TaskState.SUCCEEDED else ended.error or ended.state.value
        except VUpdateError as refused:
            error = refused.message
        for verdict in await self.due(name):
            if error or verdict.entry in begun:
                await self._following.failed(verdict, error or "it was not carried out, for no known reason")

    async def due(self, name: NodeName) -> list[Verdict]:
        """What would be taken from a provider now."""
        judgement = await self._following.judge()
        return [verdict for verdict in judgement.decision.of(name) if verdict.action in _ACTS]

    async def _start(self, name: NodeName, *, forced: bool, who: str, resumed_from: str = "") -> Task:
        async def work(log: TaskLog) -> str:
            source = await self._check(name) if forced else await self._fresh(name)
            return await self._take(source, log, forced=forced, who=who)

        job = Job(
            kind=TaskKind.PROVIDER_UPDATE,
            title=f"Update from {name}",
            work=work,
            subject=name,
            asked=Asked(provider=name, forced=forced),
            resumed_from=resumed_from,
        )
        return await self._tasks.start(job, who=who)

    async def _fresh(self, name: NodeName) -> _Source:
        source = self._read.get(name)
        if source is None or source.provider.catalog is None:
            return await self._check(name)
        return source if self._clock.now() < source.provider.catalog.read + _FRESH else await self._check(name)

    async def _take(self, source: _Source, log: TaskLog, *, forced: bool, who: str) -> str:
        name = source.provider.name
        judgement = await self._following.judge(forced=name if forced else None)
        verdicts = [one for one in judgement.decision.of(name) if one.action in _ACTS]
        # Another look may have come in between; what is judged is always the newest one.
        source = self._read.get(name, source)
        here: list[Verdict] = []
        failures: list[VUpdateError] = []
        for verdict in verdicts:
            try:
                await self._bring(source, verdict, log)
                await self._prove(source, verdict)
                here.append(verdict)
            except VUpdateError as error:
                log(f"{verdict.service} {verdict.version}: {error.message}")
                await self._following.failed(verdict, error.message, untrue=isinstance(error, _REFUSALS))
                failures.append(error)
        await self._make_desired(name, [one for one in here if one.action is Action.TAKE], forced=forced, who=who)
        for verdict in here:
            await self._following.succeeded(verdict)
        if failures:
            raise failures[0]
        return ", ".join(f"{one.service} {one.version}" for one in here) or "nothing new"

    async def _make_desired(self, name: NodeName, taken: Sequence[Verdict], *, forced: bool, who: str) -> None:
        """Make desired what still is to be: while it came here, an operator may have decided otherwise."""
        wanted = {(one.service, one.version) for one in taken}
        if not wanted:
            return
        for _ in range(_ATTEMPTS):
            judgement = await self._following.judge(forced=name if forced else None)
            still = [
                one
                for one in judgement.decision.of(name)
                if one.action is Action.TAKE and (one.service, one.version) in wanted
            ]
            deltas = tuple(Delta(service=one.service, version=one.version) for one in still)
            await self._following.begin(still)
            try:
                await self._desired.change(
                    ListKind.DEVELOPER, deltas, seen=judgement.revision, who=who, why=f"offered by {name}"
                )
            except ConflictError:
                continue
            await self._following.finish(still)
            return
        raise ConflictError("the desired versions kept changing while an update was made: it is tried again")

    async def _prove(self, source: _Source, verdict: Verdict) -> None:
        """Learn who built the version of ``verdict``, and hold it back if its policy asks for more.

        Raises:
            PolicyError: too few of its builders have built it.
        """
        await self._provenances.learn(source.provider, verdict.service, verdict.listed.version)
        if verdict.action is Action.TAKE:
            await self._provenances.refuse(ListKind.DEVELOPER, verdict.service, verdict.listed.version)

    async def _bring(self, source: _Source, verdict: Verdict, log: TaskLog) -> None:
        """Have the version of ``verdict`` here whole, verified."""
        entry, provider = verdict.listed, source.provider
        if await self._versions.has(ListKind.DEVELOPER, entry.service, entry.version):
            await self._check_present(source, verdict)
            return
        signed = await self._manifest(source, verdict)
        transfer = await self._fetcher.fetch(provider, entry, image_bytes=signed.manifest.size_bytes)
        await self._versions.keep(
            StoredVersion(
                kind=ListKind.DEVELOPER,
                service=entry.service,
                version=entry.version,
                image=entry.image,
                manifest=entry.manifest,
                envelope=signed.envelope.to_bytes(),
                stored=self._clock.now(),
                received_from=provider.name,
            )
        )
        log(
            f"{entry.service} {entry.version}: {transfer.moved_bytes} bytes moved "
            f"where the whole image is {transfer.full_bytes}; signed by {signed.manifest.maker.node}"
        )

    async def _check_present(self, source: _Source, verdict: Verdict) -> None:
        name = source.provider.name
        present = await self._versions.get(ListKind.DEVELOPER, verdict.service, verdict.version)
        if present.manifest != verdict.listed.manifest:
            raise TamperedError(
                f"{name} offers {verdict.service} {verdict.version} with another manifest than the one that is here: "
                "the same version can't be made twice; ask its maker which is right"
            )
        if await self._key_changes.lacks_newest(present):
            signed = await self._manifest(source, verdict)
            await self._key_changes.refresh(present, signed.envelope.to_bytes())

    async def _manifest(self, source: _Source, verdict: Verdict) -> SignedManifest:
        """The signed manifest of what ``verdict`` is about; its maker's key is the pinned one, or followed from it."""
        entry, name = verdict.listed, source.provider.name
        target, most = manifest_target(entry.manifest), limits.ENVELOPE_BYTES
        content = await self._catalogs.fetch(source.provider, source.catalogue, target, most_bytes=most)
        signed = SignedManifest.from_bytes(content)
        manifest = signed.manifest
        stated = (signed.digest, manifest.service, manifest.version, manifest.image)
        if stated != (entry.manifest, entry.service, entry.version, entry.image):
            raise TamperedError(f"{name} shows another manifest than the one that it lists: refused")
        if manifest.base is not None:
            raise TamperedError(f"{name} lists a client version as a developer version: refused")
        maker = manifest.maker.node
        changes = await self._changes_of(source, maker) if maker in source.catalogue.listing.key_changes else ()
        await self._pins.check_manifest(signed, through=name, changes=changes)
        return signed

    async def _changes_of(self, source: _Source, node: NodeName) -> tuple[bytes, ...]:
        target, most = key_changes_target(node), limits.KEY_CHANGES_BYTES
        content = await self._catalogs.fetch(source.provider, source.catalogue, target, most_bytes=most)
        return keychange.from_document(content)
