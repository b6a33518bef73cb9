"""The provider's side of links: invites consumers, decides what each may, and tells it how its link stands."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import Final

from federation import limits
from federation.errors import AbsentError, ConflictError, DeniedError
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.link.address import check_is_somewhere
from federation.link.invitation import Invitation, new_secret
from federation.link.messages import LinkAccepted, LinkEnd, LinkState, Redeem
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import NodeName, ProfileName
from node.model.peer import Consumer, PendingInvitation
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.changes import Topic
from node.usecases.onetime import OneTimeSecrets, secret_digest
from node.usecases.profiles import Profiles
from node.usecases.station import Station

INDEXES: Final = ("id", "key")
LEFT: Final = "consumer-left"

RootOf = Callable[[ProfileName], Awaitable[str]]
"""The newest TUF root metadata of a profile's catalogue, as text; AbsentError: no such profile."""

Forget = Callable[[Consumer], Awaitable[None]]
"""Removes what a consumer reported."""


class InvitationError(DeniedError):
    """An invitation that is expired, used, or not of this node."""

    code = "invitation"


_INVITATIONS: Final = OneTimeSecrets("invitation", "ask the provider for a new one", InvitationError)


def _named(rights: Collection[Right]) -> str:
    return ", ".join(sorted(right.value for right in rights)) or "none"


