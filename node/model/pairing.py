"""A pairing as one of its two nodes sees it, and the bounds on how many there may be at once.

Kept in memory only: a pairing does not outlive the process, and changes nothing before both operators confirmed.
"""

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from federation import limits
from federation.allowance import Allowance
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError
from federation.identity import NodeId
from federation.link.pairing import PairingError, Party, Proposal, Role, Stage, State, Transcript, Wish
from federation.link.refusals import BusyError
from federation.names import ProfileName
from node.model.peer import AutoUpdate

REVEAL_SECONDS: Final = 30
NEW_AT_ONCE: Final = 10
NEW_SECONDS: Final = 1200.0
"""Strangers may begin ten pairings at once, and one more every two minutes."""
EXPECTED_TRIES: Final = 3
_EXPECTED_MOST: Final = 20
_ENDED_MOST: Final = 50
_GUESSED: Final = (
    "the codes differ: somebody may stand between the two nodes, or it is another pairing's code; begin a new one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """``peer``: the other end; ``via``: where this node reaches it; ``initiated``: here; ``wish``: the initiator's.

    ``profile``, ``auto_update`` and ``who``: what the operator here chose on confirming; ``accepted``: the provider's
    statement, once there is one; ``linking``: one worker is about to make the link; ``reason``: why it ended, or what
    holds it up.
    """

    id: str
    initiated: bool
    peer: Party
    via: str
    wish: Wish
    opened: datetime
    stage: Stage = Stage.OPENING
    transcript: Transcript | None = None
    confirmed_here: bool = False
    confirmed_there: bool = False
    told: bool = False
    profile: ProfileName | None = None
    auto_update: AutoUpdate = AutoUpdate.INSTALL
    who: str = ""
    accepted: str | None = None
    linking: bool = False
    reason: str = ""

    @property
    def provides(self) -> bool:
        """Whether this node is the provider."""
        return self.initiated == (self.wish.role is Role.GIVE)

    @property
    def expires(self) -> datetime:
        """When it ends by itself."""
        return self.opened + timedelta(seconds=limits.PAIRING_VALID_SECONDS)

    @property
    def code(self) -> str | None:
        """What the operators compare, once it is known."""
        return self.transcript.code if self.transcript else None

    @property
    def agreed(self) -> bool:
        """Whether both operators confirmed and it goes on."""
        return self.stage is Stage.COMPARING and self.confirmed_here and self.confirmed_there

    @property
    def state(self) -> State:
        """What the other side is told of it."""
        accepted = self.accepted if self.provides and self.stage is Stage.LINKED else None
        return State(
            id=self.id,
            stage=self.stage,
            confirmed=self.confirmed_here,
            transcript=self.transcript.digest if self.transcript else None,
            accepted=accepted,
            reason=self.reason if self.stage.ended else "",
        )

    def comparing(self, transcript: Transcript) -> "Pairing":
        """Both nonces are known: the operators may compare.

        Raises:
            PairingError: they were known before, or it has ended: there is one try.
        """
        if self.stage is not Stage.OPENING:
            raise PairingError("this pairing's code is fixed already, or it is over: begin a new one")
        return replace(self, stage=Stage.COMPARING, transcript=transcript)

    def confirm(self, code: str, *, profile: ProfileName | None, auto_update: AutoUpdate, who: str) -> "Pairing":
        """The operator here gave the code of the other side; another code ends the pairing.

        Raises:
            PairingError: there is nothing to confirm.
        """
        if self.stage is not Stage.COMPARING or self.transcript is None:
            raise PairingError(f"this pairing is {self.stage.value}: there is nothing to confirm; begin a new one")
        if not hmac.compare_digest(code, self.transcript.code):
            return self.ended(Stage.FAILED, _GUESSED)
        return replace(self, confirmed_here=True, profile=profile, auto_update=auto_update, who=who)

    def confirmed_by_peer(self, transcript: Digest) -> "Pairing":
        """The other side's operator confirmed, of this transcript."""
        if self.stage is not Stage.COMPARING or self.transcript is None:
            return self
        if not hmac.compare_digest(transcript, self.transcript.digest):
            return self.ended(Stage.FAILED, "the other node confirmed another pairing: begin a new one")
        return replace(self, confirmed_there=True)

    def ended(self, stage: Stage, reason: str) -> "Pairing":
        """It is over; one that has ended before stays as it was."""
        return self if self.stage.ended else replace(self, stage=stage, reason=reason, linking=False)

    def linked(self, accepted: str | None = None) -> "Pairing":
        """The link is made on this side."""
        return replace(self, stage=Stage.LINKED, accepted=accepted or self.accepted, linking=False, reason="")

    def at(self, now: datetime) -> "Pairing":
        """The pairing as it stands at ``now``."""
        if self.stage is Stage.OPENING and now >= self.opened + timedelta(seconds=REVEAL_SECONDS):
            return self.ended(Stage.EXPIRED, "the other node did not go on with it: begin a new one")
        if now >= self.expires:
            minutes = limits.PAIRING_VALID_SECONDS // 60
            return self.ended(Stage.EXPIRED, f"not confirmed on both sides within {minutes} minutes: begin a new one")
        return self


@dataclass(slots=True)
class _Expected:
    until: datetime
    left: int = EXPECTED_TRIES


@dataclass(slots=True)
class Pairings:
    """All pairings of one node, within bounds that strangers can't use to lock out its operator.

    What the operator here begins has its own room. Strangers share ``limits.PAIRINGS_OPEN`` places, one per key, and
    the turns of an allowance, which also bounds how often a code can be guessed. A node that the operator here has
    tried to pair with lately is let in beyond both, a few times: two operators who name each other's node always meet.
    """

    _held: dict[str, Pairing] = field(default_factory=dict)
    _fresh: Allowance = field(default_factory=lambda: Allowance(NEW_AT_ONCE, NEW_SECONDS))
    _expected: dict[NodeId, _Expected] = field(default_factory=dict)

    def expect(self, node: NodeId, now: datetime) -> None:
        """The operator here wants to pair with ``node``: let it in for a while."""
        self._expected = {one: held for one, held in self._expected.items() if now < held.until}
        if len(self._expected) >= _EXPECTED_MOST:
            del self._expected[next(iter(self._expected))]
        self._expected[node] = _Expected(now + timedelta(seconds=limits.PAIRING_VALID_SECONDS))

    def admit(self, proposal: Proposal, now: datetime, at: float) -> Pairing:
        """Hold the pairing that a stranger proposes at ``now`` and monotonic ``at``; an older one of its key ends.

        Raises:
            ConflictError: the same proposal came before.
            BusyError: there are too many.
        """
        self.expire(now)
        if proposal.id in self._held:
            raise ConflictError("this pairing was begun before: begin a new one")
        before = self.of_signer(proposal.initiator.id)
        if not self._is_expected(proposal.initiator.id, now):
            others = [one for one in self.incoming() if before is None or one.id != before.id]
            if len(others) >= limits.PAIRINGS_OPEN or not self._fresh.take(at):
                raise BusyError(
                    "this node has too many pairings just now: try again in a few minutes, begin the pairing on this "
                    "node instead, or use an invitation"
                )
        if before is not None:
            self.put(before.ended(Stage.REJECTED, "the other node began a new one"))
        return self.put(
            Pairing(
                id=proposal.id,
                initiated=False,
                peer=proposal.initiator,
                via=proposal.initiator.url,
                wish=proposal.wish,
                opened=now,
            )
        )

    def _is_expected(self, node: NodeId, now: datetime) -> bool:
        """Whether ``node`` is let in as expected; uses up one of its tries."""
        held = self._expected.get(node)
        if held is None or held.left < 1 or now >= held.until:
            return False
        held.left -= 1
        return True

    def incoming(self) -> list[Pairing]:
        """The open ones that strangers began."""
        return [one for one in self._held.values() if not one.initiated and not one.stage.ended]

    def open(self, pairing: Pairing, now: datetime) -> Pairing:
        """Hold a pairing that the operator here begins.

        Raises:
            ConflictError: too many are open.
        """
        self.expire(now)
        if sum(one.initiated and not one.stage.ended for one in self._held.values()) >= limits.PAIRINGS_OPEN:
            raise ConflictError(f"{limits.PAIRINGS_OPEN} pairings are open: confirm or reject one first")
        return self.put(pairing)

    def put(self, pairing: Pairing) -> Pairing:
        """Hold ``pairing`` in place of what was held under its id."""
        self._held[pairing.id] = pairing
        ended = [one.id for one in self._held.values() if one.stage.ended]
        for old in ended[: max(0, len(ended) - _ENDED_MOST)]:
            del self._held[old]
        return pairing

    def get(self, pairing: str) -> Pairing:
        """One pairing.

        Raises:
            AbsentError: there is none of this id.
        """
        if pairing not in self._held:
            raise AbsentError(f"there is no pairing {pairing[:40]!r}: see 'vupdate pairings'")
        return self._held[pairing]

    def of_signer(self, peer: NodeId) -> Pairing | None:
        """The open pairing that ``peer`` began here."""
        return next((one for one in self.incoming() if one.peer.id == peer), None)

    def begun_by(self, peer: NodeId, pairing: str) -> Pairing:
        """The pairing of this id, open or ended, if ``peer`` began it here.

        Raises:
            AbsentError: it did not.
        """
        found = self._held.get(pairing)
        if found is None or found.initiated or found.peer.id != peer:
            raise AbsentError("this node has no such pairing, or no longer: begin a new one")
        return found

    def knows_signer(self, peer: NodeId) -> Pairing | None:
        """Any pairing that ``peer`` began here, open or ended lately: it may ask how it stands."""
        return next((one for one in self._held.values() if not one.initiated and one.peer.id == peer), None)

    def initiated(self) -> list[Pairing]:
        """The open ones that were begun here and whose code is known."""
        return [one for one in self._held.values() if one.initiated and one.stage is Stage.COMPARING]

    def shown(self) -> list[Pairing]:
        """What an operator sees, newest first: those that have a code, or had one."""
        known = [one for one in self._held.values() if one.transcript is not None]
        return sorted(known, key=lambda one: (one.opened, one.id), reverse=True)

    def expire(self, now: datetime) -> bool:
        """End what has run out and forget what ended long ago; whether anything changed."""
        before = dict(self._held)
        forget = timedelta(seconds=2 * limits.PAIRING_VALID_SECONDS)
        self._held = {id_: one.at(now) for id_, one in before.items() if now < one.opened + forget}
        return self._held != before
