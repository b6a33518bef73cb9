"""An assignment: which client versions one agent should run, signed by its node."""

from dataclasses import dataclass
from typing import Final, Self

from federation import limits, statement
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.names import ServiceKey
from federation.versions import ClientVersion

PAYLOAD_TYPE: Final = "application/vnd.vupdate.assignment+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """One service to run. ``manifest`` is the digest of the client version's signed manifest."""

    key: ServiceKey
    version: ClientVersion
    image: Digest
    manifest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What an agent should run, sorted by service key. ``revision`` is the client list's and never goes back."""

    agent: NodeId
    revision: int
    services: tuple[Assigned, ...]

    def __post_init__(self) -> None:
        if len(self.services) > limits.OFFER_VERSIONS:
            raise OversizedError(f"an assignment of more than {limits.OFFER_VERSIONS} services is refused")
        keys = [one.key for one in self.services]
        if keys != sorted(set(keys)) or not 0 <= self.revision <= limits.SERIAL:
            raise InvalidValueError("an assignment has a revision and names each service once, in order")

    def sign(self, key: PrivateKey) -> bytes:
        """The assignment as a signed envelope."""
        return statement.sign(PAYLOAD_TYPE, self, key)

    @classmethod
    def read(cls, content: bytes, *, node: PublicKey, reader: NodeId) -> Self:
        """The assignment in the envelope ``content``, signed by ``node`` for the agent ``reader``.

        Raises:
            TamperedError: another signer, reader or form.
            OversizedError: over a bound of ``limits``.
        """
        assignment = statement.read(content, PAYLOAD_TYPE, cls, node)
        if assignment.agent != reader:
            raise TamperedError("the assignment was made for another agent: refused")
        return assignment
