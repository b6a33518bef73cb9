"""The responder's side of pairings: what a node that wants to pair may ask of this one, and what it is told."""

from dataclasses import replace

import structlog

from federation.clock import Clock
from federation.errors import ConflictError, VUpdateError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.pairing import (
    Answer,
    Confirm,
    Handover,
    PairingError,
    Party,
    Proposal,
    Reveal,
    Role,
    Stage,
    Transcript,
    new_nonce,
)
from node.model.pairing import Pairing, Pairings
from node.usecases.changes import ChangeHub, Topic
from node.usecases.pairing_links import PairingLinks

_log = structlog.get_logger(__name__)


class PairingResponder:
    """Answers initiators. ``own``: this node as it presents itself; each initiator is known by its key."""

    def __init__(
        self, *, held: Pairings, own: Party, key: PrivateKey, links: PairingLinks, hub: ChangeHub, clock: Clock
    ) -> None:
        self._held = held
        self._own = own
        self._key = key
        self._links = links
        self._hub = hub
        self._clock = clock
        self._begun: dict[str, tuple[Proposal, Answer]] = {}

    def key_of(self, signer: NodeId) -> PublicKey | None:
        """The key of a node that has begun a pairing here lately."""
        found = self._held.knows_signer(signer)
        return found.peer.key if found else None

    async def propose(self, proposal: Proposal) -> bytes:
        """Begin a pairing; the request was signed by the initiator's key. Shown to nobody before it is revealed.

        Raises:
            ConflictError: it is this node itself, or bears its name, or came before.
            BusyError: there are too many.
        """
        if proposal.initiator.key == self._own.key or proposal.initiator.node == self._own.node:
            raise ConflictError("a node can't be paired with itself, or with one of the same name: rename one of them")
        self._held.admit(proposal, self._clock.now(), self._clock.monotonic())
        answer = Answer(commitment=proposal.commitment, responder=self._own, nonce=new_nonce())
        self._begun = {one: said for one, said in self._begun.items() if self._is_opening(one)}
        self._begun[proposal.id] = (proposal, answer)
        self._hub.publish(Topic.NEARBY)
        return answer.sign(self._key)

    def _is_opening(self, pairing: str) -> bool:
        return any(one.id == pairing and one.stage is Stage.OPENING for one in self._held.incoming())

    async def reveal(self, pairing: str, signer: NodeId, reveal: Reveal) -> bytes:
        """The initiator opens its commitment: from here on there is a code; signed state.

        Raises:
            PairingError: it is another nonce, or the second try; the pairing is over.
        """
        present = self._present(pairing, signer)
        said = self._begun.pop(pairing, None)
        if present.stage is not Stage.OPENING or said is None:
            raise PairingError("this pairing's code is fixed already, or it is over: begin a new one")
        try:
            transcript = Transcript.of(*said, reveal.nonce)
        except PairingError as error:
            self._put(present.ended(Stage.FAILED, error.message))
            raise
        return self._told(present.comparing(transcript))

    async def confirm(self, pairing: str, signer: NodeId, confirm: Confirm) -> bytes:
        """The initiator's operator confirmed; signed state.

        Raises:
            AbsentError: the signer began no such pairing.
        """
        return self._signed(await self.settle(self._present(pairing, signer).confirmed_by_peer(confirm.transcript)))

    async def handover(self, pairing: str, signer: NodeId, handover: Handover) -> bytes:
        """The initiator, as the provider, has made the link: make it here too; signed state.

        Raises:
            PairingError: not confirmed on both sides, or this node is no consumer by it.
        """
        present = self._present(pairing, signer)
        if present.stage is Stage.LINKED:
            return self._signed(present)
        if present.wish.role is not Role.GIVE or not present.agreed or present.linking:
            raise PairingError("this pairing is not confirmed on both sides: no link was made")
        claimed = self._put(replace(present, linking=True))
        try:
            await self._links.consume(claimed, handover.accepted)
        except VUpdateError as error:
            self._put(claimed.ended(Stage.FAILED, error.message))
            raise
        return self._told(claimed.linked())

    async def reject(self, pairing: str, signer: NodeId) -> bytes:
        """The initiator's operator ends it; signed state."""
        return self._told(self._present(pairing, signer).ended(Stage.REJECTED, "rejected at the other node"))

    async def state(self, pairing: str, signer: NodeId) -> bytes:
        """How it stands; signed."""
        return self._signed(self._present(pairing, signer))

    async def settle(self, pairing: Pairing) -> Pairing:
        """Hold ``pairing``, and make its link if this node provides and both operators confirmed."""
        held = self._put(pairing)
        if not held.agreed or not held.provides or held.linking or held.profile is None:
            return held
        claimed = self._put(replace(held, linking=True))
        try:
            accepted = await self._links.provide(claimed, held.profile)
        except VUpdateError as error:
            _log.warning("a confirmed pairing made no link", peer=held.peer.node, code=error.code, error=error.message)
            return self._put(claimed.ended(Stage.FAILED, error.message))
        return self._put(claimed.linked(accepted))

    def _present(self, pairing: str, signer: NodeId) -> Pairing:
        self._held.expire(self._clock.now())
        return self._held.begun_by(signer, pairing)

    def _put(self, pairing: Pairing) -> Pairing:
        self._held.put(pairing)
        self._hub.publish(Topic.NEARBY)
        return pairing

    def _told(self, pairing: Pairing) -> bytes:
        return self._signed(self._put(pairing))

    def _signed(self, pairing: Pairing) -> bytes:
        return pairing.state.sign(self._key)
