"""The consumer's side of links: redeems invitations, follows what each provider says of its link, and ends links."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog

from federation import codec, limits
from federation.errors import ConflictError, InvalidValueError, StaleError, TamperedError, VUpdateError
from federation.keys import PublicKey
from federation.link.address import check_url
from federation.link.answers import PeerRefusalError
from federation.link.invitation import Invitation
from federation.link.messages import LinkAccepted, LinkState, Redeem
from federation.link.refusals import UnknownSignerError
from federation.names import NodeName
from federation.redaction import Redaction
from node.model.peer import AutoUpdate, Provider
from node.storage.repository import Repository
from node.usecases.changes import Topic
from node.usecases.consumers import InvitationError
from node.usecases.farewells import Farewells
from node.usecases.peers import ConnectPeer
from node.usecases.pins import Pins
from node.usecases.station import Station

ENDED: Final = "link-ended"
_log = structlog.get_logger(__name__)

Trust = Callable[[NodeName, str], Awaitable[None]]
"""Begins to trust the catalogue of a provider by its root metadata; TamperedError: it is none."""

Move = Callable[[NodeName, str], Awaitable[object]]
"""Moves a link to another address if the provider is found there; a ``VUpdateError`` otherwise."""


def following(provider: Provider, state: LinkState) -> Provider:
    """``provider`` as it says of itself in ``state``, which was verified; its address is not taken on its word.

    Raises:
        TamperedError: it calls itself by another name.
        StaleError: it said something newer before.
    """
    if state.provider != provider.name:
        raise TamperedError(f"{provider.name} calls itself {state.provider} in its word on the link: refused")
    if state.revision < provider.revision:
        raise StaleError(
            f"{provider.name} said something newer of this link before: if it was restored from a backup, "
            "let its operator set this node's rights again"
        )
    # A profile without a catalogue yet is not taken up: its root has to be trusted first.
    profile = state.profile if state.root else provider.profile
    return replace(
        provider,
        profile=profile,
        rights=state.rights,
        revision=state.revision,
        offered_url="" if state.url == provider.url else state.url,
        catalog=provider.catalog if profile == provider.profile else None,
        ended=None,
    )


class Providers:
    """The nodes that this one takes versions from."""

    def __init__(
        self,
        *,
        station: Station,
        providers: Repository[Provider],
        farewells: Farewells,
        pins: Pins,
        connect: ConnectPeer,
        trust: Trust,
        move: Move | None = None,
    ) -> None:
        self._station = station
        self._providers = providers
        self._farewells = farewells
        self._pins = pins
        self._connect = connect
        self._trust = trust
        self._move = move

    # Making a link.

    async def accept(self, text: str, *, auto_update: AutoUpdate, who: str) -> Provider:
        """Redeem the invitation ``text`` at its node and take versions from there from now on.

        Raises:
            InvalidValueError: not an invitation.
            InvitationError: expired, or refused by the provider.
            UnreachableError: the provider does not answer.
            TamperedError: what answered does not hold the invitation's key.
        """
        invitation = Invitation.from_text(text)
        if invitation.key == self._station.key.public:
            raise InvalidValueError("this invitation was made by this very node: give it to another one")
        if invitation.expired(self._station.clock.now()):
            raise InvitationError("this invitation has expired: ask the provider for a new one")
        await self._check_name(invitation.node, invitation.key)
        return await self.add_provider(
            name=invitation.node,
            key=invitation.key,
            url=invitation.url,
            accepted=await self._redeem_at(invitation),
            auto_update=auto_update,
            who=who,
        )

    async def add_provider(
        self, *, name: NodeName, key: PublicKey, url: str, accepted: LinkAccepted, auto_update: AutoUpdate, who: str
    ) -> Provider:
        """Take versions from the node that gave ``accepted``, whose signature was checked.

        Raises:
            ConflictError: another provider has this name.
            TamperedError: it accepted by another name, or its catalogue's root is none.
        """
        if accepted.provider != name:
            raise TamperedError("another node accepted the link than the one that was asked: no link was made")
        await self._check_name(name, key)
        # What was not said of the old link's end is not meant any more; said just now, it is older than the new link.
        await self._farewells.withdraw(key.id)
        await self._trust(name, accepted.root)
        fresh = Provider(
            name=name,
            key=key,
            url=check_url(url),
            profile=accepted.profile,
            linked=self._station.clock.now(),
            auto_update=auto_update,
            rights=accepted.rights,
        )
        present = await self._providers.get(name)
        # What was not to be told to it before is not told now; so with what is taken of it, and when.
        provider = (
            fresh
            if present is None
            else replace(
                fresh,
                redaction=present.redaction,
                window=present.window,
                tested_by=present.tested_by,
                builds=present.builds,
            )
        )
        await self._providers.put(provider)
        await self._station.changed(name, who=who, action="link-provider", detail=f"{name} {provider.id.short}…")
        await self._station.alarms.settle(ENDED, name)
        return provider

    async def _check_name(self, name: NodeName, key: PublicKey) -> None:
        present = await self._providers.get(name)
        if present is not None and present.key != key:
            raise ConflictError(f"another provider is called {name} here: remove that link first")
        await self._pins.check(name, key, through=None)

    async def _redeem_at(self, invitation: Invitation) -> LinkAccepted:
        peer = self._connect(invitation.url, invitation.key)
        redeem = Redeem(secret=invitation.secret, node=self._station.node, key=self._station.key.public)
        answer = await peer.post("/federation/v1/links", codec.encode(redeem), most_bytes=limits.ENVELOPE_BYTES)
        return LinkAccepted.read(answer, provider=invitation.key, reader=self._station.key.id)

    # Who there is.

    async def providers(self) -> list[Provider]:
        """All providers by name."""
        return await self._providers.all()

    async def provider(self, name: NodeName) -> Provider:
        """One provider.

        Raises:
            AbsentError: there is none of this name.
        """
        return await self._providers.require(name)

    # Changing a link.

    async def change_provider(self, changed: Provider) -> Provider:
        """Keep what was learnt of a provider: its catalogue, the time of the check, its error."""

        def merged(present: Provider) -> Provider:
            return replace(
                present,
                catalog=changed.catalog,
                checked=changed.checked,
                refused=changed.refused,
                error=changed.error,
            )

        provider = await self._providers.change(changed.name, merged)
        self._station.hub.publish(Topic.LINKS, changed.name)
        return provider

    async def set_auto_update(self, name: NodeName, auto_update: AutoUpdate, *, who: str) -> Provider:
        """Decide what happens by itself when the provider offers something new."""
        provider = await self._providers.change(name, lambda present: replace(present, auto_update=auto_update))
        await self._station.changed(name, who=who, action="auto-update", detail=f"{name}: {auto_update.value}")
        return provider

    async def set_builds(self, name: NodeName, builds: bool, *, who: str) -> Provider:
        """Call in at a provider for builds to run, or no more.

        Raises:
            AbsentError: there is none of this name.
        """
        provider = await self._providers.change(name, lambda present: replace(present, builds=builds))
        await self._station.changed(name, who=who, action="provider-builds", detail=f"{name}: {builds}")
        return provider

    async def set_address(self, name: NodeName, url: str, *, who: str) -> Provider:
        """Reach a provider at ``url`` from now on; whether it is there, the caller has made sure.

        Raises:
            AbsentError: there is none of this name.
            InvalidValueError: not the address of a node.
        """
        address = check_url(url)
        provider = await self._providers.change(name, lambda present: replace(present, url=address, offered_url=""))
        await self._station.changed(name, who=who, action="set-address", detail=f"{name}: {address}")
        return provider

    async def set_redaction(self, name: NodeName, redaction: Redaction, *, who: str) -> Provider:
        """Decide what of this node's states and faults a provider gets, from now on.

        Raises:
            AbsentError: there is none of this name.
        """
        provider = await self._providers.change(name, lambda present: replace(present, redaction=redaction))
        shown = f"{name}: states {redaction.states}, installed {redaction.installed}, faults {redaction.faults.value}"
        detail = f"{shown}, pseudonyms {redaction.pseudonyms}, {len(redaction.masks)} masks"
        await self._station.changed(name, who=who, action="redaction", detail=detail)
        return provider

    async def refresh_state(self, name: NodeName) -> Provider:
        """Ask a provider how the link stands, and follow: its profile, its rights, its address.

        Raises:
            AbsentError: there is none of this name.
            UnreachableError: it does not answer.
            PeerDeniedError: it knows this node no more; the link is marked as ended.
            TamperedError, StaleError: its answer can't be believed.
        """
        provider = await self.provider(name)
        try:
            content = await self._connect(provider.url, provider.key).get(
                "/federation/v1/link", most_bytes=limits.ENVELOPE_BYTES
            )
        except VUpdateError as error:
            await self.heard(name, error)
            raise
        now = self._station.clock.now()
        state = LinkState.read(content, provider=provider.key, reader=self._station.key.id, now=now)
        return await self._follow(provider, state)

    async def _follow(self, provider: Provider, state: LinkState) -> Provider:
        after = following(provider, state)
        if after.profile != provider.profile:
            # Before the profile: if this is interrupted, the next look does both.
            await self._trust(provider.name, state.root)
        changed = await self._providers.change(provider.name, lambda present: following(present, state))
        if changed != provider:
            detail = f"{provider.name}: profile {changed.profile}, rights {len(changed.rights)}"
            await self._station.changed(provider.name, who=provider.name, action="link-changed", detail=detail)
        if provider.ended is not None:
            await self._station.alarms.settle(ENDED, provider.name)
        if changed.offered_url:
            await self._try_address(changed)
        return changed

    async def _try_address(self, provider: Provider) -> None:
        if self._move is None:
            return
        try:
            await self._move(provider.name, provider.offered_url)
        except VUpdateError as error:
            _log.warning(
                "provider is not found at the address it gives",
                provider=provider.name,
                url=provider.offered_url,
                why=error.message,
            )

    async def heard(self, name: NodeName, error: VUpdateError) -> None:
        """Take note of how a request to a provider failed: one that does not know this node has ended the link."""
        if not isinstance(error, PeerRefusalError) or error.remote_code != UnknownSignerError.code:
            return
        if await self._providers.get(name) is None:
            return
        now = self._station.clock.now()
        provider = await self._providers.change(
            name, lambda present: present if present.ended else replace(present, ended=now)
        )
        if provider.ended == now:
            await self._station.changed(name, who=name, action="link-ended", detail=f"{name} ended the link")
        message = (
            f"{name} has ended the link to this node: what came from it stays and runs, but nothing new comes; "
            f"ask its operator for an invitation, or run 'vupdate provider remove {name}'"
        )
        await self._station.alarms.sound(ENDED, name, message)

    # Ending a link.

    async def remove_provider(self, name: NodeName, *, who: str) -> None:
        """End the link to a provider and tell it, now or when it is reached again; its versions here stay.

        Raises:
            AbsentError: there is none of this name.
        """
        provider = await self._providers.require(name)
        if provider.ended is None:
            await self._farewells.say(provider)
        await self._providers.remove(name)
        await self._station.changed(name, who=who, action="remove-provider", detail=name)
        await self._station.alarms.settle(ENDED, name)
