"""Keeps who built which version, and holds back versions that too few of the builders asked for have built alike."""

from typing import Final

import structlog

from federation import codec, limits
from federation.clock import Clock
from federation.errors import AbsentError, ConflictError, OversizedError, TamperedError, VUpdateError
from federation.link.messages import ProvenanceList
from federation.names import ServiceName
from federation.provenance import SignedProvenance
from federation.versions import ClientVersion, DeveloperVersion
from node.model.building import BuilderPolicy, Judgement, StoredProvenance, judge
from node.model.desired import ListKind
from node.model.peer import Provider
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.peers import ConnectPeer
from node.usecases.versions import Versions

INDEXES: Final = ("service", "version")
BUILDERS_MOST: Final = 20
"""So many builders of one version are remembered."""

_LIST_BYTES: Final = 2 * limits.MIB
_log = structlog.get_logger(__name__)


class PolicyError(ConflictError):
    """Too few of the builders that a service's policy names have built this very version."""

    code = "builders"


def provenance_key(one: StoredProvenance) -> str:
    """``<service>/<version>/<builder>``: of each builder the last word counts."""
    return f"{one.service}/{one.version}/{one.builder}"


class Provenances:
    """The provenances that this node knows, and its policies."""

    def __init__(
        self,
        *,
        kept: Repository[StoredProvenance],
        policies: Repository[BuilderPolicy],
        versions: Versions,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
        connect: ConnectPeer,
    ) -> None:
        self._kept = kept
        self._policies = policies
        self._versions = versions
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._connect = connect

    async def of(self, service: ServiceName, version: DeveloperVersion) -> list[StoredProvenance]:
        """Who built ``version`` of ``service``, the earliest first."""
        where = (Where("service", "==", service), Where("version", "==", str(version)))
        found = await self._kept.find(*where, limit=BUILDERS_MOST)
        return sorted(found, key=lambda one: (one.stored, one.builder))

    async def keep(self, signed: SignedProvenance, *, difference: tuple[str, ...] = ()) -> StoredProvenance:
        """Keep the word of a builder, in place of an earlier one of its own about the same version.

        Raises:
            OversizedError: so many builders are known of that version already.
        """
        found = signed.provenance
        one = StoredProvenance(
            service=found.service,
            version=found.version,
            image=found.image,
            builder=found.builder.key.id,
            node=found.builder.node,
            envelope=signed.to_bytes(),
            stored=self._clock.now(),
            difference=difference,
        )
        present = await self.of(found.service, found.version)
        if all(other.builder != one.builder for other in present) and len(present) >= BUILDERS_MOST:
            raise OversizedError(f"more than {BUILDERS_MOST} builders of {found.service} {found.version} are refused")
        earlier = next((other for other in present if other.builder == one.builder), None)
        if earlier is not None and earlier.signed.provenance.finished > found.finished:
            return earlier
        await self._kept.put(one)
        self._hub.publish(Topic.VERSIONS, f"{found.service}/{found.version}")
        return one

    async def take(self, service: ServiceName, version: DeveloperVersion, content: bytes) -> StoredProvenance | None:
        """Keep what a peer says that some builder said of ``version``; ``None`` if it is not to be believed.

        What it is worth is for the policy to decide: a stranger's word counts for nothing.
        """
        try:
            signed = SignedProvenance.from_bytes(content)
            if (signed.provenance.service, signed.provenance.version) != (service, version):
                raise TamperedError("a provenance of another version")
            return await self.keep(signed)
        except (TamperedError, OversizedError) as error:
            _log.warning("provenance not taken", service=service, version=str(version), error=error.message)
            return None

    async def learn(self, provider: Provider, service: ServiceName, version: DeveloperVersion) -> None:
        """Ask ``provider`` who built ``version``. What it does not tell is missing where a policy asks for it."""
        if await self.policy(service) is None and await self.of(service, version):
            return
        path = f"/federation/v1/provenance/{service}/{version}"
        try:
            content = await self._connect(provider.url, provider.key).get(path, most_bytes=_LIST_BYTES)
            told = codec.decode(content, ProvenanceList).envelopes[:BUILDERS_MOST]
        except VUpdateError as error:
            _log.info("not told who built a version", service=service, version=str(version), error=error.message)
            return
        for envelope in told:
            await self.take(service, version, envelope)

    # Policies.

    async def policies(self) -> list[BuilderPolicy]:
        """All policies by service."""
        return await self._policies.all()

    async def policy(self, service: ServiceName) -> BuilderPolicy | None:
        """The policy of ``service``, if it has one."""
        return await self._policies.get(service)

    async def require(self, policy: BuilderPolicy, *, who: str) -> BuilderPolicy:
        """Hold the versions of a service to ``policy`` from now on; what is desired already stays.

        Raises:
            OversizedError: too many builders or policies.
        """
        if len(policy.builders) > BUILDERS_MOST or len(await self._policies.all()) >= limits.PLACEMENTS:
            raise OversizedError(f"a policy names at most {BUILDERS_MOST} builders, and a node has {limits.PLACEMENTS}")
        await self._policies.put(policy)
        names = ", ".join(f"{one.short}…" for one in policy.builders)
        await self._audit.record(who, "builders", f"{policy.service}: {policy.require} of {names}")
        self._hub.publish(Topic.SERVICES, policy.service)
        return policy

    async def free(self, service: ServiceName, *, who: str) -> None:
        """Forget the policy of ``service``.

        Raises:
            AbsentError: it has none.
        """
        if not await self._policies.remove(service):
            raise AbsentError(f"service {service} has no policy for its builders")
        await self._audit.record(who, "builders", f"{service}: none")
        self._hub.publish(Topic.SERVICES, service)

    async def judgement(self, service: ServiceName, version: DeveloperVersion) -> Judgement | None:
        """How ``version``, which is here, stands to the policy of its service; ``None``: it has none.

        Raises:
            AbsentError: the version is not here.
        """
        policy = await self.policy(service)
        if policy is None:
            return None
        stored = await self._versions.get(ListKind.DEVELOPER, service, version)
        return judge(policy, stored.image, await self.of(service, version))

    async def refuse(self, kind: ListKind, service: ServiceName, version: str) -> None:
        """Let ``version`` become desired, unless its developer version does not meet the policy of its service.

        Raises:
            PolicyError: it does not; how it stands.
            AbsentError: a client version's developer version is not here, so nobody can tell.
        """
        base = ClientVersion(version).base if kind is ListKind.CLIENT else DeveloperVersion(version)
        judgement = await self.judgement(service, base)
        if judgement is not None and not judgement.is_met:
            raise PolicyError(
                f"{service} {base} has {judgement.told}: it is not made desired; "
                f"'vupdate versions provenance {service} {base}' shows more"
            )
