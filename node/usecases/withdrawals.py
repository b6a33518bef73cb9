"""Withdraws versions in this node's name, and keeps what its providers withdrew for as long as they say so.

Whose word counts ``federation.withdrawal`` decides. A provider's word reaches no further than what came from it: it
can't stop a version that another provider gave. What an origin signed is passed on unchanged; a provider's own word is
said again in our name, with its reason. As entries do, withdrawals carry the trail of the nodes they came through, so
that in a circle of nodes none is kept alive by its own echo.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

import structlog

from federation import limits
from federation.catalog.listing import marker
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError, ExistsError, VUpdateError
from federation.keys import PrivateKey, PublicKey
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from federation.withdrawal import SignedWithdrawal, Withdrawal, accepted_from
from node.model.desired import ListKind
from node.model.peer import Provider
from node.model.withdrawal import KeptWithdrawal, in_force
from node.storage.port import QUERY_LIMIT, Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.versions import Versions

INDEXES: Final = ("service", "provider")
_OURS: Final = "-"
_log = structlog.get_logger(__name__)

OriginKeyOf = Callable[[NodeName], Awaitable[PublicKey | None]]
"""The newest key of a node, if one is known here."""

IsProvider = Callable[[NodeName], Awaitable[bool]]
"""Whether there is a link to this provider."""


class WithdrawnError(ConflictError):
    """The version was withdrawn: it is not made desired."""

    code = "withdrawn"


def withdrawal_key(one: KeptWithdrawal) -> str:
    """``<service>/<version>/<provider>``, or ``-`` for a withdrawal of our own."""
    return f"{one.service}/{one.version}/{one.provider or _OURS}"


class Withdrawals:
    """The withdrawals that this node made or heard of."""

    def __init__(
        self,
        *,
        node: NodeName,
        key: PrivateKey,
        kept: Repository[KeptWithdrawal],
        versions: Versions,
        origin_key_of: OriginKeyOf,
        is_provider: IsProvider,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._node = node
        self._key = key
        self._kept = kept
        self._versions = versions
        self._origin_key_of = origin_key_of
        self._is_provider = is_provider
        self._hub = hub
        self._audit = audit
        self._clock = clock

    # What is in force.

    async def in_force(self) -> list[KeptWithdrawal]:
        """One withdrawal for each version that is withdrawn here, by service and version."""
        found = await self._kept.find(limit=QUERY_LIMIT)
        return in_force([one for one in found if await self._counts(one)])

    async def find(self, service: ServiceName, version: DeveloperVersion) -> KeptWithdrawal | None:
        """The withdrawal of one version, if there is one in force."""
        about = [one for one in await self._kept.find(Where("service", "==", service)) if one.version == version]
        return next(iter(in_force([one for one in about if await self._counts(one)])), None)

    async def reasons(self) -> dict[Digest, str]:
        """Who withdrew it and why, by the manifest of the version."""
        return {one.manifest: one.told for one in await self.in_force()}

    async def refuse(self, kind: ListKind, service: ServiceName, version: str) -> None:
        """Let a version pass that may become desired.

        Raises:
            WithdrawnError: it was withdrawn, or rests on a version that was.
        """
        base = ClientVersion(version).base if kind is ListKind.CLIENT else DeveloperVersion(version)
        found = await self.find(service, base)
        if found is not None:
            raise WithdrawnError(f"{service} {base} was {found.told}: choose another version")

    async def _counts(self, one: KeptWithdrawal) -> bool:
        """Whether ``one`` is in force here. Of a provider's own word only what is about a version it gave."""
        if one.provider is None or one.by == one.version.node:
            return True
        try:
            stored = await self._versions.get(ListKind.DEVELOPER, one.service, one.version)
        except AbsentError:
            return False
        return (stored.received_from, stored.manifest) == (one.provider, one.manifest)

    # What this node says itself.

    async def yank(self, service: ServiceName, version: DeveloperVersion, *, reason: str, who: str) -> KeptWithdrawal:
        """Withdraw a version: it disappears from what is offered, down the whole chain, and is flagged where it runs.

        Raises:
            AbsentError: it is not here.
            InvalidValueError: no reason, or one that is not plain text.
            ExistsError: this node withdrew it before.
        """
        stored = await self._versions.get(ListKind.DEVELOPER, service, version)
        stated = Withdrawal(
            by=self._node,
            key=self._key.public,
            service=service,
            version=version,
            manifest=stored.manifest,
            reason=reason,
            at=self._clock.now(),
        )
        ours = self._signed_here(stated, None, ())
        try:
            await self._kept.add(ours)
        except ExistsError as error:
            raise ExistsError(
                f"{service} {version} is withdrawn already: take that back first, to give another reason"
            ) from error
        await self._audit.record(who, "yank", f"{service} {version}: {reason}")
        self._hub.publish(Topic.VERSIONS, f"{service}/{version}")
        return ours

    async def unyank(self, service: ServiceName, version: DeveloperVersion, *, who: str) -> None:
        """Take a withdrawal back.

        Raises:
            AbsentError: it is not withdrawn.
            ConflictError: not by this node: a provider's catalogue says so, and only there it can be taken back.
        """
        about = [one for one in await self._kept.find(Where("service", "==", service)) if one.version == version]
        if not about:
            raise AbsentError(f"{service} {version} is not withdrawn")
        # What a former provider said nobody can take back any more but the operator here.
        ours = [one for one in about if one.provider is None or not await self._is_provider(one.provider)]
        if not ours:
            raise ConflictError(
                f"{service} {version} was {about[0].told}, says the catalogue of {about[0].provider}: "
                f"ask the operator of {about[0].by} to take it back"
            )
        for one in ours:
            await self._kept.remove(withdrawal_key(one))
        await self._audit.record(who, "unyank", f"{service} {version}")
        self._hub.publish(Topic.VERSIONS, f"{service}/{version}")

    async def renew(self) -> None:
        """Sign again what an earlier key of this node signed."""
        for one in await self._kept.find(limit=QUERY_LIMIT):
            stated = SignedWithdrawal.read(one.passed_on).withdrawal
            if stated.by == self._node and stated.key != self._key.public:
                again = replace(stated, key=self._key.public)
                await self._kept.put(self._signed_here(again, one.provider, one.trail, one))
                self._hub.publish(Topic.VERSIONS, f"{one.service}/{one.version}")

    # What providers say.

    async def received(
        self, provider: Provider, envelopes: Sequence[bytes], trails: Sequence[tuple[str, ...]] = ()
    ) -> None:
        """Keep what the newest catalogue of ``provider`` withdraws; what it lists no longer is forgotten.

        ``trails``: of each envelope, the markers in the listing. What can't be believed is left out, with a log line.
        """
        read = await asyncio.to_thread(_read_all, envelopes, [*trails, *[()] * (len(envelopes) - len(trails))])
        told: dict[str, KeptWithdrawal] = {}
        for signed, trail in read:
            one = await self._believed(provider, signed, trail)
            if one is not None:
                told[withdrawal_key(one)] = one
        before = {withdrawal_key(one): one for one in await self._of(provider.name)}
        for key, one in told.items():
            if before.get(key) != one:
                await self._kept.put(one)
                self._hub.publish(Topic.VERSIONS, f"{one.service}/{one.version}")
        for key in before.keys() - told.keys():
            await self._kept.remove(key)
            self._hub.publish(Topic.VERSIONS, f"{before[key].service}/{before[key].version}")

    async def _of(self, provider: NodeName) -> list[KeptWithdrawal]:
        return await self._kept.find(Where("provider", "==", provider), limit=QUERY_LIMIT)

    async def _believed(
        self, provider: Provider, signed: SignedWithdrawal, trail: tuple[str, ...]
    ) -> KeptWithdrawal | None:
        stated = signed.withdrawal
        if stated.by == self._node or marker(self._key.id, stated.service) in trail:
            return None  # our own word, come back in a circle
        origin = await self._origin_key_of(stated.version.node)
        try:
            accepted_from(signed, origin=origin, provider=provider.name, provider_key=provider.key)
        except VUpdateError as error:
            _log.warning("a withdrawal is not believed", provider=provider.name, code=error.code, error=error.message)
            return None
        if stated.by != stated.version.node:
            return self._said_again(provider, stated, trail)
        return KeptWithdrawal(
            service=stated.service,
            version=stated.version,
            manifest=stated.manifest,
            by=stated.by,
            reason=stated.reason,
            at=stated.at,
            digest=signed.digest,
            passed_on=signed.envelope.to_bytes(),
            provider=provider.name,
            trail=trail,
        )

    def _said_again(self, provider: Provider, stated: Withdrawal, trail: tuple[str, ...]) -> KeptWithdrawal:
        reason = f"{stated.by} withdrew it: {stated.reason}"[: limits.WITHDRAWAL_REASON_CHARS]
        ours = Withdrawal(
            by=self._node,
            key=self._key.public,
            service=stated.service,
            version=stated.version,
            manifest=stated.manifest,
            reason=reason,
            at=stated.at,
        )
        return self._signed_here(ours, provider.name, trail, stated)

    def _signed_here(
        self,
        ours: Withdrawal,
        provider: NodeName | None,
        trail: tuple[str, ...],
        shown: Withdrawal | KeptWithdrawal | None = None,
    ) -> KeptWithdrawal:
        """The withdrawal that ``ours`` passes on; ``shown``: whose word it is, if it was not ours first."""
        envelope = ours.sign(self._key)
        word = shown or ours
        return KeptWithdrawal(
            service=ours.service,
            version=ours.version,
            manifest=ours.manifest,
            by=word.by,
            reason=word.reason,
            at=word.at,
            digest=SignedWithdrawal.read(envelope).digest,
            passed_on=envelope,
            provider=provider,
            trail=trail,
        )


def _read_all(
    envelopes: Sequence[bytes], trails: Sequence[tuple[str, ...]]
) -> list[tuple[SignedWithdrawal, tuple[str, ...]]]:
    """The withdrawals whose signatures hold; the others are passed over, with a log line."""
    found = []
    for envelope, trail in zip(envelopes, trails, strict=False):
        try:
            found.append((SignedWithdrawal.read(envelope), trail))
        except VUpdateError as error:
            _log.warning("a withdrawal can't be read", code=error.code, error=error.message)
    return found
