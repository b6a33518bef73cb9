"""The stories of a consumer that calls in for work and lies, floods and pries, and of a provider that does."""

import asyncio
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from federation import codec, limits
from federation.errors import InvalidValueError, OversizedError, RemoteError, TamperedError, VUpdateError
from federation.link import work
from federation.link.builds import BuilderState, BuildReport, BuildStand
from federation.link.work import PackPiece, Question, Work, WorkAnswer, WorkCall, WorkKind
from federation.names import NodeName
from node.usecases import callers, calling_in
from node.usecases.callers import CallingBuilder
from tests.support.called_in import called_in, calls
from tests.support.nodes import Member
from tests.support.ordering import GLOBEX, Scene

ORDER = "0" * 32
STATE = BuilderState(
    refusal="", running=0, most=1, load=0.5, cpus=4, free_memory_bytes=1 << 30, free_disk_bytes=1 << 30
)


async def post(found: Scene, of: Member, path: str, value: object) -> tuple[int, bytes]:
    """What globex answers ``of``, who may say anything."""
    status, _, content = await found.network.between(of, found.globex).ask("POST", path, body=codec.encode(value))
    return status, content


async def line(found: Scene, name: str) -> CallingBuilder:
    consumer = await found.globex.use.links.consumer(NodeName(name))
    return CallingBuilder(consumer, found.globex.use.callers)


async def taken(found: Scene, of: Member) -> tuple[Question, ...]:
    status, content = await post(found, of, work.PATH, WorkCall(state=STATE))
    assert status == 200
    return codec.decode(content, Work).questions


def report(order: str = ORDER) -> BuildReport:
    from tests.support.clock import FakeClock

    return BuildReport(id=order, stand=BuildStand.RUNNING, lease_until=FakeClock().now())


