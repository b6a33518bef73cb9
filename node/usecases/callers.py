"""The consumers that call in for work: what each is asked, and its answers; the lines to them as builders.

A consumer can't be dialled. What an asker says to it waits for its next call, and the answer comes as a request of its
own; nobody else's answer counts. What it says is believed no more than a dialled builder's.
"""

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from federation.clock import Clock
from federation.errors import AbsentError, DeniedError, OversizedError, RemoteError, TamperedError, UnreachableError
from federation.files import atomic_file
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.limits import REQUEST_BODY_BYTES
from federation.link import work
from federation.link.builds import LEASE_SECONDS, BuilderState, BuildOrder, BuildReport
from federation.link.work import PackPiece, Question, Work, WorkAnswer, WorkCall, WorkKind
from federation.names import NodeName
from node.model.peer import Consumer
from node.usecases.builder_lines import (
    PACK_BYTES,
    BuilderLine,
    BuilderLines,
    BuilderLostError,
    NotCallingError,
    PeerKind,
)
from node.usecases.links import Links

WAIT_SECONDS: Final = 20.0
"""So long a call waits for a question."""

AWAY_SECONDS: Final = 30.0
"""So long after its last call a builder counts as calling in."""

ANSWER_SECONDS: Final = 45.0
"""So long an answer may take."""

RETRY_SECONDS: Final = 2.0
_QUESTIONS_MOST: Final = 200
_LATE_MOST: Final = 200


@dataclass(slots=True, kw_only=True)
class _Caller:
    """A consumer that calls in. ``turn``: of its newest call; ``waiting``: not yet given to it; ``late``: given up."""

    state: BuilderState
    heard: float
    turn: int = 0
    open: bool = False
    waiting: deque[Question] = field(default_factory=deque)
    asked: dict[str, asyncio.Future[WorkAnswer]] = field(default_factory=dict)
    late: deque[str] = field(default_factory=lambda: deque(maxlen=_LATE_MOST))
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> Work:
        """The questions that come next: as many as one answer has room for."""
        taken: list[Question] = []
        room = REQUEST_BODY_BYTES
        while self.waiting and len(taken) < work.QUESTIONS:
            room -= len(self.waiting[0].content)
            if taken and room < 0:
                break
            taken.append(self.waiting.popleft())
        return Work(questions=tuple(taken))


class Callers(BuilderLines):
    """The consumers of this node as builders. Questions are kept in memory only, as orders are."""

    def __init__(self, links: Links, clock: Clock) -> None:
        self._links = links
        self.clock = clock
        self._callers: dict[NodeId, _Caller] = {}

    # Lines.

    async def all(self) -> list[BuilderLine]:
        consumers = await self._links.consumers()
        for gone in self._callers.keys() - {one.id for one in consumers}:
            del self._callers[gone]
        return [CallingBuilder(one, self) for one in consumers]

    async def usual(self) -> list[BuilderLine]:
        return []

    # What a consumer does.

    async def call(self, consumer: Consumer, called: WorkCall) -> Work:
        """What ``consumer`` is asked, once there is something, or nothing after a while.

        One call of each is open: a newer one ends it.

        Raises:
            DeniedError: its link was ended meanwhile.
        """
        caller = self._callers.get(consumer.id)
        if caller is None:
            caller = self._callers[consumer.id] = _Caller(state=called.state, heard=self.clock.monotonic())
        caller.state = called.state
        caller.turn += 1
        mine = caller.turn
        caller.open = True
        caller.news.set()  # ends an older call
        caller.news = news = asyncio.Event()
        if caller.waiting:
            news.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    await news.wait()
        finally:
            if caller.turn == mine:
                caller.open = False
            caller.heard = self.clock.monotonic()
        if await self._links.consumer_of_id(consumer.id) is None:
            self._callers.pop(consumer.id, None)
            raise DeniedError("this node is not linked to yours any more")
        return caller.take() if caller.turn == mine else Work()

    def answer(self, consumer: Consumer, number: str, answer: WorkAnswer) -> None:
        """Take an answer of ``consumer``; one that comes too late is ignored.

        Raises:
            AbsentError: this consumer was asked no such question.
        """
        caller = self._callers.get(consumer.id)
        coming = None if caller is None else caller.asked.get(number)
        if coming is not None:
            if not coming.done():
                coming.set_result(answer)
        elif caller is None or number not in caller.late:
            raise AbsentError("you were asked no such question")

    # What an asker does.

    def state(self, consumer: Consumer) -> BuilderState:
        """What ``consumer`` said of itself when it called in last.

        Raises:
            NotCallingError, UnreachableError: it does not call in.
        """
        return self._present(consumer).state

    def _present(self, consumer: Consumer) -> _Caller:
        caller = self._callers.get(consumer.id)
        if caller is None:
            raise NotCallingError("it has not called in for work: its operator lets it by 'vupdate provider builds'")
        away = self.clock.monotonic() - caller.heard
        if not caller.open and away > AWAY_SECONDS:
            raise UnreachableError(f"it has not called in for work for {away:.0f} s")
        return caller

    async def ask(self, consumer: Consumer, question: Question) -> WorkAnswer:
        """The answer of ``consumer`` to ``question``.

        Raises:
            UnreachableError: it does not call in, or gave none in time.
            PeerRefusalError: what it said instead.
        """
        caller = self._present(consumer)
        if len(caller.asked) >= _QUESTIONS_MOST:
            raise UnreachableError("too many questions wait for it")
        coming: asyncio.Future[WorkAnswer] = asyncio.get_running_loop().create_future()
        caller.asked[question.number] = coming
        caller.waiting.append(question)
        caller.news.set()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await coming
        except TimeoutError as error:
            raise UnreachableError("it did not answer in time") from error
        finally:
            del caller.asked[question.number]
            with contextlib.suppress(ValueError):
                caller.waiting.remove(question)
            caller.late.append(question.number)
        if answer.refusal is not None:
            raise answer.refusal.error(consumer.name)
        return answer


