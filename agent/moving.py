"""Takes an agent to another address of its node, once the node has proved there by its key that it is the same."""

from dataclasses import replace
from pathlib import Path

import aiohttp

from agent.home import Attached, Home
from agent.threads import unbroken
from federation.errors import TamperedError, UnreachableError
from federation.link.address import check_url
from federation.link.client import peer_session
from federation.link.identity_proof import IdentityProof
from federation.link.pinned import prove


async def move(home: Path, url: str) -> Attached:
    """Let the agent in ``home`` ask its node at ``url``; one that runs does so from its next start.

    Raises:
        InvalidValueError: ``url`` is not the address of a node.
        NotEnrolledError: there is no agent.
        TamperedError: not its node answers there; it stays with the old address.
        UnreachableError: nobody does.
    """
    place, address = Home.at(home), check_url(url)
    attached = place.attached()

    def read(content: bytes, nonce: str) -> IdentityProof:
        return IdentityProof.read(content, key=attached.node_key, nonce=nonce)

    try:
        async with peer_session() as session:
            proof, _ = await prove(session, address, read)
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise UnreachableError(f"{address} does not answer: is the node running, and the way free?") from error
    if proof.node != attached.node:
        raise TamperedError(f"{address} calls itself {proof.node}, not {attached.node}: refused")
    moved = replace(attached, url=address)
    await unbroken(place.attach, moved)
    return moved