async def present(found: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """All builders have called in once."""
    monkeypatch.setattr(callers, "WAIT_SECONDS", 0.01)
    for one in found.builders:
        assert await taken(found, one) == ()
        await calls(found.globex, one.name)


async def test_nobody_answers_for_another_or_reads_his_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mallory is given nothing of acme's, its answer to acme's question is refused, and acme's own counts."""
    found = await called_in(tmp_path, "acme", "mallory")
    acme, mallory = found.builders
    await present(found, monkeypatch)
    asked = await line(found, "acme")
    async with asyncio.TaskGroup() as group:
        coming = group.create_task(asked.report(ORDER, after=0))
        await asyncio.sleep(0)
        assert await taken(found, mallory) == ()
        (question,) = await taken(found, acme)
        lie = WorkAnswer(report=replace(report(), why="forged"))
        assert (await post(found, mallory, f"{work.PATH}/{question.number}", lie))[0] == 404
        assert not coming.done()
        assert (await post(found, acme, f"{work.PATH}/{question.number}", WorkAnswer(report=report())))[0] == 204
    assert coming.result().why == ""
    late = await post(found, acme, f"{work.PATH}/{question.number}", lie)
    assert late[0] == 204, "a late answer is ignored"
    assert (await post(found, acme, f"{work.PATH}/{uuid.uuid4().hex}", lie))[0] == 404


@pytest.mark.parametrize("lie", ["no report", "another order"])
async def test_what_was_not_asked_for_is_no_answer(lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report of another order, or none, is refused."""
    found = await called_in(tmp_path, "acme")
    await present(found, monkeypatch)
    asked = await line(found, "acme")
    answer = WorkAnswer() if lie == "no report" else WorkAnswer(report=report("1" * 32))

    async def lying() -> None:
        (question,) = await taken(found, found.builders[0])
        await post(found, found.builders[0], f"{work.PATH}/{question.number}", answer)

    async with asyncio.TaskGroup() as group:
        coming = group.create_task(_error(asked.report(ORDER, after=0)))
        await asyncio.sleep(0)
        group.create_task(lying())
    assert isinstance(coming.result(), RemoteError)
    assert "something else than it was asked" in str(coming.result())


async def _error(asking: object) -> VUpdateError:
    with pytest.raises(VUpdateError) as caught:
        await asking  # type: ignore[misc]
    return caught.value


@pytest.mark.parametrize(
    ("pieces", "refused"),
    [
        ([PackPiece(size=limits.SERIAL, content=b"x" * 10)], OversizedError),
        ([PackPiece(size=30, content=b"x")], TamperedError),
        ([PackPiece(size=30, content=b"x" * 10), PackPiece(size=31, content=b"x" * 10)], TamperedError),
        ([PackPiece(size=5, content=b"x" * 10)], TamperedError),
        ([PackPiece(size=30, content=b"")], TamperedError),
        ([None], TamperedError),
    ],
)
async def test_no_pack_is_endless(
    pieces: list[PackPiece | None], refused: type[VUpdateError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Larger than any image, drop by drop, growing on the way, overlong, empty, none: refused, and no file is left."""
    monkeypatch.setattr(work, "PIECE_BYTES", 10)
    found = await called_in(tmp_path, "acme")
    await present(found, monkeypatch)
    acme, asked, target = found.builders[0], await line(found, "acme"), tmp_path / "arriving" / "image.pack"

    async def sending() -> None:
        for piece in pieces:
            monkeypatch.setattr(callers, "WAIT_SECONDS", 10.0)
            (question,) = await taken(found, acme)
            await post(found, acme, f"{work.PATH}/{question.number}", WorkAnswer(piece=piece))

    async with asyncio.TaskGroup() as group:
        coming = group.create_task(_error(asked.fetch(ORDER, target)))
        group.create_task(sending())
    assert isinstance(coming.result(), refused)
    assert list(target.parent.iterdir()) == []


async def test_a_flood_of_calls_holds_one_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each newer call ends the one before it, and a question goes to the newest, once."""
    found = await called_in(tmp_path, "acme")
    await present(found, monkeypatch)
    monkeypatch.setattr(callers, "WAIT_SECONDS", 30.0)
    acme, asked = found.builders[0], await line(found, "acme")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        flood = [group.create_task(taken(found, acme)) for _ in range(20)]
        _, open_ones = await asyncio.wait(flood, timeout=2)
        assert len(open_ones) == 1
        coming = group.create_task(asked.report(ORDER, after=0))
        (question,) = await open_ones.pop()
        await post(found, acme, f"{work.PATH}/{question.number}", WorkAnswer(report=report()))
        await coming
    assert sum(len(one.result()) for one in flood) == 1


async def test_huge_and_absurd_words_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body over the bound, a state that no machine has, a number that is none."""
    found = await called_in(tmp_path, "acme")
    await present(found, monkeypatch)
    acme = found.builders[0]
    peer = found.network.between(acme, found.globex)
    status, _, _ = await peer.ask("POST", f"{work.PATH}/{ORDER}", body=b" " * (limits.REQUEST_BODY_BYTES + 1))
    assert status == 413
    for changes in ({"running": -1}, {"cpus": 2**40}, {"load": 1e300}, {"load": float("nan")}):
        with pytest.raises(InvalidValueError):
            replace(STATE, **changes)
    with pytest.raises(OversizedError):
        replace(STATE, refusal="x" * 501)
    with pytest.raises(OversizedError):
        PackPiece(size=10**9, content=b"x" * (work.PIECE_BYTES + 1))


async def test_a_consumer_whose_link_ended_gets_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by a call that was open before."""
    found = await called_in(tmp_path, "acme")
    await present(found, monkeypatch)
    monkeypatch.setattr(callers, "WAIT_SECONDS", 30.0)
    acme, asked, consumers = found.builders[0], await line(found, "acme"), found.globex.use.callers
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        call = group.create_task(post(found, acme, work.PATH, WorkCall(state=STATE)))
        while not any(one.open for one in consumers._callers.values()):
            await asyncio.sleep(0.01)
        await found.globex.use.links.remove_consumer(NodeName("acme"), who="ann")
        coming = group.create_task(asked.report(ORDER, after=0))
        assert (await call)[0] == 403
        coming.cancel()
    assert consumers._callers == {}


async def test_a_provider_that_floods_questions_is_worked_for_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many at once and no more; the others wait, and no call is made meanwhile."""
    found = await called_in(tmp_path, "acme")
    acme, at_once, most, release = found.builders[0], 0, 0, asyncio.Event()
    made = 0

    async def carried_out(*_: object) -> WorkAnswer:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await release.wait()
        at_once -= 1
        return WorkAnswer()

    async def flooding(*_: object) -> tuple[Question, ...]:
        nonlocal made
        made += 1
        return tuple(
            Question(number=uuid.uuid4().hex, kind=WorkKind.REPORT, order=ORDER) for _ in range(work.QUESTIONS)
        )

    monkeypatch.setattr(acme.use.calling_in, "_carried_out", carried_out)
    monkeypatch.setattr(acme.use.calling_in, "_call", flooding)
    monkeypatch.setattr(calling_in, "PAUSE_SECONDS", 0.0)
    loop = asyncio.create_task(acme.use.calling_in.run())  # noqa: TID251  ended below
    async with asyncio.timeout(10):
        while made < 3:
            await asyncio.sleep(0.01)
        for _ in range(100):
            await asyncio.sleep(0)
    assert (most, made) == (16, 3)
    loop.cancel()
    await asyncio.wait([loop])


async def test_a_provider_orders_nothing_where_it_was_switched_off(tmp_path: Path) -> None:
    """Nor does a question that meets a fault of the builder end it; the provider is told no more than that."""
    found = await called_in(tmp_path, "acme", switched_on=False)
    acme = found.builders[0]
    globex = await acme.use.links.provider(GLOBEX)
    offer = Question(number="1" * 32, kind=WorkKind.OFFER, order=ORDER, offer=found.order())
    answer = await acme.use.calling_in._answered(globex, offer)
    assert answer.refusal is not None
    assert answer.refusal.status == 403
    assert acme.use.workshop._orders == {}

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of this machine")

    acme.use.workshop.pack = broken  # type: ignore[method-assign,assignment]
    pack = Question(number="2" * 32, kind=WorkKind.PACK, order=ORDER)
    fault = await acme.use.calling_in._answered(globex, pack)
    assert fault.refusal is not None
    assert (fault.refusal.code, "secret" in fault.refusal.message) == ("internal", False)


async def test_a_provider_reaches_no_order_of_another(tmp_path: Path) -> None:
    """An order's number and its provider's key go together: one provider's questions find nothing of another's."""
    found = await called_in(tmp_path, "acme")
    acme = found.builders[0]
    initech = found.network.add("initech")
    await initech.share("public", "nothing")
    await found.network.link(initech, acme, "public")
    globex, other = await acme.use.links.provider(GLOBEX), await acme.use.links.provider(NodeName("initech"))
    async with found.network.running():
        offer = Question(number="1" * 32, kind=WorkKind.OFFER, order=ORDER, offer=found.order())
        assert (await acme.use.calling_in._answered(globex, offer)).refusal is None
        for kind in (WorkKind.REPORT, WorkKind.PACK, WorkKind.CANCEL, WorkKind.HAND_OVER):
            pried = await acme.use.calling_in._answered(other, Question(number="2" * 32, kind=kind, order=ORDER))
            assert pried.refusal is not None
            assert pried.refusal.status == 404, kind
        assert len(acme.use.workshop._orders) == 1
