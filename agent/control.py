"""Takes an operator's orders on this host, over a Unix socket in the agent's home.

Only root and the agent's own user are listened to (unix(7), SO_PEERCRED). Each connection is one request and one
answer, bounded in size and time. The socket is named through a folder's descriptor, as its address holds 108 bytes at
most and a home may lie deep.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

import structlog

from agent.errors import NoAgentError
from agent.home import Home
from agent.orders import LINE_BYTES, Answer, Request
from federation import codec
from federation.errors import DeniedError, InvalidValueError, RemoteError, VUpdateError

_NAME: Final = "control.sock"
_READ_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 120.0
_CREDENTIALS: Final = struct.Struct("3i")
_BACKLOG: Final = 16

_log: Final = structlog.get_logger("agent")

Handler = Callable[[Request], Awaitable[Answer]]


@contextlib.contextmanager
def _address(home: Home) -> Iterator[str]:
    folder = os.open(home.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{_NAME}"
    finally:
        os.close(folder)


def _bound(home: Home) -> socket.socket:
    """The listening socket; one left by a dead agent gives way: ours is the only agent here."""
    (home.root / _NAME).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        with _address(home) as address:
            listener.bind(address)
        (home.root / _NAME).chmod(0o600)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _check_caller(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(raw)
    if user not in (0, os.geteuid()):
        raise DeniedError("only root and the agent's own user may give it orders")


class Control:
    """Hears orders for the agent in ``home`` and answers what ``handle`` says."""

    def __init__(self, home: Home, handle: Handler) -> None:
        self._home = home
        self._handle = handle

    async def serve(self) -> None:
        """Serve until cancelled."""
        with _bound(self._home) as listener:
            try:
                async with await asyncio.start_unix_server(self._connected, sock=listener, limit=LINE_BYTES) as server:
                    await server.serve_forever()
            finally:
                (self._home.root / _NAME).unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answer = await self._answer(reader, writer)
            writer.write(codec.encode(answer) + b"\n")
            async with asyncio.timeout(_READ_SECONDS):
                await writer.drain()
        except (OSError, TimeoutError) as error:
            _log.info("operator's connection lost", error=str(error))
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        try:
            _check_caller(writer)
            request = await _request(reader)
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._handle(request)
        except VUpdateError as error:
            return Answer(code=error.code, message=error.message)
        except TimeoutError:
            return Answer(code="slow", message="it takes longer than usual and goes on: look at `vupdate agent status`")


async def _request(reader: asyncio.StreamReader) -> Request:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            return codec.decode(await reader.readline(), Request)
    except ValueError as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError(f"a request has at most {LINE_BYTES} bytes") from error


async def ask(home: Path, request: Request) -> Answer:
    """Give the agent in ``home`` an order.

    Raises:
        NoAgentError: none runs there.
        DeniedError: this user may not.
        RemoteError: its answer can't be read.
    """
    try:
        with _address(Home.at(home)) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=LINE_BYTES)
    except PermissionError as error:
        raise DeniedError(f"the agent in {home} belongs to another user: ask as that one, or as root") from error
    except OSError as error:
        raise NoAgentError(f"no agent runs in {home}: start it with `vupdate agent run`") from error
    try:
        writer.write(codec.encode(request) + b"\n")
        async with asyncio.timeout(_ANSWER_SECONDS + _READ_SECONDS):
            return codec.decode(await reader.readline(), Answer)
    except (ValueError, OSError) as error:  # a bad answer is an InvalidValueError, and so a ValueError or ours
        raise RemoteError(f"the agent in {home} gave no answer that can be read: {error}") from error
    finally:
        writer.close()
