"""Hands to a builder what an order needs of this node's secrets: sealed to its key, and only where it is entrusted.

Nothing is handed over that the order does not need: credentials for its sources alone, and of the private files those
that the recipe turned out to name.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from build.errors import SourceError
from build.giturl import GitUrl
from federation import codec, limits
from federation.digest import Digest
from federation.errors import AbsentError, OversizedError, TamperedError
from federation.identity import NodeId
from federation.image import Image
from federation.link.builds import BuildOrder, HandedCredential, HandedFile, HandOver
from federation.link.sealing import Purpose, seal
from federation.names import NodeName, PrivateFileName, ServiceName
from node.model.entrusted import Entrusted
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.builder_lines import BuilderLine, BuilderLines, PeerBuildError
from node.usecases.changes import ChangeHub, Topic
from node.usecases.credentials import Credentials
from node.usecases.private_files import PrivateFiles
from node.usecases.tasks import TaskLog


class HandingOver:
    """What builders may have of this node's secrets. ``own``: this node."""

    def __init__(
        self,
        *,
        own: NodeId,
        entrusted: Repository[Entrusted],
        lines: BuilderLines,
        private_files: PrivateFiles,
        credentials: Credentials,
        hub: ChangeHub,
        audit: Audit,
    ) -> None:
        self._own = own
        self._entrusted = entrusted
        self._lines = lines
        self._private_files = private_files
        self._credentials = credentials
        self._hub = hub
        self._audit = audit

    async def all(self) -> list[Entrusted]:
        """The services that are entrusted to builders, by name."""
        return await self._entrusted.all()

    async def names(self) -> dict[NodeId, NodeName]:
        """The peers that could build for this node, by the id of their key."""
        return {line.key.id: line.name for line in await self._lines.all()}

    async def entrust(self, service: ServiceName, peers: Sequence[NodeName], *, who: str) -> Entrusted:
        """Let ``peers``, and no others, be handed what builds of ``service`` need from now on.

        Raises:
            AbsentError: one is no peer that could build for this node.
            InvalidValueError: none, too many, or one twice.
            OversizedError: so many services are entrusted already.
        """
        known = {name: builder for builder, name in (await self.names()).items()}
        if unknown := [name for name in peers if name not in known]:
            raise AbsentError(f"{', '.join(unknown)}: no such peer builds for this node; 'vupdate builders' lists them")
        entrusted = Entrusted(service=service, builders=tuple(known[name] for name in peers))
        if len(await self._entrusted.all()) >= limits.PLACEMENTS:
            raise OversizedError(f"at most {limits.PLACEMENTS} services are entrusted to builders")
        await self._entrusted.put(entrusted)
        await self._audit.record(who, "entrust", f"{service}: {', '.join(peers)}")
        self._hub.publish(Topic.SERVICES, service)
        return entrusted

    async def withdraw(self, service: ServiceName, *, who: str) -> None:
        """Hand nothing of ``service`` to anybody from now on.

        Raises:
            AbsentError: nothing of it was handed to anybody.
        """
        if not await self._entrusted.remove(service):
            raise AbsentError(f"nothing of service {service} is handed to any builder")
        await self._audit.record(who, "entrust", f"{service}: nobody")
        self._hub.publish(Topic.SERVICES, service)

    async def _may(self, service: ServiceName, builder: NodeId) -> bool:
        found = await self._entrusted.get(service)
        return found is not None and builder in found.builders

    # One order.

    async def prepared(self, order: BuildOrder, line: BuilderLine) -> BuildOrder:
        """``order`` as one try of its own at ``line``, which says whether credentials will be handed over.

        What a lost builder still makes of an earlier try is not mixed up with it.
        """
        opened = bool(await self._may(order.service, line.key.id) and await self._opening(order))
        return replace(order, id=uuid.uuid4().hex, credentials=opened)

    async def begin(self, order: BuildOrder, said: bytes, line: BuilderLine, log: TaskLog) -> "Supply":
        """What the builder at ``line``, who took ``order``, may be given; the credentials go to it at once.

        ``said``: its statement of the key to seal to.

        Raises:
            TamperedError: that is not its word about this order.
            OversizedError: too much for one hand-over; others as ``line`` says.
        """
        supply = Supply(
            order=order,
            said=said,
            line=line,
            purpose=Purpose(order=order.id, asker=self._own, builder=line.key.id),
            files=self._private_files,
            may=await self._may(order.service, line.key.id),
            log=log,
        )
        if order.credentials:
            await supply.give(HandOver(credentials=await self._opening(order)))
            log(f"credentials for its sources were handed to {line.name}, sealed to its key")
        return supply

    async def _opening(self, order: BuildOrder) -> tuple[HandedCredential, ...]:
        """What opens the sources of ``order``."""
        found: dict[str, HandedCredential] = {}
        for source in order.sources:
            try:
                one = await self._credentials.find(GitUrl.read(source.url))
            except SourceError:
                continue
            if one is not None:
                reach = one.reach.text
                found[reach] = HandedCredential(
                    reach=reach, user=one.user, secret=one.secret, known_hosts=one.known_hosts
                )
        return tuple(found.values())


@dataclass(slots=True, kw_only=True)
class Supply:
    """What one builder may be given for one order, and may have been given."""

    order: BuildOrder
    said: bytes
    line: BuilderLine
    purpose: Purpose
    files: PrivateFiles
    may: bool
    log: TaskLog
    _given: dict[PrivateFileName, Digest] = field(default_factory=dict)
    _arrived: set[PrivateFileName] = field(default_factory=set)

    async def give(self, what: HandOver) -> None:
        """Hand ``what`` over."""
        sealed = seal(codec.encode(what), self.said, self.purpose, self.line.key)
        # It goes as base64 in JSON.
        if len(sealed) > limits.REQUEST_BODY_BYTES * 3 // 4 - 1024:
            raise OversizedError("the secrets that this build needs are together too large to be handed over")
        await self.line.hand_over(self.order.id, sealed)

    async def supply(self, wants: Sequence[PrivateFileName]) -> None:
        """Hand over the private files that the build waits for.

        Raises:
            PeerBuildError: the builder may not have them, or they are not here.
        """
        if self._arrived.issuperset(wants):
            return
        service, names = self.order.service, ", ".join(wants)
        if not self.may:
            raise PeerBuildError(
                f"the recipe places private files ({names}), which {self.line.name} is not given: "
                f"build it here, or let it have them: vupdate service entrust {service} {self.line.name}"
            )
        source = self.files.of_recipe(service)
        if absent := await source.missing(frozenset(wants)):
            put = "; ".join(f"vupdate service secret put {service} {name} FILE" for name in sorted(absent))
            raise PeerBuildError(f"the recipe names private files that this node does not keep: put them here: {put}")
        files = tuple([HandedFile(name=name, content=await source.read(name)) for name in wants])
        # Before they are sent: an answer that is lost on its way leaves a builder that has them.
        self._given |= {one.name: Digest.of(one.content) for one in files}
        await self.give(HandOver(files=files))
        self._arrived |= set(wants)
        self.log(f"private files ({names}) were handed to {self.line.name}, sealed to its key")

    def places_in(self, image: Image) -> tuple[str, ...]:
        """The paths of ``image`` at which files stand that were handed over.

        Raises:
            TamperedError: one stands nowhere.
        """
        found: list[str] = []
        for name, digest in self._given.items():
            places = [entry.path for entry in image.entries if entry.digest == digest]
            if not places:
                raise TamperedError(f"{self.line.name} was handed {name!r}, which is not in its image: refused")
            found += places
        return tuple(sorted(set(found)))
