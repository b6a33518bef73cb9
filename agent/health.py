"""Looks whether a service works: by HTTP, TCP, a command or its output. What follows is decided in ``probation``."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from agent.announced import Announced
from federation.service import Health

_PROBLEM_CHARS: Final = 300


class Check:
    """The check of one run: in the version's tree ``cwd``, with the service's ``env``, its output in ``logs``."""

    def __init__(self, health: Health, *, cwd: Path, env: Mapping[str, str], logs: Path) -> None:
        self.health = health
        self._cwd = cwd
        self._env = env
        self._announced = None if health.log is None else Announced(logs, health.log)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look at beyond that it runs."""
        health = self.health
        return all(way is None for way in (health.http, health.tcp, health.command, health.log))

    async def problem(self) -> str:
        """What is wrong with the service; empty: nothing. Without a check it is well as long as it runs."""
        seconds = self.health.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._look()
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return str(error)[:_PROBLEM_CHARS] or type(error).__name__

    async def _look(self) -> str:
        health = self.health
        if health.http is not None:
            return await _http(health.http)
        if health.tcp is not None:
            return await _tcp(health.tcp)
        if health.command is not None:
            return await _command(health.command, self._cwd, self._env)
        return "" if self._announced is None else await self._announced.problem()


async def _http(url: str) -> str:
    # A session for each check: a kept connection would hide that the service no longer takes new ones.
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        return "" if 200 <= answer.status < 400 else f"{url} answered {answer.status}"


async def _tcp(address: str) -> str:
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""


async def _command(words: tuple[str, ...], cwd: Path, env: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.shield(process.wait())
    return "" if status == 0 else f"{words[0]} ended with status {status}"
