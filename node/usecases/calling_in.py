"""Calls in at the providers for whom this node may run builds: asks for work, and answers what it is asked.

They can't dial this node. What they order runs in the workshop, under the same bounds as orders of those who can.
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from federation import codec, limits
from federation.backoff import Backoff
from federation.errors import DeniedError, LocalError, UnreachableError, VUpdateError
from federation.link import work
from federation.link.work import PackPiece, Question, Refusal, Work, WorkAnswer, WorkCall, WorkKind
from federation.names import NodeName
from node.model.orders import Asker
from node.model.peer import Provider
from node.usecases.changes import ChangeHub, Topic
from node.usecases.links import Links
from node.usecases.patience import patience
from node.usecases.peers import ConnectPeer, Peer
from node.usecases.workshop import Workshop

FIRST_DELAY_SECONDS: Final = 1.0
MOST_DELAY_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 0.05
"""So long between two calls at least, whatever the provider does."""

_AT_ONCE: Final = 16
"""So many questions of one provider are worked on at once."""

_TRIES: Final = 5
_ANSWER_BYTES: Final = limits.REQUEST_BODY_BYTES - 64 * limits.KIB
_LOOK_ANYWAY_SECONDS: Final = 300.0
_INTERNAL: Final = Refusal(status=500, code="internal", message="something went wrong at the builder")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Shift:
    marker: str
    task: asyncio.Task[None]


class CallingIn:
    """The work of this node for its providers."""

    def __init__(
        self, *, links: Links, workshop: Workshop, connect: ConnectPeer, hub: ChangeHub, rng: random.Random
    ) -> None:
        self._links = links
        self._workshop = workshop
        self._connect = connect
        self._hub = hub
        self._rng = rng
        self._shifts: dict[NodeName, _Shift] = {}

    async def run(self) -> None:
        """Call in at all providers that are switched on, for as long as this runs."""
        async with self._hub.subscribe(frozenset({Topic.LINKS})) as changes, asyncio.TaskGroup() as group:
            while True:
                async with patience("builds for providers"):
                    await self._reconcile(group)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_ANYWAY_SECONDS):
                        await anext(changes)

    async def _reconcile(self, group: asyncio.TaskGroup) -> None:
        """Begin and end with providers as their links and switches change."""
        chosen = {one.name: one for one in await self._links.providers() if one.builds and one.ended is None}
        for name, shift in list(self._shifts.items()):
            if name not in chosen or _marker(chosen[name]) != shift.marker:
                shift.task.cancel()
                del self._shifts[name]
        for name, provider in chosen.items():
            if name not in self._shifts:
                self._shifts[name] = _Shift(_marker(provider), group.create_task(self._work_for(provider)))

    async def _work_for(self, provider: Provider) -> None:
        """Ask ``provider`` for work again and again, and work on what it asks side by side."""
        peer = self._connect(provider.url, provider.key)
        backoff = Backoff(FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS, self._rng)
        room, failures = asyncio.Semaphore(_AT_ONCE), 0
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    questions = await self._call(peer)
                    failures = 0
                except (VUpdateError, OSError) as error:
                    _log.info("no work can be asked for", provider=provider.name, error=str(error))
                    await asyncio.sleep(backoff.delay(failures))
                    failures += 1
                    continue
                for question in questions:
                    await room.acquire()
                    group.create_task(self._answer(peer, provider, question, room))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _call(self, peer: Peer) -> tuple[Question, ...]:
        called = WorkCall(state=await self._workshop.state())
        content = await peer.post(work.PATH, codec.encode(called), most_bytes=limits.RESPONSE_BODY_BYTES)
        return codec.decode(content, Work).questions

    async def _answer(self, peer: Peer, provider: Provider, question: Question, room: asyncio.Semaphore) -> None:
        try:
            answer = await self._answered(provider, question)
            await self._send(peer, question, codec.encode(answer))
        except VUpdateError as error:
            _log.info("an answer was not taken", provider=provider.name, code=error.code, error=error.message)
        finally:
            room.release()

    async def _send(self, peer: Peer, question: Question, body: bytes) -> None:
        """Send an answer, several times where it does not arrive; the asker asks again in the end."""
        backoff = Backoff(FIRST_DELAY_SECONDS, MOST_DELAY_SECONDS, self._rng)
        for attempt in range(_TRIES):
            try:
                await peer.post(f"{work.PATH}/{question.number}", body)
                return
            except UnreachableError:
                if attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(backoff.delay(attempt))

    async def _answered(self, provider: Provider, question: Question) -> WorkAnswer:
        try:
            return _bounded(await self._carried_out(provider, question))
        except LocalError as error:
            _log.warning("a provider's question met an error", provider=provider.name, error=error.message)
        except VUpdateError as error:
            return WorkAnswer(refusal=Refusal.of(error))
        except Exception:  # noqa: BLE001  the top of a task: what a provider asks must not end this node; it is told no more than that
            _log.exception("a provider's question met an error", provider=provider.name)
        return WorkAnswer(refusal=_INTERNAL)

    async def _carried_out(self, provider: Provider, question: Question) -> WorkAnswer:
        asker = Asker(id=provider.key.id, name=provider.name)
        match question.kind:
            case WorkKind.OFFER if question.offer is not None:
                if not (await self._links.provider(provider.name)).builds:
                    raise DeniedError("this node's operator lets it build for its provider no more")
                return WorkAnswer(report=await self._workshop.take(asker, question.offer))
            case WorkKind.REPORT:
                return WorkAnswer(report=await self._workshop.report(asker, question.order, after=question.after))
            case WorkKind.HAND_OVER:
                self._workshop.take_over(asker, question.order, question.content)
            case WorkKind.PACK:
                pack = self._workshop.pack(asker, question.order)
                return WorkAnswer(piece=await asyncio.to_thread(_piece, pack, question.after))
            case WorkKind.CANCEL:
                await self._workshop.cancel(asker, question.order)
        return WorkAnswer()


def _marker(provider: Provider) -> str:
    return f"{provider.url} {provider.key}"


def _piece(pack: Path, offset: int) -> PackPiece:
    with pack.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(min(offset, size))
        return PackPiece(size=size, content=stream.read(work.PIECE_BYTES))


def _bounded(answer: WorkAnswer) -> WorkAnswer:
    """``answer`` with as much of the log as one request holds; the rest is asked for next."""
    while answer.report is not None and len(answer.report.log) > 1 and len(codec.encode(answer)) > _ANSWER_BYTES:
        report = answer.report
        answer = replace(answer, report=replace(report, log=report.log[: len(report.log) // 2]))
    return answer
