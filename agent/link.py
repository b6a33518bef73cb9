"""What an agent asks of its node and tells it, over signed requests; every answer is verified before it is believed."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Final

from agent.install import Fetched
from federation import codec, limits
from federation.assignment import Assignment
from federation.digest import Digest
from federation.errors import InvalidValueError, StaleError, TamperedError, VUpdateError
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.link.client import PeerClient
from federation.link.events import Event
from federation.link.follow import follow, reconnect_backoff
from federation.link.messages import FaultTaken, LogsTaken
from federation.log import LogBatch
from federation.manifest import Manifest, SignedManifest
from federation.state import InstanceState

BASE_HEADER: Final = "Vupdate-Pack-Base"
FULL_BYTES_HEADER: Final = "Vupdate-Full-Bytes"
_ROOT: Final = "/agent/v1"
_ANSWER_BYTES: Final = 64 * limits.KIB
_PACK_BYTES: Final = limits.IMAGE_BYTES


def check_order(held: Assignment | None, received: Assignment) -> None:
    """Refuse an assignment older than the one held.

    Raises:
        StaleError: its revision went back.
    """
    if held is not None and received.revision < held.revision:
        raise StaleError(f"assignment {received.revision} is older than {held.revision}, which is held: refused")


class NodeLink:
    """The agent's node."""

    def __init__(self, client: PeerClient, node_key: PublicKey, agent: NodeId) -> None:
        self._client = client
        self._node_key = node_key
        self._agent = agent

    def read_assignment(self, content: bytes) -> Assignment:
        """The assignment in ``content``, made by our node for us.

        Raises:
            TamperedError, OversizedError
        """
        return Assignment.read(content, node=self._node_key, reader=self._agent)

    async def assignment(self) -> bytes:
        """The envelope of the present assignment, not yet verified."""
        return await self._client.get(f"{_ROOT}/assignment", most_bytes=limits.ENVELOPE_BYTES)

    def events(
        self, on_state: Callable[[bool], None], on_error: Callable[[VUpdateError], None]
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The node's events, for ever, each connection's preceded by ``connected``."""
        return aclosing(
            follow(
                self._client,
                f"{_ROOT}/events",
                backoff=reconnect_backoff(),
                on_state=on_state,
                on_error=on_error,
            )
        )

    # What agent.install.Delivery asks

    async def manifest(self, digest: Digest) -> Manifest:
        content = await self._client.get(f"{_ROOT}/manifests/{digest}", most_bytes=limits.ENVELOPE_BYTES)
        signed = SignedManifest.from_bytes(content)
        if signed.digest != digest:
            raise TamperedError(f"the node sent another manifest than {digest}: refused")
        return signed.manifest

    async def pack(self, image: Digest, base: Digest | None, target: Path) -> Fetched:
        query = {} if base is None else {"from": str(base)}
        got = await self._client.download(f"{_ROOT}/packs/{image}", query, target=target, most_bytes=_PACK_BYTES)
        try:
            rests_on = got.headers.get(BASE_HEADER, "")
            return Fetched(
                base=Digest(rests_on) if rests_on else None,
                moved_bytes=got.bytes,
                full_bytes=int(got.headers.get(FULL_BYTES_HEADER, got.bytes)),
            )
        except (InvalidValueError, ValueError) as error:
            raise TamperedError("the node sent a pack with headers that can't be read: refused") from error

    # What the agent tells

    async def tell_state(self, state: InstanceState) -> None:
        """Report what is true now."""
        await self._client.post(f"{_ROOT}/state", codec.encode(state), most_bytes=_ANSWER_BYTES)

    async def send_logs(self, batch: LogBatch) -> int:
        """Deliver ``batch``; the number up to which the node has the stream."""
        answer = await self._client.post(f"{_ROOT}/logs", codec.encode(batch), most_bytes=_ANSWER_BYTES)
        return codec.decode(answer, LogsTaken).through

    async def send_fault(self, report: bytes) -> str:
        """Deliver an encoded report; the id of what the node took."""
        answer = await self._client.post(f"{_ROOT}/faults", report, most_bytes=_ANSWER_BYTES)
        return codec.decode(answer, FaultTaken).id
