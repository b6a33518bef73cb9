"""What an agent asks of its node and tells it, over signed requests; every answer is verified before it is believed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Final

from agent.install import Fetched
from agent.trust import NodeTrust
from federation import codec, limits
from federation.assignment import Assignment
from federation.digest import Digest
from federation.errors import AbsentError, InvalidValueError, StaleError, TamperedError, VUpdateError
from federation.identity import NodeId
from federation.keychange import AGENT_PATH
from federation.keys import PublicKey
from federation.link.client import PeerClient
from federation.link.events import Event
from federation.link.follow import follow, reconnect_backoff
from federation.link.messages import FaultTaken, LogsTaken
from federation.log import LogBatch
from federation.manifest import SignedManifest
from federation.run import RunHistory
from federation.state import InstanceState
from federation.transfer.format import BASE_FIELD, FULL_BYTES_FIELD

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

    def __init__(self, client: PeerClient, trust: NodeTrust, agent: NodeId) -> None:
        self._client = client
        self._trust = trust
        self._agent = agent
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Connect again without the wait that failures brought."""
        self._hurried.set()

    async def _sleep(self, seconds: float) -> None:
        self._hurried.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()

    def read_assignment(self, content: bytes) -> Assignment:
        """The assignment in ``content``, made by our node for us.

        Raises:
            TamperedError, OversizedError
        """
        return Assignment.read(content, node=self._trust.key, reader=self._agent)

    async def assignment(self) -> tuple[Assignment, bytes]:
        """The present assignment, and the envelope that it came in; a changed key of the node is followed.

        Raises:
            TamperedError: not made by our node for us; others as ``PeerClient.get``.
        """
        content = await self._client.get(f"{_ROOT}/assignment", most_bytes=limits.ENVELOPE_BYTES)
        try:
            return self.read_assignment(content), content
        except TamperedError as error:
            if not await self._followed(error):
                raise
        return self.read_assignment(content), content

    async def _followed(self, refusal: TamperedError) -> bool:
        """Whether the node's own key changes lead on from the key that it is known by."""
        try:
            document = await self._client.get(AGENT_PATH, most_bytes=limits.KEY_CHANGES_BYTES)
            return await self._trust.follow(document)
        except AbsentError:
            return False  # a node that knows of no key changes
        except TamperedError as error:
            raise error from refusal

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
                sleep=self._sleep,
            )
        )

    # What agent.install.Delivery asks

    @property
    def node_key(self) -> PublicKey:
        return self._trust.key

    async def manifest(self, digest: Digest) -> SignedManifest:
        content = await self._client.get(f"{_ROOT}/manifests/{digest}", most_bytes=limits.ENVELOPE_BYTES)
        signed = SignedManifest.from_bytes(content)
        if signed.digest != digest:
            raise TamperedError(f"the node sent another manifest than {digest}: refused")
        return signed

    async def pack(self, image: Digest, base: Digest | None, target: Path) -> Fetched:
        query = {} if base is None else {"from": str(base)}
        got = await self._client.download(f"{_ROOT}/packs/{image}", query, target=target, most_bytes=_PACK_BYTES)
        try:
            rests_on = got.headers.get(BASE_FIELD, "")
            return Fetched(
                base=Digest(rests_on) if rests_on else None,
                moved_bytes=got.moved_bytes,
                full_bytes=int(got.headers.get(FULL_BYTES_FIELD, got.bytes)),
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

    async def send_runs(self, history: RunHistory) -> None:
        """Tell of the newest runs of one service."""
        await self._client.post(f"{_ROOT}/runs", codec.encode(history), most_bytes=_ANSWER_BYTES)

    async def send_fault_files(self, identity: str, archive: bytes) -> None:
        """Deliver the packed files of a report that the node has."""
        await self._client.post(f"{_ROOT}/faults/{identity}/files", archive, most_bytes=_ANSWER_BYTES)

    async def send_fault(self, report: bytes) -> str:
        """Deliver an encoded report; the id of what the node took."""
        answer = await self._client.post(f"{_ROOT}/faults", report, most_bytes=_ANSWER_BYTES)
        return codec.decode(answer, FaultTaken).id
