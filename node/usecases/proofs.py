"""Proves to whoever asks that the node which answers holds this node's key."""

from collections.abc import Callable
from typing import Final

from federation.allowance import Allowance
from federation.clock import Clock
from federation.digest import Digest
from federation.keys import PrivateKey
from federation.link.identity_proof import IdentityProof, check_nonce
from federation.link.refusals import BusyError
from federation.names import NodeName

MOST_A_SECOND: Final = 500


class Proofs:
    """Signs proofs of identity. Anybody may ask for one, so the work spent on them in any second is bounded."""

    def __init__(
        self,
        *,
        node: NodeName,
        url: str,
        key: PrivateKey,
        certificates: Callable[[], tuple[Digest, ...]],
        clock: Clock,
        changes: tuple[bytes, ...] = (),
    ) -> None:
        """``changes``: those that led to ``key``."""
        self._node = node
        self._url = url
        self._key = key
        self._certificates = certificates
        self._changes = changes
        self._clock = clock
        self._allowance = Allowance(most=MOST_A_SECOND, seconds=1.0)

    def prove(self, nonce: str) -> bytes:
        """A signed ``IdentityProof`` that answers ``nonce``.

        Raises:
            InvalidValueError: ``nonce`` has not the form of one.
            BusyError: too many were asked for within this second.
        """
        check_nonce(nonce)
        if not self._allowance.take(self._clock.monotonic()):
            raise BusyError("too many ask at once who this node is: try again a little later")
        proof = IdentityProof(
            node=self._node,
            id=self._key.id,
            key=self._key.public,
            url=self._url,
            nonce=nonce,
            certificates=self._certificates(),
            at=self._clock.now(),
            changes=self._changes,
        )
        return proof.sign(self._key)

    @property
    def certificates(self) -> tuple[Digest, ...]:
        """Those that the proofs vouch for; the first is the one that the node itself shows, if it serves TLS."""
        return self._certificates()
