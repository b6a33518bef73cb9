"""Makes and ends links between nodes: invitations, their redemption on both sides, providers and consumers."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from federation import codec, limits
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError, DeniedError, InvalidValueError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.invitation import Invitation, new_secret
from federation.link.messages import LinkAccepted, Redeem
from federation.names import NodeName, ProfileName
from node.model.peer import AutoUpdate, Consumer, PendingInvitation, Provider
from node.storage.port import Where
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY
from node.usecases.peers import ConnectPeer, Presence
from node.usecases.pins import Pins
from node.usecases.profiles import Profiles

CONSUMER_INDEXES: Final = ("key",)


class InvitationError(DeniedError):
    """An invitation that is expired, used, or not of this node."""

    code = "invitation"


def secret_digest(secret: str) -> Digest:
    """What is kept of a one-time secret."""
    return Digest.of(secret.encode())


class Links:
    """The links of this node."""

    def __init__(
        self,
        *,
        node: NodeName,
        url: str,
        key: PrivateKey,
        invitations: Repository[PendingInvitation],
        providers: Repository[Provider],
        consumers: Repository[Consumer],
        profiles: Profiles,
        pins: Pins,
        presence: Presence,
        connect: ConnectPeer,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._node = node
        self._url = url
        self._key = key
        self._invitations = invitations
        self._providers = providers
        self._consumers = consumers
        self._profiles = profiles
        self._pins = pins
        self._presence = presence
        self._connect = connect
        self._hub = hub
        self._audit = audit
        self._clock = clock

    # The provider's side.

    async def invite(self, profile: ProfileName, *, who: str) -> Invitation:
        """An invitation to take versions of ``profile``: for one node, once, for a day.

        Raises:
            AbsentError: there is no such profile.
        """
        await self._profiles.get(profile)
        secret = new_secret()
        expires = self._clock.now() + timedelta(seconds=limits.INVITATION_VALID_SECONDS)
        await self._invitations.add(PendingInvitation(secret=secret_digest(secret), profile=profile, expires=expires))
        await self._audit.record(who, "invite", profile)
        return Invitation(
            url=self._url,
            node=self._node,
            key=self._key.public,
            profile=profile,
            secret=secret,
            expires=expires,
        )

    async def redeem(self, redeem: Redeem) -> bytes:
        """Link the consumer that sent ``redeem``, whose signature by ``redeem.key`` was checked; a signed statement.

        Raises:
            InvitationError: not of this node, expired or used.
            ConflictError: another consumer has this name.
        """
        if redeem.key == self._key.public or redeem.node == self._node:
            raise ConflictError("a node can't be its own consumer, or bear its provider's name")
        present = await self._consumers.get(redeem.node)
        if present is not None and present.key != redeem.key:
            raise ConflictError(
                f"another consumer is called {redeem.node} here: rename the node, or remove the old link"
            )
        invitation = await self._use(redeem)
        now = self._clock.now()
        consumer = Consumer(name=redeem.node, key=redeem.key, profile=invitation.profile, linked=now, seen=now)
        await self._consumers.put(consumer)
        await self._audit.record(redeem.node, "link-consumer", f"{consumer.id.short}… to {consumer.profile}")
        self._hub.publish(Topic.LINKS, redeem.node)
        accepted = LinkAccepted(provider=self._node, profile=invitation.profile, consumer=consumer.id)
        return accepted.sign(self._key)

    async def _use(self, redeem: Redeem) -> PendingInvitation:
        now = self._clock.now()

        def used(invitation: PendingInvitation) -> PendingInvitation:
            if invitation.used_by is not None:
                raise InvitationError("this invitation was used before: ask the provider for a new one")
            if now >= invitation.expires:
                raise InvitationError("this invitation has expired: ask the provider for a new one")
            return replace(invitation, used_by=redeem.node)

        try:
            return await self._invitations.change(secret_digest(redeem.secret), used)
        except AbsentError as error:
            raise InvitationError("this node knows no such invitation: ask the provider for a new one") from error

    async def consumers(self) -> list[Consumer]:
        """All consumers by name."""
        return await self._consumers.find(order=BY_KEY)

    async def consumer_of_id(self, peer: NodeId) -> Consumer | None:
        """The consumer that signs by the key with this id."""
        for consumer in await self.consumers():
            if consumer.id == peer:
                return consumer
        return None

    async def consumer_of_key(self, key: PublicKey) -> Consumer | None:
        """The consumer with this key."""
        found = await self._consumers.find(Where("key", "==", key), limit=1)
        return found[0] if found else None

    async def seen(self, name: NodeName) -> None:
        """Note that a consumer asked just now; not worth waking all who follow the links."""
        now = self._clock.now()
        await self._consumers.change(name, lambda present: replace(present, seen=now))

    async def remove_consumer(self, name: NodeName, *, who: str) -> None:
        """End the link to a consumer: from now on it is a stranger.

        Raises:
            AbsentError: there is none of this name.
        """
        await self._consumers.require(name)
        await self._consumers.remove(name)
        await self._audit.record(who, "remove-consumer", name)
        self._hub.publish(Topic.LINKS, name)

    # The consumer's side.

    async def accept(self, text: str, *, auto_update: AutoUpdate, who: str) -> Provider:
        """Redeem the invitation ``text`` at its node and take versions from there from now on.

        Raises:
            InvalidValueError: not an invitation.
            InvitationError: expired, or refused by the provider.
            UnreachableError: the provider does not answer.
            TamperedError: what answered does not hold the invitation's key.
        """
        invitation = Invitation.from_text(text)
        if invitation.key == self._key.public:
            raise InvalidValueError("this invitation was made by this very node: give it to another one")
        if invitation.expired(self._clock.now()):
            raise InvitationError("this invitation has expired: ask the provider for a new one")
        present = await self._providers.get(invitation.node)
        if present is not None and present.key != invitation.key:
            raise ConflictError(f"another provider is called {invitation.node} here: remove that link first")
        await self._pins.check(invitation.node, invitation.key, through=None)
        profile = await self._redeem_at(invitation)
        provider = Provider(
            name=invitation.node,
            key=invitation.key,
            url=invitation.url,
            profile=profile,
            linked=self._clock.now(),
            auto_update=auto_update,
        )
        await self._providers.put(provider)
        await self._audit.record(who, "link-provider", f"{provider.name} {provider.id.short}…")
        self._hub.publish(Topic.LINKS, provider.name)
        return provider

    async def _redeem_at(self, invitation: Invitation) -> ProfileName:
        peer = self._connect(invitation.url, invitation.key)
        redeem = Redeem(secret=invitation.secret, node=self._node, key=self._key.public)
        answer = await peer.post("/federation/v1/links", codec.encode(redeem), most_bytes=limits.ENVELOPE_BYTES)
        accepted = LinkAccepted.read(answer, provider=invitation.key, reader=self._key.id)
        if accepted.provider != invitation.node:
            raise TamperedError("another node accepted the invitation than the one that made it: no link was made")
        return accepted.profile

    async def providers(self) -> list[Provider]:
        """All providers by name."""
        return await self._providers.find(order=BY_KEY)

    async def provider(self, name: NodeName) -> Provider:
        """One provider.

        Raises:
            AbsentError: there is none of this name.
        """
        return await self._providers.require(name)

    async def change_provider(self, changed: Provider) -> Provider:
        """Keep what was learnt of a provider: its offer, the time of the check, its error."""

        def merged(present: Provider) -> Provider:
            return replace(present, offer=changed.offer, checked=changed.checked, error=changed.error)

        provider = await self._providers.change(changed.name, merged)
        self._hub.publish(Topic.LINKS, changed.name)
        return provider

    async def set_auto_update(self, name: NodeName, auto_update: AutoUpdate, *, who: str) -> Provider:
        """Decide what happens by itself when the provider offers something new."""
        provider = await self._providers.change(name, lambda present: replace(present, auto_update=auto_update))
        await self._audit.record(who, "auto-update", f"{name}: {auto_update.value}")
        self._hub.publish(Topic.LINKS, name)
        return provider

    async def remove_provider(self, name: NodeName, *, who: str) -> None:
        """End the link to a provider; its versions here stay.

        Raises:
            AbsentError: there is none of this name.
        """
        await self._providers.require(name)
        await self._providers.remove(name)
        await self._audit.record(who, "remove-provider", name)
        self._hub.publish(Topic.LINKS, name)

    async def connected(self, name: NodeName) -> bool:
        """Whether an event stream to or from the peer ``name`` is open."""
        provider = await self._providers.get(name)
        consumer = await self._consumers.get(name)
        return any(peer is not None and peer.id in self._presence for peer in (provider, consumer))
