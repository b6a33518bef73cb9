"""Somebody on an agent's host tries to rule its services, or to blind it by what a service leaves or writes."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent import control
from agent.control import Control, ask
from agent.home import Home
from agent.orders import Act, Answer, Request
from federation.names import ServiceKey

KEY = ServiceKey("web")
STRANGER = 65534


class Stage:
    """A control whose orders are written down."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.obeyed: list[Act] = []

    async def obey(self, request: Request) -> Answer:
        self.obeyed.append(request.act)
        return Answer(message="done")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(Control(Home(tmp_path), stage.obey).serve())
        while not (tmp_path / "control.sock").exists():
            await asyncio.sleep(0.01)
        yield stage
        task.cancel()


async def test_another_user_of_the_host_orders_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reaches the socket as a user that is neither root nor the agent's own is refused, and nothing is done."""
    real = control._CREDENTIALS

    class AsStranger:
        size = real.size

        @staticmethod
        def unpack(raw: Any) -> tuple[int, int, int]:
            pid, user, group = real.unpack(raw)
            assert (pid, user) == (os.getpid(), os.geteuid())
            return pid, STRANGER, group

    monkeypatch.setattr(control, "_CREDENTIALS", AsStranger)
    answer = await ask(stage.home, Request(act=Act.STOP, service=KEY))
    assert answer.code == "denied"
    assert stage.obeyed == []


async def test_the_socket_is_its_owners_only(stage: Stage) -> None:
    """The file itself lets nobody else in."""
    found = (stage.home / "control.sock").stat()
    assert (found.st_mode & 0o777, found.st_uid) == (0o600, os.geteuid())


async def test_who_says_nothing_holds_up_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that stay silent are let go after a while, and others are served meanwhile."""
    monkeypatch.setattr(control, "_READ_SECONDS", 0.3)
    folder = os.open(stage.home, os.O_RDONLY)
    try:
        silent = [await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/control.sock") for _ in range(20)]
    finally:
        os.close(folder)
    assert (await ask(stage.home, Request(act=Act.HOLD, service=KEY))).message == "done"
    async with asyncio.timeout(5):
        for reader, writer in silent:
            await reader.read()
            writer.close()
    assert stage.obeyed == [Act.HOLD]
