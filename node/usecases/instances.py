"""Attaches agents to this node, says what each is to run, and keeps what they report of themselves."""

import functools
from dataclasses import replace
from datetime import timedelta
from typing import Final

from federation import limits
from federation.assignment import Assigned, Assignment
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError, DeniedError
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.link.address import check_is_somewhere
from federation.link.invitation import Enrolment, new_secret
from federation.link.messages import Enrol, Enrolled
from federation.names import InstanceName, LabelName, NodeName, ServiceKey, ServiceName
from federation.state import InstanceState
from federation.versions import ClientVersion
from node.model.desired import ListKind
from node.model.instance import EnrolmentToken, Instance
from node.model.labels import Placing
from node.model.placement import Awaited, arrived, given_up, gone, left, taken_in
from node.model.version import StoredVersion
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.images import Images
from node.usecases.onetime import OneTimeSecrets, secret_digest
from node.usecases.peers import Presence
from node.usecases.placements import Placements
from node.usecases.versions import Versions


class EnrolmentError(DeniedError):
    """An enrolment that is expired, used, or not of this node."""

    code = "enrolment"


INDEXES: Final = ("id",)
_SAME_AGENT: Final = 100
"""As many names one agent may have had."""

_ENROLMENTS: Final = OneTimeSecrets("enrolment", "make a new one on the node", EnrolmentError)