class Consumers:
    """The nodes that take versions from this one."""

    def __init__(
        self,
        *,
        station: Station,
        invitations: Repository[PendingInvitation],
        consumers: Repository[Consumer],
        profiles: Profiles,
        root_of: RootOf,
        forget: Forget,
    ) -> None:
        self._station = station
        self._invitations = invitations
        self._consumers = consumers
        self._profiles = profiles
        self._root_of = root_of
        self._forget = forget

    # Making a link.

    async def invite(self, profile: ProfileName, *, who: str, rights: frozenset[Right] = USUAL_RIGHTS) -> Invitation:
        """An invitation to take versions of ``profile``, with ``rights``: for one node, once, for a day.

        Raises:
            AbsentError: there is no such profile.
            InvalidValueError: this node says of itself that it is at no place.
        """
        check_is_somewhere(self._station.url)
        await self._profiles.get(profile)
        secret = new_secret()
        expires = self._station.clock.now() + timedelta(seconds=limits.INVITATION_VALID_SECONDS)
        await self._invitations.add(
            PendingInvitation(secret=secret_digest(secret), profile=profile, expires=expires, rights=rights)
        )
        await self._station.audit.record(who, "invite", f"{profile}: {_named(rights)}")
        return Invitation(
            url=self._station.url,
            node=self._station.node,
            key=self._station.key.public,
            profile=profile,
            secret=secret,
            expires=expires,
        )

    async def redeem(self, redeem: Redeem) -> bytes:
        """Link the consumer that sent ``redeem``, whose signature by ``redeem.key`` was checked; a signed statement.

        Raises:
            InvitationError: not of this node, expired or used.
            ConflictError: another consumer has this name, or this one has another.
        """
        now = self._station.clock.now()
        # The invitation before the names, so that no stranger learns who is linked here; it is used up last, so that
        # nothing that is wrong here, a full disk for one, costs it.
        pending = await _INVITATIONS.peek(self._invitations, redeem.secret, now)
        await self._check_newcomer(redeem.node, redeem.key)
        await self._root(pending.profile)
        invitation = await _INVITATIONS.spend(
            self._invitations, redeem.secret, now, lambda present: replace(present, used_by=redeem.node)
        )
        return await self.add_consumer(
            name=redeem.node,
            key=redeem.key,
            profile=invitation.profile,
            rights=invitation.rights,
            who=redeem.node,
        )

    async def add_consumer(
        self,
        *,
        name: NodeName,
        key: PublicKey,
        profile: ProfileName,
        who: str,
        rights: frozenset[Right] = USUAL_RIGHTS,
    ) -> bytes:
        """Link a consumer, or link it anew; the signed ``LinkAccepted`` for it.

        Raises:
            AbsentError: there is no such profile.
            ConflictError: another consumer has this name, or this one has another.
        """
        await self._check_newcomer(name, key)
        await self._profiles.get(profile)
        root = await self._root(profile)
        present = await self._consumers.get(name)
        now = self._station.clock.now()
        consumer = Consumer(
            name=name,
            key=key,
            profile=profile,
            linked=now,
            rights=rights,
            revision=self._next_revision(present),
            tester=present is not None and present.tester,
            seen=now,
        )
        await self._consumers.put(consumer)
        detail = f"{consumer.id.short}… to {profile}: {_named(rights)}"
        await self._station.changed(name, who=who, action="link-consumer", detail=detail)
        await self._station.alarms.settle(LEFT, name)
        accepted = LinkAccepted(
            provider=self._station.node, profile=profile, consumer=consumer.id, root=root, rights=rights
        )
        return accepted.sign(self._station.key)

    async def _check_newcomer(self, name: NodeName, key: PublicKey) -> None:
        if key == self._station.key.public or name == self._station.node:
            raise ConflictError("a node can't be its own consumer, or bear its provider's name")
        present = await self._consumers.get(name)
        if present is not None and present.key != key:
            raise ConflictError(f"another consumer is called {name} here: rename the node, or remove the old link")
        same = await self.consumer_of_key(key)
        if same is not None and same.name != name:
            raise ConflictError(f"this node is linked here as {same.name} already: have that link removed first")

    def _next_revision(self, present: Consumer | None) -> int:
        """Follows the clock, so that a provider restored from a backup soon says something newer than before."""
        millis = int(self._station.clock.now().timestamp() * 1000)
        return max(millis, present.revision + 1 if present else 0)

    async def _root(self, profile: ProfileName) -> str:
        try:
            return await self._root_of(profile)
        except AbsentError:
            return ""

    # Who there is.

    async def consumers(self) -> list[Consumer]:
        """All consumers by name."""
        return await self._consumers.all()

    async def consumer(self, name: NodeName) -> Consumer:
        """One consumer.

        Raises:
            AbsentError: there is none of this name.
        """
        return await self._consumers.require(name)

    async def consumer_of_id(self, peer: NodeId) -> Consumer | None:
        """The consumer that signs by the key with this id."""
        found = await self._consumers.find(Where("id", "==", peer), limit=1)
        return found[0] if found else None

    async def consumer_of_key(self, key: PublicKey) -> Consumer | None:
        """The consumer with this key."""
        found = await self._consumers.find(Where("key", "==", key), limit=1)
        return found[0] if found else None

    async def seen(self, name: NodeName) -> None:
        """Note that a consumer asked just now; not worth waking all who follow the links."""
        now = self._station.clock.now()
        await self._consumers.change(name, lambda present: replace(present, seen=now))

    # Changing a link.

    async def set_rights(self, name: NodeName, rights: Collection[Right], *, who: str) -> Consumer:
        """Let a consumer do exactly this from now on; it is told.

        Raises:
            AbsentError: there is none of this name.
        """
        given = frozenset(rights)
        return await self._change(
            name, lambda present: replace(present, rights=given), who=who, action="set-rights", to=_named(given)
        )

    async def set_profile(self, name: NodeName, profile: ProfileName, *, who: str) -> Consumer:
        """Let a consumer take the versions of another profile from now on; it is told.

        Raises:
            AbsentError: there is none of this name, or no such profile.
        """
        await self._profiles.get(profile)
        return await self._change(
            name, lambda present: replace(present, profile=profile), who=who, action="set-profile-of", to=profile
        )

    async def set_tester(self, name: NodeName, tester: bool, *, who: str) -> Consumer:
        """Show the tested marks of a consumer to all others that take the same services, or show them no more.

        Raises:
            AbsentError: there is none of this name.
        """
        to = "on" if tester else "off"
        consumer = await self._change(
            name, lambda present: replace(present, tester=tester), who=who, action="set-tester", to=to
        )
        self._station.hub.publish(Topic.TESTED, name)
        return consumer

    async def _change(
        self, name: NodeName, change: Callable[[Consumer], Consumer], *, who: str, action: str, to: str
    ) -> Consumer:
        def changed(present: Consumer) -> Consumer:
            after = change(present)
            return after if after == present else replace(after, revision=self._next_revision(present))

        consumer = await self._consumers.change(name, changed)
        await self._station.changed(name, who=who, action=action, detail=f"{name}: {to}")
        return consumer

    async def link_state(self, consumer: Consumer) -> bytes:
        """The signed ``LinkState`` of the link to ``consumer`` as of now."""
        state = LinkState(
            provider=self._station.node,
            consumer=consumer.id,
            profile=consumer.profile,
            rights=consumer.rights,
            url=self._station.url,
            root=await self._root(consumer.profile),
            revision=consumer.revision,
            issued=self._station.clock.now(),
        )
        return state.sign(self._station.key)

    # Ending a link.

    async def remove_consumer(self, name: NodeName, *, who: str) -> None:
        """End the link to a consumer: from now on it is a stranger, and what it reported is forgotten.

        Raises:
            AbsentError: there is none of this name.
        """
        consumer = await self._consumers.require(name)
        await self._consumers.remove(name)
        await self._station.changed(name, who=who, action="remove-consumer", detail=name)
        await self._forget(consumer)
        await self._station.alarms.settle(LEFT, name)

    async def end(self, consumer: Consumer, end: LinkEnd) -> None:
        """A consumer ended its link: remove it, and show that it left. A link made after that word is not meant."""
        present = await self._consumers.get(consumer.name)
        if present is None or present.key != consumer.key or end.at < present.linked:
            return
        await self.remove_consumer(consumer.name, who=consumer.name)
        message = f"{consumer.name} ended its link to this node: it takes nothing from here any more"
        await self._station.alarms.sound(LEFT, consumer.name, message)
