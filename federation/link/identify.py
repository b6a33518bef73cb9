"""Finds out which node is behind an address whose key is not known yet; the caller decides what to believe of it."""

import aiohttp

from federation import codec
from federation.envelope import Envelope
from federation.errors import InvalidValueError, RemoteError, TamperedError, UnreachableError, VUpdateError
from federation.link.address import check_url
from federation.link.answers import plain_text
from federation.link.identity_proof import IdentityProof
from federation.link.pinned import prove


def read_proof(content: bytes, nonce: str) -> IdentityProof:
    """The proof in the envelope ``content`` that answers ``nonce``, signed by whatever key it brings.

    Raises:
        TamperedError: not signed by that key, for another nonce, or of another form.
        OversizedError: over a bound of ``limits``.
    """
    try:
        brought = codec.decode(Envelope.from_bytes(content).payload, IdentityProof).key
    except InvalidValueError as error:
        raise TamperedError(f"not a proof of identity: {plain_text(str(error), 200)}") from error
    return IdentityProof.read(content, key=brought, nonce=nonce)


async def identify(session: aiohttp.ClientSession, url: str) -> IdentityProof:
    """The proof of the node that answers at ``url``, over TLS for the certificate shown.

    Raises:
        InvalidValueError: ``url`` is not the address of a node.
        TamperedError: what answers there is no node, or shows a certificate that is not its own.
        UnreachableError: nobody answers, or not in time.
    """
    address = check_url(url)
    try:
        proof, _ = await prove(session, address, read_proof)
    except VUpdateError:
        raise
    except TimeoutError as error:
        raise UnreachableError(f"{address} did not answer in time: is the node running, and the way free?") from error
    except aiohttp.ClientResponseError as error:
        raise RemoteError(f"{address} does not speak HTTP as it should: {plain_text(str(error), 200)}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise UnreachableError(f"{address} can't be reached: {plain_text(str(error), 200)}") from error
    return proof