class Instances:
    """The instances of this node."""

    def __init__(
        self,
        *,
        node: NodeName,
        url: str,
        key: PrivateKey,
        kept: Repository[Instance],
        tokens: Repository[EnrolmentToken],
        desired: Desired,
        placements: Placements,
        versions: Versions,
        images: Images,
        presence: Presence,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._node = node
        self._url = url
        self._key = key
        self._kept = kept
        self._tokens = tokens
        self._desired = desired
        self._placements = placements
        self._versions = versions
        self._images = images
        self._presence = presence
        self._hub = hub
        self._audit = audit
        self._clock = clock

    async def all(self) -> list[Instance]:
        """All instances by name, revoked ones too."""
        return await self._kept.all()

    async def get(self, name: InstanceName) -> Instance:
        """One instance.

        Raises:
            AbsentError: there is none of this name.
        """
        return await self._kept.require(name)

    async def of_id(self, agent: NodeId) -> Instance | None:
        """The instance whose agent has this id and was not revoked."""
        found = await self._kept.find(Where("id", "==", agent), limit=_SAME_AGENT)
        return next((instance for instance in found if not instance.revoked), None)

    async def connected(self, name: InstanceName) -> bool:
        """Whether the agent's event stream is open."""
        return (await self.get(name)).id in self._presence

    # Attaching and detaching.

    async def enrolment(self, name: InstanceName, *, who: str) -> Enrolment:
        """A one-time right to attach an agent as ``name``.

        Raises:
            InvalidValueError: this node says of itself that it is at no place.
        """
        check_is_somewhere(self._url)
        secret = new_secret()
        expires = self._clock.now() + timedelta(seconds=limits.INVITATION_VALID_SECONDS)
        await self._tokens.add(EnrolmentToken(secret=secret_digest(secret), instance=name, expires=expires))
        await self._audit.record(who, "enrolment", name)
        return Enrolment(
            url=self._url,
            node=self._node,
            key=self._key.public,
            instance=name,
            secret=secret,
            expires=expires,
        )

    async def enrol(self, enrol: Enrol) -> bytes:
        """Attach the agent that sent ``enrol``, whose signature by ``enrol.key`` was checked; a signed statement.

        Raises:
            EnrolmentError: not of this node, expired or used.
            ConflictError: another agent is attached as this instance.
        """
        now = self._clock.now()
        token = await _ENROLMENTS.spend(self._tokens, enrol.secret, now, lambda present: replace(present, used=True))
        name = token.instance
        present = await self._kept.get(name)
        if present is not None and not present.revoked and present.key != enrol.key:
            raise ConflictError(f"another agent is attached as {name}: revoke it first")
        attached = Instance(name=name, key=enrol.key, enrolled=self._clock.now())
        if present is not None:
            attached = replace(attached, services=present.services, labels=present.labels)
        await self._kept.put(attached)
        await self._audit.record(name, "enrol", enrol.key.id.short)
        self._hub.publish(Topic.INSTANCES, name)
        return Enrolled(node=self._node, instance=name, agent=enrol.key.id).sign(self._key)

    async def revoke(self, name: InstanceName, *, who: str) -> Instance:
        """Shut an agent out; its services keep running until somebody stops them there."""
        instance = await self._kept.change(name, lambda present: replace(present, revoked=True))
        await self._audit.record(who, "revoke-instance", name)
        self._hub.publish(Topic.INSTANCES, name)
        return instance

    async def assign(self, name: InstanceName, services: tuple[ServiceKey, ...] | None, *, who: str) -> Instance:
        """Say which services run on ``name``; ``None``: all client versions that are desired.

        Raises:
            AbsentError: there is no such instance.
            ConflictError: its agent's own file does not allow one of them.
        """
        chosen = None if services is None else tuple(sorted(set(services)))

        def assigned(present: Instance) -> Instance:
            present.check_allowed(*(chosen or ()))
            # What it is given by name it is to run now, wherever else it may be.
            return replace(present, services=chosen, awaits=())

        instance = await self._kept.change(name, assigned)
        detail = "all" if chosen is None else ", ".join(chosen) or "none"
        await self._audit.record(who, "assign", f"{name}: {detail}")
        self._hub.publish(Topic.INSTANCES, name)
        self._hub.publish(Topic.DESIRED, ListKind.CLIENT.value)
        return instance

    async def label(self, name: InstanceName, labels: tuple[LabelName, ...], *, who: str) -> Instance:
        """Give ``name`` these labels in place of those it had; what is placed by them begins or ends there.

        Raises:
            AbsentError: there is no such instance.
        """
        chosen = tuple(sorted(set(labels)))
        instance = await self._kept.change(name, lambda present: replace(present, labels=chosen))
        await self._audit.record(who, "label", f"{name}: {', '.join(chosen) or 'none'}")
        self._told(name)
        return instance

    async def move(
        self, key: ServiceKey, *, source: InstanceName, target: InstanceName, at_once: bool, who: str
    ) -> Instance:
        """Have ``target`` run ``key`` instead of ``source``, once it has ended there, or ``at_once``.

        Asked again, it goes on where it was interrupted. Returns the target.

        Raises:
            AbsentError: no such instance, or ``source`` is not to run it.
            ConflictError: one of them runs all that is desired, or ``target`` is to run it already.
        """
        if source == target:
            raise ConflictError(f"{key} is on {source} already")
        waits = not at_once
        given_up(await self.get(source), key, waits=waits)
        # The target first: whoever is interrupted in between leaves a service that still runs where it was.
        moved = await self._kept.change(target, lambda present: taken_in(present, key, source, waits=waits))
        await self._kept.change(source, lambda present: given_up(present, key, waits=waits))
        await self._audit.record(who, "move", f"{key}: {source} to {target}{', at once' if at_once else ''}")
        self._told(source, target)
        return moved

    def _told(self, *names: InstanceName) -> None:
        for name in names:
            self._hub.publish(Topic.INSTANCES, name)
        self._hub.publish(Topic.DESIRED, ListKind.CLIENT.value)

    async def _settle(self, source: Instance) -> None:
        """Let begin elsewhere what ``source`` has left."""
        for key in left(source):
            for one in await self._kept.all():
                if Awaited(key=key, source=source.name) in one.awaits:
                    await self._kept.change(one.name, functools.partial(arrived, key=key, source=source.name))
                    self._told(one.name)
            await self._kept.change(source.name, functools.partial(gone, key=key))

    # What an agent asks for.

    async def placing(self) -> Placing:
        """What runs where, by what is desired and placed now."""
        desired = (await self._desired.current(ListKind.CLIENT)).client
        return Placing(desired, await self._placements.all())

    async def mark(self, name: InstanceName) -> tuple[int, Digest]:
        """The number of the client list, and a digest of what ``name`` is told to run of it."""
        revision = await self._desired.current(ListKind.CLIENT)
        told = Placing(revision.client, await self._placements.all()).told(await self.get(name))
        return revision.number, Digest.of(",".join(told).encode())

    async def assignment(self, name: InstanceName) -> bytes:
        """The signed assignment of ``name`` as of now."""
        instance = await self.get(name)
        revision = await self._desired.current(ListKind.CLIENT)
        services = tuple(
            Assigned(key=key, version=revision.client[key.service], image=version.image, manifest=version.manifest)
            for key, version in (await self._assigned(instance, revision.client)).items()
        )
        return Assignment(agent=instance.id, revision=revision.number, services=services).sign(self._key)

    async def manifest(self, name: InstanceName, digest: Digest) -> bytes:
        """The manifest ``digest`` of a client version assigned to ``name``.

        Raises:
            AbsentError: not assigned to it.
        """
        for version in await self._assigned_now(name):
            if version.manifest == digest:
                return version.envelope
        raise AbsentError("no version with this manifest is assigned to this instance")

    async def allowed_image(self, name: InstanceName, image: Digest) -> None:
        """Let the agent of ``name`` fetch ``image`` if a version assigned to it has it.

        Raises:
            AbsentError: none has.
        """
        if all(version.image != image for version in await self._assigned_now(name)):
            raise AbsentError("no version with this image is assigned to this instance")

    async def allowed_base(self, base: Digest | None) -> Digest | None:
        """``base`` if it is the image of a client version of this node; otherwise it is treated as unknown."""
        return base if base and await self._versions.of_image(ListKind.CLIENT, base) else None

    async def _assigned_now(self, name: InstanceName) -> list[StoredVersion]:
        instance = await self.get(name)
        revision = await self._desired.current(ListKind.CLIENT)
        return list((await self._assigned(instance, revision.client)).values())

    async def _assigned(
        self, instance: Instance, desired: dict[ServiceName, ClientVersion]
    ) -> dict[ServiceKey, StoredVersion]:
        told = Placing(desired, await self._placements.all()).told(instance)
        return {key: await self._versions.get(ListKind.CLIENT, key.service, desired[key.service]) for key in told}

    # What an agent reports.

    async def report(self, name: InstanceName, state: InstanceState) -> None:
        """Keep the newest state of ``name``; one that is older than the kept one is passed over."""
        before = (await self.get(name)).allowed

        def newer(present: Instance) -> Instance:
            old = present.state
            kept = state if old is None or state.at >= old.at else old
            return replace(present, state=kept, seen=self._clock.now())

        instance = await self._kept.change(name, newer)
        self._hub.publish(Topic.INSTANCES, name)
        if instance.allowed != before:
            self._hub.publish(Topic.DESIRED, ListKind.CLIENT.value)
        if instance.leaving:
            await self._settle(instance)
