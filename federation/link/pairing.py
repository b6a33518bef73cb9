"""Pairing two nodes whose operators compare a short code: what is said, what the code is, and when it is believed.

The initiator commits to a nonce before it sees the responder's, and opens the commitment afterwards; the code is drawn
from a digest of all that was said by both. Who stands in between has to speak to each side under a key of his own, and
to fix what he says before he knows what the code depends on: both sides see the same code by chance only, once in
10^6 tries, and a try is used up by a code that differs (commitment schemes for short authentication strings: Vaudenay,
"Secure Communications over Insecure Channels Based on Short Authenticated Strings", CRYPTO 2005; RFC 6189 §4.4.1).

Nothing else is trusted: the keys that the transcript names are the ones used, and both operators have confirmed before
either side makes a link. Pure; ``node.usecases.pairing`` sends and asks the operator.
"""

import enum
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final, Self

from federation import limits, statement
from federation.digest import Digest
from federation.errors import DeniedError, InvalidValueError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.address import check_url
from federation.names import NodeName, ProfileName

PAIRING_ANSWER: Final = "application/vnd.vupdate.pairing-answer+json"
PAIRING_STATE: Final = "application/vnd.vupdate.pairing-state+json"
CODE_DIGITS: Final = 6
REASON_CHARS: Final = 300

_TRANSCRIPT: Final = "vupdate-pairing-v1"
_COMMITMENT: Final = "vupdate-pairing-commitment-v1"
_NONCE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_ID_CHARS: Final = 16


class PairingError(DeniedError):
    """A pairing that can't go on: begin a new one."""

    code = "pairing"


class Role(enum.Enum):
    """What the initiator wants to do: take versions from the responder, or give it some."""

    TAKE = "take"
    GIVE = "give"


class Stage(enum.Enum):
    """Where a pairing stands. All but the first two are ends."""

    OPENING = "opening"
    COMPARING = "comparing"
    LINKED = "linked"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self not in (Stage.OPENING, Stage.COMPARING)


def new_nonce() -> str:
    """32 random bytes in hexadecimal."""
    return secrets.token_hex(32)


def check_pairing_nonce(nonce: str) -> str:
    """``nonce``, once it is seen to be 32 bytes in hexadecimal.

    Raises:
        InvalidValueError: it is something else.
    """
    if not _NONCE.fullmatch(nonce):
        raise InvalidValueError("a pairing's nonce is 32 bytes in lower-case hexadecimal")
    return nonce