class CallingBuilder(BuilderLine):
    """The line to a consumer, which calls in."""

    def __init__(self, consumer: Consumer, callers: Callers) -> None:
        self._consumer = consumer
        self._callers = callers

    @property
    def name(self) -> NodeName:
        return self._consumer.name

    @property
    def key(self) -> PublicKey:
        return self._consumer.key

    @property
    def kind(self) -> PeerKind:
        return PeerKind.CONSUMER

    async def state(self) -> BuilderState:
        return self._callers.state(self._consumer)

    async def offer(self, order: BuildOrder) -> BuildReport:
        return await self._reported(Question(number=_number(), kind=WorkKind.OFFER, order=order.id, offer=order))

    async def report(self, order: str, *, after: int) -> BuildReport:
        return await self._reported(Question(number=_number(), kind=WorkKind.REPORT, order=order, after=after))

    async def hand_over(self, order: str, sealed: bytes) -> None:
        await self._ask(Question(number=_number(), kind=WorkKind.HAND_OVER, order=order, content=sealed))

    async def cancel(self, order: str) -> None:
        await self._ask(Question(number=_number(), kind=WorkKind.CANCEL, order=order))

    async def fetch(self, order: str, target: Path) -> None:
        with contextlib.ExitStack() as stack:
            stream = await asyncio.to_thread(stack.enter_context, atomic_file(target, 0o600))
            await self._write(order, stream)
            await asyncio.to_thread(stack.pop_all().close)

    async def _write(self, order: str, stream: BinaryIO) -> None:
        """Write the pack of ``order`` piece by piece, each asked for until it comes or the lease has run out."""
        written, size, clock = 0, None, self._callers.clock
        heard = clock.monotonic()
        while size is None or written < size:
            try:
                piece = await self._piece(order, written)
            except UnreachableError as error:
                if clock.monotonic() - heard > LEASE_SECONDS:
                    raise BuilderLostError(f"it gave no more of the image ({error.message})") from error
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if piece.size > PACK_BYTES:
                raise OversizedError(f"{self.name} built an image whose pack is over {PACK_BYTES} bytes: refused")
            size = piece.size if size is None else size
            if piece.size != size or len(piece.content) != min(work.PIECE_BYTES, size - written):
                raise TamperedError(f"{self.name} sent a piece of another image than before: refused")
            await asyncio.to_thread(stream.write, piece.content)
            written += len(piece.content)
            heard = clock.monotonic()

    async def _piece(self, order: str, offset: int) -> PackPiece:
        answer = await self._ask(Question(number=_number(), kind=WorkKind.PACK, order=order, after=offset))
        if answer.piece is None:
            raise TamperedError(f"{self.name} was asked for an image and sent none: refused")
        return answer.piece

    async def _reported(self, question: Question) -> BuildReport:
        report = (await self._ask(question)).report
        if report is None or report.id != question.order:
            raise RemoteError(f"{self.name} answered something else than it was asked: refused")
        return report

    async def _ask(self, question: Question) -> WorkAnswer:
        return await self._callers.ask(self._consumer, question)


class CombinedLines(BuilderLines):
    """The providers before the consumers. A name that both bear is the provider's, which was chosen by hand here."""

    def __init__(self, providers: BuilderLines, consumers: BuilderLines) -> None:
        self._providers = providers
        self._consumers = consumers

    async def all(self) -> Sequence[BuilderLine]:
        first = await self._providers.all()
        taken = {line.name for line in first}
        return [*first, *(line for line in await self._consumers.all() if line.name not in taken)]

    async def usual(self) -> Sequence[BuilderLine]:
        # A node chose its providers; a consumer builds for it only where it is named.
        return await self._providers.usual()


def _number() -> str:
    return uuid.uuid4().hex
