"""The bodies of the routes between nodes and agents, as values; ``federation.codec`` is their wire form.

Answers that found trust (a link, an enrolment) are statements signed by the node that gives them.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from federation import limits, statement
from federation.codec import Moment
from federation.errors import InvalidValueError, OversizedError, StaleError, TamperedError, VUpdateError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.address import check_url
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import InstanceName, NodeName, ProfileName

LINK_ACCEPTED: Final = "application/vnd.vupdate.link-accepted+json"
LINK_STATE: Final = "application/vnd.vupdate.link-state+json"
ENROLLED: Final = "application/vnd.vupdate.enrolled+json"
MESSAGE_CHARS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem:
    """A consumer redeems an invitation; the request is signed by ``key``."""

    secret: str = field(repr=False)
    node: NodeName
    key: PublicKey


def _check_root(root: str) -> None:
    if len(root) > limits.LINK_ROOT_CHARS:
        raise OversizedError(f"a catalogue's root of more than {limits.LINK_ROOT_CHARS} characters is refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAccepted:
    """The provider's word that ``consumer`` may take the versions of ``profile``, with ``rights``.

    ``root``: the newest TUF root metadata of the profile's catalogue, as text; trust in the catalogue begins with it.
    """

    provider: NodeName
    profile: ProfileName
    consumer: NodeId
    root: str = ""
    rights: frozenset[Right] = USUAL_RIGHTS

    def __post_init__(self) -> None:
        _check_root(self.root)

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        return statement.sign(LINK_ACCEPTED, self, key)

    @classmethod
    def read(cls, content: bytes, *, provider: PublicKey, reader: NodeId) -> Self:
        """The statement in the envelope ``content``, signed by ``provider`` for ``reader``.

        Raises:
            TamperedError: another signer, reader or form.
            OversizedError: over a bound of ``limits``.
        """
        accepted = statement.read(content, LINK_ACCEPTED, cls, provider)
        if accepted.consumer != reader:
            raise TamperedError("the provider accepted another node, not this one: refused")
        return accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """The provider's word on how the link to ``consumer`` stands. ``url``: where the provider is reached now.

    ``revision`` grows with each change of the link; ``root`` is empty while the profile has no catalogue.
    """

    provider: NodeName
    consumer: NodeId
    profile: ProfileName
    rights: frozenset[Right]
    url: str
    root: str
    revision: int
    issued: Moment

    def __post_init__(self) -> None:
        _check_root(self.root)
        check_url(self.url)
        if not 0 <= self.revision <= limits.SERIAL:
            raise InvalidValueError("the revision of a link is out of range")

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        return statement.sign(LINK_STATE, self, key)

    @classmethod
    def read(cls, content: bytes, *, provider: PublicKey, reader: NodeId, now: Moment) -> Self:
        """The statement in the envelope ``content``, signed by ``provider`` for ``reader`` just now.

        Raises:
            TamperedError: another signer, reader or form.
            StaleError: not of the last ten minutes: recorded, or one of the two clocks is wrong.
            OversizedError: over a bound of ``limits``.
        """
        state = statement.read(content, LINK_STATE, cls, provider)
        if state.consumer != reader:
            raise TamperedError("the provider speaks of its link to another node, not to this one: refused")
        if abs((now - state.issued).total_seconds()) > limits.LINK_STATE_SECONDS:
            raise StaleError("the provider's word on the link is not of now: compare the clocks of both nodes")
        return state


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnd:
    """A consumer ends its link; ``at``: when its operator did. A link made after that moment is not meant."""

    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTaken:
    """The report ``id`` is stored, or a newer one is: the sender may forget it."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """An agent enrols itself; the request is signed by ``key``."""

    secret: str = field(repr=False)
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """The node's word that ``agent`` is attached as ``instance``."""

    node: NodeName
    instance: InstanceName
    agent: NodeId

    def sign(self, key: PrivateKey) -> bytes:
        """The statement as a signed envelope."""
        return statement.sign(ENROLLED, self, key)

    @classmethod
    def read(cls, content: bytes, *, node: PublicKey, reader: NodeId) -> Self:
        """The statement in the envelope ``content``, signed by ``node`` for the agent ``reader``.

        Raises:
            TamperedError: another signer, reader or form.
            OversizedError: over a bound of ``limits``.
        """
        enrolled = statement.read(content, ENROLLED, cls, node)
        if enrolled.agent != reader:
            raise TamperedError("the node attached another agent, not this one: refused")
        return enrolled


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceList:
    """What builders say of one version: signed statements, as received."""

    envelopes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsTaken:
    """All records of the stream up to and with ``through`` are stored: the agent may forget them."""

    through: int

    def __post_init__(self) -> None:
        if self.through < 0:
            raise InvalidValueError("a log sequence does not go below zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultTaken:
    """The fault report ``id`` is stored: the sender may forget it."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """The body of every answer of 400 and above: the error's stable code and its sentence."""

    code: str
    message: str

    @classmethod
    def of(cls, error: VUpdateError) -> Self:
        """The body that tells of ``error``."""
        return cls(code=error.code, message=error.message[:MESSAGE_CHARS])
