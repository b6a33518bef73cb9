"""Opens TLS connections to peers only once the peer has proven, by its node key, that the certificate shown is its own.

Before the proof nothing is sent but its nonce. The certificate is then pinned for all further connections to that
address and peer. One that is renewed is proven anew; one that can't be proven belongs to somebody in between.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

import aiohttp
import yarl

from federation import limits
from federation.digest import Digest
from federation.errors import OversizedError, TamperedError, UnreachableError
from federation.keys import PublicKey
from federation.link.identity_proof import IDENTITY_PATH, IdentityProof, new_nonce

_HANDSHAKE_SECONDS: Final = 15.0
_PROOF_TIMEOUT: Final = aiohttp.ClientTimeout(total=30.0, sock_connect=10.0)
_AWAY: Final = frozenset({502, 503, 504})


class WrongPeerError(TamperedError):
    """What answers at a peer's address is not the peer: it moved away, or somebody stands in between."""

    code = "wrong-peer"


ReadProof = Callable[[bytes, str], IdentityProof]
"""Reads the proof in an envelope that answers a nonce, and refuses any other signer than the one meant."""
Pin = aiohttp.Fingerprint | bool
"""What aiohttp takes as ``ssl``: the one certificate to accept, or ``True`` for its usual checks."""


def pin_of(certificate: Digest) -> aiohttp.Fingerprint:
    """Accept this certificate and no other."""
    return aiohttp.Fingerprint(bytes.fromhex(certificate))


def _unverified() -> ssl.SSLContext:
    """No chain is verified here: the proof takes its place."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def certificate_shown(url: str) -> Digest:
    """The certificate that the server at ``url`` shows; it must hold its key to get this far, but may be anybody.

    Raises:
        OSError, TimeoutError: no TLS connection.
    """
    where = yarl.URL(url)
    async with asyncio.timeout(_HANDSHAKE_SECONDS):
        _, writer = await asyncio.open_connection(where.host, where.port, ssl=_unverified())
    try:
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.transport.abort()
    return Digest.of(certificate)


async def _answer(session: aiohttp.ClientSession, url: str, nonce: str, pin: Pin) -> bytes:
    address = yarl.URL(f"{url}{IDENTITY_PATH}?nonce={nonce}", encoded=True)
    async with session.get(address, ssl=pin, allow_redirects=False, timeout=_PROOF_TIMEOUT) as answer:
        if answer.status in _AWAY:
            raise UnreachableError(f"{url} is away or busy (status {answer.status}): try again a little later")
        if answer.status != 200:
            raise TamperedError(f"it gave no proof of its identity (status {answer.status})")
        content = bytearray()
        while chunk := await answer.content.readany():
            content += chunk
            if len(content) > limits.IDENTITY_PROOF_BYTES:
                raise OversizedError(f"{url} sent a proof of more than {limits.IDENTITY_PROOF_BYTES} bytes: refused")
        return bytes(content)


async def prove(session: aiohttp.ClientSession, url: str, read: ReadProof) -> tuple[IdentityProof, Pin]:
    """Who answers at ``url``, as ``read`` accepts it, and what to accept on further connections there.

    Without TLS this shows only that the node meant is behind the address.

    Raises:
        TamperedError: another key, or another certificate than the node's own; only the nonce was sent.
        UnreachableError: away for the moment.
        OversizedError, aiohttp.ClientError, OSError, TimeoutError: no answer that can be used.
    """
    shown = await certificate_shown(url) if url.startswith("https:") else None
    pin = True if shown is None else pin_of(shown)
    nonce = new_nonce()
    # The request goes out only on a connection that shows this very certificate.
    content = await _answer(session, url, nonce, pin)
    proof = read(content, nonce)
    if shown is not None:
        proof.check_certificate(shown)
    return proof, pin


class PinnedConnections:
    """The certificates pinned on the connections of one session, each for an address and the peer meant there."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._pins: dict[tuple[str, PublicKey], Pin] = {}

    async def proven(self, url: str, peer: PublicKey) -> Pin:
        """What to accept on a connection to ``peer`` at ``url``; proven first where it was not yet.

        Raises:
            WrongPeerError: what answers there does not hold the peer's key; others as ``prove``.
        """
        if not url.startswith("https:"):
            return True
        return self._pins.get((url, peer)) or await self.proven_anew(url, peer)

    async def proven_anew(self, url: str, peer: PublicKey) -> Pin:
        """The same where another certificate was shown than the pinned one, which stays if this one is not proven."""
        try:
            _, pin = await prove(self._session, url, lambda content, nonce: _by_key(content, nonce, peer))
        except TamperedError as error:
            raise WrongPeerError(
                f"what answers at {url} does not hold {peer.id.short}…'s key: {error.message}; nothing was sent to it"
            ) from error
        self._pins[url, peer] = pin
        return pin


def _by_key(content: bytes, nonce: str, peer: PublicKey) -> IdentityProof:
    return IdentityProof.read(content, key=peer, nonce=nonce)
