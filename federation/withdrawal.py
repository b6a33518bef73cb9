"""A withdrawal: a node's signed word that a version is not to be used any more, and why.

It travels down the chain like a manifest. Here is decided whose word counts; what is done about the version, others
decide: it disappears from what is offered, and where it runs it is flagged.
"""

from dataclasses import dataclass
from typing import Final, Self

from federation import codec, limits, statement
from federation.codec import Moment
from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey, PublicKey
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion

PAYLOAD_TYPE: Final = "application/vnd.vupdate.withdrawal+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """``by``, whose key is ``key``, withdraws the version with this ``manifest``. ``reason``: plain text for people."""

    by: NodeName
    key: PublicKey
    service: ServiceName
    version: DeveloperVersion
    manifest: Digest
    reason: str
    at: Moment

    def __post_init__(self) -> None:
        if len(self.reason) > limits.WITHDRAWAL_REASON_CHARS:
            raise OversizedError(f"the reason of a withdrawal has at most {limits.WITHDRAWAL_REASON_CHARS} characters")
        if not self.reason.strip() or not all(char.isprintable() or char == "\n" for char in self.reason):
            raise InvalidValueError("a withdrawal gives a reason in plain text")

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        if key.public != self.key:
            raise ValueError("a withdrawal is signed by the key that it names")
        return statement.sign(PAYLOAD_TYPE, self, key)


@dataclass(frozen=True, slots=True)
class SignedWithdrawal:
    """A withdrawal whose signature by the key it names has been checked; whether that key counts: ``accepted_from``."""

    withdrawal: Withdrawal
    envelope: Envelope

    @property
    def digest(self) -> Digest:
        """The digest of the signed statement: its name in a listing."""
        return Digest.of(self.envelope.payload)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The signed withdrawal in the envelope ``content``.

        Raises:
            TamperedError: not a withdrawal, or not signed by the key it names.
            OversizedError: over a bound of ``limits``.
        """
        if len(content) > limits.WITHDRAWAL_BYTES:
            raise OversizedError(f"a withdrawal of {len(content)} bytes is over the bound of {limits.WITHDRAWAL_BYTES}")
        envelope = Envelope.from_bytes(content)
        try:
            withdrawal = codec.decode(envelope.payload, Withdrawal)
        except (InvalidValueError, OversizedError) as error:
            raise TamperedError(f"not a withdrawal: {error}") from error
        envelope.verified_payload(PAYLOAD_TYPE, [withdrawal.key])
        return cls(withdrawal, envelope)


def accepted_from(
    signed: SignedWithdrawal, *, origin: PublicKey | None, provider: NodeName, provider_key: PublicKey
) -> None:
    """Believe a withdrawal of the version's origin, by its newest key ``origin``, or of the provider that lists it.

    ``origin``: ``None`` where no key of the version's node is known here. A provider speaks for what it passes on and
    for nothing further: whether its word is followed for versions that came from elsewhere, the caller decides.

    Raises:
        TamperedError: anybody else's.
    """
    withdrawal = signed.withdrawal
    by_origin = (
        withdrawal.by == withdrawal.version.node and origin is not None and bool(signed.envelope.signers([origin]))
    )
    by_provider = withdrawal.by == provider and bool(signed.envelope.signers([provider_key]))
    if not (by_origin or by_provider):
        raise TamperedError(
            f"the withdrawal of {withdrawal.service} {withdrawal.version} is signed neither by "
            f"{withdrawal.version.node}, which made it, nor by {provider}, which lists it: refused"
        )
