"""An operator's wishes: how they are kept, what they keep off, and how they reach an agent."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import plan
from agent.control import Control, ask
from agent.errors import NoAgentError
from agent.home import Home
from agent.orders import LINE_BYTES, Act, Answer, Request, wish_after
from agent.plan import Record, Slot, Step
from agent.wishes import Wish, keep_wish, read_wish
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError
from federation.names import ServiceKey
from federation.versions import ClientVersion

KEY = ServiceKey("web")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def slot(version: str) -> Slot:
    digest = Digest("0" * 64)
    return Slot(version=ClientVersion(version), image=digest, manifest=digest)


def test_a_wish_is_kept_until_it_is_taken_back(tmp_path: Path) -> None:
    """What an operator wants outlives the agent, and nothing is left where nothing is wanted."""
    unit = Home(tmp_path).unit(KEY)
    assert read_wish(unit) == Wish()
    unit.root.mkdir(parents=True)
    keep_wish(unit, Wish(halted=True))
    assert read_wish(unit) == Wish(halted=True)
    keep_wish(unit, Wish())
    assert list(unit.root.iterdir()) == []


def test_a_damaged_wish_is_an_error(tmp_path: Path) -> None:
    """A wish that can't be read is not guessed: what somebody stopped must not start."""
    unit = Home(tmp_path).unit(KEY)
    unit.root.mkdir(parents=True)
    unit.wish.write_text("{")
    with pytest.raises(CorruptError, match="is damaged"):
        read_wish(unit)


def test_orders_change_one_wish_each() -> None:
    """Stop and start, hold and release are pairs that leave each other alone; the rest changes no wish."""
    wish = wish_after(wish_after(Wish(), Act.STOP), Act.HOLD)
    assert wish == Wish(halted=True, held=True)
    assert wish_after(wish, Act.START) == Wish(held=True)
    assert wish_after(wish, Act.RELEASE) == Wish(halted=True)
    assert wish_after(wish, Act.RESTART) == wish_after(wish, Act.RETRY) == wish


@pytest.mark.parametrize("wish", [Wish(halted=True), Wish(held=True)])
def test_wishes_keep_updates_off_but_no_withdrawal(wish: Wish) -> None:
    """No other version begins; a service that is withdrawn goes all the same."""
    record = Record(committed=slot("acme-1.0.0"))
    assert not plan.may_begin(record, slot("acme-1.0.1"), wish)
    assert plan.may_begin(record, slot("acme-1.0.1"), Wish())
    assert plan.may_begin(record, slot("acme-1.0.0"), wish)
    assert plan.may_begin(record, None, wish)


def test_an_update_is_left_only_before_it_changed_what_runs() -> None:
    """A hold abandons what is not yet past the stop; what is past it goes on to its end."""
    kept_off = {step for step in Step if plan.is_kept_off(Record(step=step), Wish(held=True))}
    assert kept_off == {Step.DOWNLOAD, Step.STAGE, Step.BEFORE_STOP}
    assert not any(plan.is_kept_off(Record(step=step), Wish()) for step in Step)


def test_forgiven_is_tried_again() -> None:
    """After an operator's word a version that failed is begun anew."""
    record = Record(committed=slot("acme-1.0.0"), failed=ClientVersion("acme-1.0.1"), error="exit status 3")
    assert plan.begin(record, slot("acme-1.0.1"), NOW) is None
    begun = plan.begin(plan.forgiven(record), slot("acme-1.0.1"), NOW)
    assert begun is not None
    assert begun.step is Step.DOWNLOAD


async def obey(request: Request) -> Answer:
    if request.service != KEY:
        raise AbsentError("no such service")
    return Answer(message=f"did {request.act.value}")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Path]:
    """A home deep enough that its socket's path would not fit an address, with a control that serves it."""
    home = tmp_path / ("deep-" * 20) / ("deeper-" * 10)
    home.mkdir(parents=True)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(Control(Home(home), obey).serve())
        while not (home / "control.sock").exists():
            await asyncio.sleep(0.01)
        yield home
        task.cancel()


async def test_an_order_reaches_the_agent(home: Path) -> None:
    """An order is done and answered; a refusal comes back with its code; the socket is its owner's only."""
    assert await ask(home, Request(act=Act.HOLD, service=KEY)) == Answer(message="did hold")
    refused = await ask(home, Request(act=Act.HOLD, service=ServiceKey("other")))
    assert (refused.code, refused.message) == ("not-found", "no such service")
    assert (home / "control.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "sent", [b"\n", b"[]\n", b'{"act": "explode", "service": "web"}\n', b"x" * (LINE_BYTES * 3) + b"\n"]
)
async def test_a_bad_request_is_refused_and_the_next_one_served(home: Path, sent: bytes) -> None:
    """What can't be understood, or is too long, gets a refusal, and the agent goes on listening."""
    folder = os.open(home, os.O_RDONLY)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/control.sock")
    finally:
        os.close(folder)
    writer.write(sent)
    assert b'"code":"invalid-value"' in await reader.readline()
    writer.close()
    assert (await ask(home, Request(act=Act.STOP, service=KEY))).message == "did stop"


async def test_without_an_agent_there_is_a_clear_answer(tmp_path: Path) -> None:
    """Where no agent listens, that is what is said."""
    with pytest.raises(NoAgentError, match="no agent runs"):
        await ask(tmp_path, Request(act=Act.STOP, service=KEY))
