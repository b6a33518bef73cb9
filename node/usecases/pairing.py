"""Pairs this node with another by a code that both operators compare: what the operator here does, and the initiator.

All messages are requests of the initiator, so that one behind NAT can pair too; it learns how the responder stands by
asking every two seconds while a pairing is open.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

import structlog

from federation import codec
from federation.clock import Clock
from federation.errors import (
    AbsentError,
    ConflictError,
    InvalidValueError,
    TamperedError,
    UnreachableError,
    VUpdateError,
)
from federation.identity import NodeId
from federation.limits import ENVELOPE_BYTES
from federation.link.address import check_url, is_nowhere
from federation.link.identity_proof import IdentityProof
from federation.link.pairing import (
    REASON_CHARS,
    Answer,
    Confirm,
    Handover,
    PairingError,
    Party,
    Proposal,
    Reveal,
    Role,
    Stage,
    State,
    Transcript,
    Wish,
    commitment,
    new_nonce,
    typed_code,
)
from federation.names import NodeName, ProfileName
from node.model.pairing import Pairing, Pairings
from node.model.peer import AutoUpdate
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.nearby import Nearby
from node.usecases.pairing_links import PairingLinks
from node.usecases.pairing_responder import PairingResponder
from node.usecases.peers import ConnectPeer

ASK_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 15.0
PATH: Final = "/federation/v1/pairings"
_log = structlog.get_logger(__name__)

Identify = Callable[[str], Awaitable[IdentityProof]]
"""The proof of whichever node answers at an address; see ``federation.link.identify`` for the errors."""


class PairingDesk:
    """The pairings of this node. ``own``: this node as it presents itself."""

    def __init__(
        self,
        *,
        held: Pairings,
        own: Party,
        responder: PairingResponder,
        nearby: Nearby,
        links: PairingLinks,
        identify: Identify,
        connect: ConnectPeer,
        hub: ChangeHub,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._held = held
        self._own = own
        self.responder = responder
        self._nearby = nearby
        self._links = links
        self._identify = identify
        self._connect = connect
        self._hub = hub
        self._audit = audit
        self._clock = clock
        self._begun = asyncio.Event()

    # What the operator does.

    def all(self) -> list[Pairing]:
        """The pairings that have a code, and those that ended lately, newest first."""
        self._held.expire(self._clock.now())
        return self._held.shown()

    async def find(self) -> list[Pairing]:
        """The same, as the API asks for it."""
        return self.all()

    async def start(self, target: str, wish: Wish, *, who: str) -> Pairing:
        """Begin to pair with ``target``: a node id, a name nearby, or an address. The code is known when this returns.

        Raises:
            InvalidValueError: nobody could reach this node as its provider.
            AbsentError: no such node nearby, or no such profile.
            ConflictError: several nodes nearby have this name, or it is this node, or too many pairings are open.
            UnreachableError, TamperedError: the node does not answer, or another one does.
            PeerRefusalError: it takes no pairing now.
        """
        if wish.role is Role.GIVE and is_nowhere(self._own.url):
            raise InvalidValueError(
                f"others can't reach this node at its url, {self._own.url}: set 'url' in config.toml to an address "
                "where they can, or let the other node begin"
            )
        party, via = await self._find(target)
        if party.key == self._own.key:
            raise ConflictError("this is the node itself: name another one")
        self._held.expect(party.id, self._clock.now())
        nonce = new_nonce()
        opening = Pairing(
            id=commitment(self._own, party.id, wish, nonce)[:16],
            initiated=True,
            peer=party,
            via=via,
            wish=wish,
            opened=self._clock.now(),
        )
        await self._links.check_choice(opening, None)
        self._held.open(opening, self._clock.now())
        try:
            compared = await self._opened(opening, nonce)
        except VUpdateError as error:
            self._put(opening.ended(Stage.FAILED, error.message[:REASON_CHARS]))
            raise
        await self._audit.record(who, "start-pairing", f"{compared.peer.node} {compared.peer.id.short}… at {via}")
        self._begun.set()
        return self._put(compared)

    async def confirm(
        self, pairing: str, code: str, *, profile: ProfileName | None, auto_update: AutoUpdate, who: str
    ) -> Pairing:
        """The operator read ``code`` at the other node; a code that differs ends the pairing.

        Raises:
            AbsentError: there is no such pairing, or profile.
            PairingError: the codes differ, or there is nothing to confirm.
            InvalidValueError: a profile is missing, or named without need.
        """
        self._held.expire(self._clock.now())
        present = self._held.get(pairing)
        chosen = await self._links.check_choice(present, profile)
        # Asked for again: it may have gone on while the profile was looked up.
        present = self._held.get(pairing)
        typed = typed_code(code)
        confirmed = present.confirm(typed, profile=chosen, auto_update=auto_update, who=who)
        if confirmed.stage is Stage.FAILED:
            await self._give_up(self._put(confirmed))
            _log.warning("the codes of a pairing differ", peer=present.peer.node, id=present.peer.id)
            await self._audit.record(who, "pairing-codes-differ", f"{present.peer.node} {present.peer.id.short}…")
            raise PairingError(confirmed.reason)
        self._put(confirmed)
        await self._audit.record(who, "confirm-pairing", f"{present.peer.node} {present.peer.id.short}…")
        if present.initiated:
            self._begun.set()
            return self._held.get(pairing)
        return await self.responder.settle(self._held.get(pairing))

    async def reject(self, pairing: str, *, who: str) -> Pairing:
        """End a pairing; the other side learns of it.

        Raises:
            AbsentError: there is none of this id.
        """
        ended = self._put(self._held.get(pairing).ended(Stage.REJECTED, f"rejected on {self._own.node}"))
        await self._audit.record(who, "reject-pairing", f"{ended.peer.node} {ended.peer.id.short}…")
        await self._give_up(ended)
        return ended

    async def _give_up(self, pairing: Pairing) -> None:
        """Tell a responder that it is over; one that does not hear it sees it expire."""
        if pairing.initiated:
            with contextlib.suppress(VUpdateError):
                await self._say(pairing, f"{PATH}/{pairing.id}/reject", {})

    # Finding the other node and fixing the code.

    async def _find(self, target: str) -> tuple[Party, str]:
        """The node meant, and the address at which it answered.

        The key is the one proven at the address, and hashes to the id where an id is known.
        """
        if "://" in target:
            url = check_url(target)
            return _party(await self._identify(url)), url
        node = self._node_id(target)
        places = self._nearby.urls_of(node)
        if not places:
            raise AbsentError(f"node {node.short}… is not nearby: see 'vupdate nearby', or give its address")
        return await self._first_at(node, places)

    def _node_id(self, target: str) -> NodeId:
        try:
            name = NodeName(target)
        except InvalidValueError:
            return NodeId.typed(target)
        found = self._nearby.called(name)
        if len(found) > 1:
            raise ConflictError(f"{len(found)} nodes nearby call themselves {name}: name one by its id")
        if not found:
            raise AbsentError(f"no node nearby calls itself {name}: see 'vupdate nearby', or give its address")
        return found[0]

    async def _first_at(self, node: NodeId, places: list[str]) -> tuple[Party, str]:
        failed: VUpdateError | None = None
        for url in places:
            try:
                proof = await self._identify(url)
            except VUpdateError as error:
                failed = error
                continue
            if proof.key.id == node:
                return _party(proof), url
            failed = TamperedError(f"what answers at {url} is node {proof.key.id.short}…, not {node.short}…")
        raise failed or UnreachableError(f"node {node.short}… gives no address")

    async def _opened(self, opening: Pairing, nonce: str) -> Pairing:
        """Both nonces exchanged: the initiator commits, the responder answers, the initiator reveals."""
        proposal = Proposal(
            initiator=self._own,
            wish=opening.wish,
            commitment=commitment(self._own, opening.peer.id, opening.wish, nonce),
        )
        content = await self._say(opening, PATH, proposal)
        answer = Answer.read(content, responder=opening.peer.key, proposal=proposal)
        transcript = Transcript.of(proposal, answer, nonce)
        if answer.responder.node == self._own.node:
            raise ConflictError(f"the other node is called {self._own.node} too: rename one of them")
        # Only now, with the answer fixed, may the nonce be seen.
        revealed = await self._say(opening, f"{PATH}/{opening.id}/reveal", Reveal(nonce=nonce))
        State.read(revealed, responder=opening.peer.key, transcript=transcript)
        return replace(opening, peer=answer.responder).comparing(transcript)

    async def _say(self, pairing: Pairing, path: str, message: object = None) -> bytes:
        """The responder's answer to ``message``, or to the question how it stands."""
        peer = self._connect(pairing.via, pairing.peer.key)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if message is None:
                    return await peer.get(path, most_bytes=ENVELOPE_BYTES)
                return await peer.post(path, codec.encode(message), most_bytes=ENVELOPE_BYTES)
        except TimeoutError as error:
            raise UnreachableError(f"{pairing.via} did not answer in time: is the node running?") from error

    # Following the responder.

    async def run(self) -> None:
        """Ask the responders of open pairings how they stand, every two seconds while there are any; for ever."""
        while True:
            if await self.step():
                await asyncio.sleep(ASK_SECONDS)
            else:
                await self._begun.wait()
                self._begun.clear()

    async def step(self) -> bool:
        """Ask each responder once; whether any pairing begun here is still open."""
        if self._held.expire(self._clock.now()):
            self._hub.publish(Topic.NEARBY)
        async with asyncio.TaskGroup() as group:
            for pairing in self._held.initiated():
                group.create_task(self._follow(pairing.id))
        return bool(self._held.initiated())

    async def _follow(self, pairing: str) -> None:
        try:
            await self._asked(pairing)
        except UnreachableError as error:
            self._hold_up(pairing, error)
        except VUpdateError as error:
            _log.warning("a pairing failed", pairing=pairing, code=error.code, error=error.message)
            self._put(self._held.get(pairing).ended(Stage.FAILED, error.message[:REASON_CHARS]))

    def _hold_up(self, pairing: str, error: VUpdateError) -> None:
        present = self._held.get(pairing)
        if not present.stage.ended and present.reason != error.message:
            self._put(replace(present, reason=error.message))

    async def _asked(self, pairing: str) -> None:
        present = self._held.get(pairing)
        if present.transcript is None:
            return
        path = f"{PATH}/{present.id}"
        if present.confirmed_here and not present.told:
            content = await self._say(present, f"{path}/confirm", Confirm(transcript=present.transcript.digest))
            present = replace(self._held.get(pairing), told=True, reason="")
        else:
            content = await self._say(present, path)
            present = replace(self._held.get(pairing), reason="")
        if present.stage is Stage.COMPARING and present.transcript is not None:
            state = State.read(content, responder=present.peer.key, transcript=present.transcript)
            await self._take(present, state)

    async def _take(self, present: Pairing, state: State) -> None:
        """Go on as the responder's ``state`` says; it can end the pairing, but a link needs the operator here."""
        if state.stage.ended and state.stage is not Stage.LINKED:
            self._put(present.ended(state.stage, state.reason[:REASON_CHARS] or "ended by the other node"))
            return
        present = replace(present, confirmed_there=state.confirmed)
        if self._held.get(present.id) != present:
            self._put(present)
        if not present.agreed:
            return
        if not present.provides and state.accepted is not None:
            await self._links.consume(present, state.accepted)
            self._put(present.linked(state.accepted))
        elif present.provides:
            await self._give(present)

    async def _give(self, present: Pairing) -> None:
        """Make the link here as the provider, once, and hand its statement over until the other side has it."""
        if present.accepted is None and present.profile is not None:
            present = self._put(replace(present, accepted=await self._links.provide(present, present.profile)))
        handover = Handover(accepted=present.accepted or "")
        content = await self._say(present, f"{PATH}/{present.id}/link", handover)
        if present.transcript is not None:
            state = State.read(content, responder=present.peer.key, transcript=present.transcript)
            if state.stage is Stage.LINKED:
                self._put(present.linked())

    def _put(self, pairing: Pairing) -> Pairing:
        self._held.put(pairing)
        self._hub.publish(Topic.NEARBY)
        return pairing


def _party(proof: IdentityProof) -> Party:
    return Party(key=proof.key, node=proof.node, url=proof.url)