def _digest(*parts: str) -> bytes:
    """SHA-256 over the parts, each with its length before it, so that no two lists of parts give the same input."""
    state = hashlib.sha256()
    for part in parts:
        content = part.encode()
        state.update(len(content).to_bytes(4, "big") + content)
    return state.digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One end of a pairing: who it is, and where it says others reach it."""

    key: PublicKey
    node: NodeName
    url: str

    def __post_init__(self) -> None:
        check_url(self.url)

    @property
    def id(self) -> NodeId:
        """The node's id."""
        return self.key.id

    @property
    def parts(self) -> tuple[str, ...]:
        """What is digested of it."""
        return (self.key, self.node, self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the initiator wants. ``profile``: which one it gives; the responder chooses when it is the provider."""

    role: Role
    profile: ProfileName | None = None

    def __post_init__(self) -> None:
        if (self.role is Role.GIVE) != (self.profile is not None):
            raise InvalidValueError("who gives names the profile; who takes leaves it to the other side")

    @property
    def parts(self) -> tuple[str, ...]:
        """What is digested of it."""
        return (self.role.value, self.profile or "")


def commitment(initiator: Party, responder: NodeId, wish: Wish, nonce: str) -> Digest:
    """What binds ``initiator`` to ``nonce`` and to all that it says, towards this one responder."""
    return Digest(_digest(_COMMITMENT, *initiator.parts, responder, *wish.parts, check_pairing_nonce(nonce)).hex())


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The first message, signed by the initiator's key as a request."""

    initiator: Party
    wish: Wish
    commitment: Digest

    @property
    def key(self) -> PublicKey:
        """By which the request must be signed."""
        return self.initiator.key

    @property
    def id(self) -> str:
        """The pairing's id on both sides. Nobody but the initiator can choose it, and he not to his advantage."""
        return self.commitment[:_ID_CHARS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The responder's answer to the proposal with this commitment, as a statement by its key."""

    commitment: Digest
    responder: Party
    nonce: str

    def __post_init__(self) -> None:
        check_pairing_nonce(self.nonce)

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        return statement.sign(PAIRING_ANSWER, self, key)

    @classmethod
    def read(cls, content: bytes, *, responder: PublicKey, proposal: Proposal) -> Self:
        """The answer to ``proposal`` in the envelope ``content``, signed by ``responder``.

        Raises:
            TamperedError: another signer, form, key or proposal.
        """
        answer = statement.read(content, PAIRING_ANSWER, cls, responder)
        if answer.responder.key != responder or answer.commitment != proposal.commitment:
            raise TamperedError("the answer belongs to another pairing: nothing was done")
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """The initiator opens its commitment."""

    nonce: str

    def __post_init__(self) -> None:
        check_pairing_nonce(self.nonce)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """The initiator's operator saw the same code; of this transcript."""

    transcript: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The initiator, as the provider, has made the link: its signed ``LinkAccepted``, the envelope as text."""

    accepted: str

    def __post_init__(self) -> None:
        if len(self.accepted) > limits.ENVELOPE_BYTES:
            raise InvalidValueError("the link's statement is too long")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the pairing stands at the responder, as a statement by its key; the answer to every message but the first.

    ``confirmed``: its operator saw the same code; ``accepted``: its signed ``LinkAccepted`` once it is the provider and
    has made the link; ``reason``: why it ended.
    """

    id: str
    stage: Stage
    confirmed: bool
    transcript: Digest | None = None
    accepted: str | None = None
    reason: str = ""

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        return statement.sign(PAIRING_STATE, self, key)

    @classmethod
    def read(cls, content: bytes, *, responder: PublicKey, transcript: "Transcript") -> Self:
        """The state of the pairing of ``transcript`` in the envelope ``content``, signed by ``responder``.

        Raises:
            TamperedError: another signer or form, or another pairing.
        """
        state = statement.read(content, PAIRING_STATE, cls, responder)
        if state.id != transcript.id or state.transcript not in (None, transcript.digest):
            raise TamperedError("the answer belongs to another pairing: nothing was done")
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """All that both sides said; equal on both sides exactly if nobody changed anything in between."""

    initiator: Party
    responder: Party
    wish: Wish
    initiator_nonce: str
    responder_nonce: str

    @classmethod
    def of(cls, proposal: Proposal, answer: Answer, nonce: str) -> Self:
        """The transcript once ``nonce`` is revealed.

        Raises:
            PairingError: ``nonce`` is not the one that the proposal committed to.
        """
        expected = commitment(proposal.initiator, answer.responder.id, proposal.wish, nonce)
        if not hmac.compare_digest(expected, proposal.commitment):
            raise PairingError("the nonce is not the one committed to: this pairing is over")
        return cls(
            initiator=proposal.initiator,
            responder=answer.responder,
            wish=proposal.wish,
            initiator_nonce=nonce,
            responder_nonce=answer.nonce,
        )

    @property
    def id(self) -> str:
        """The pairing's id."""
        return commitment(self.initiator, self.responder.id, self.wish, self.initiator_nonce)[:_ID_CHARS]

    @property
    def digest(self) -> Digest:
        """SHA-256 of all of it."""
        parts = (*self.initiator.parts, *self.responder.parts, *self.wish.parts)
        return Digest(_digest(_TRANSCRIPT, *parts, self.initiator_nonce, self.responder_nonce).hex())

    @property
    def code(self) -> str:
        """Six decimal digits that both operators compare; the bias of the remainder is below 2^-44."""
        return code_of(self.digest)


def code_of(digest: Digest, codes: int = 10**CODE_DIGITS) -> str:
    """The code that a transcript's digest gives; ``codes``: how many there are."""
    number = int.from_bytes(bytes.fromhex(digest)[:8], "big") % codes
    return str(number).zfill(CODE_DIGITS)


def typed_code(text: str) -> str:
    """The code that a person typed, with or without a space or dash in it.

    Raises:
        InvalidValueError: not six digits.
    """
    digits = re.sub(r"[\s-]", "", text[:40])
    if not (len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit()):
        raise InvalidValueError("a pairing's code has six digits: type the one that the other node shows")
    return digits
