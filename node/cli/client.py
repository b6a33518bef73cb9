"""Asks a node by GraphQL: finds it, sends what is asked, reads what is answered within bounds, explains what failed."""

import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from federation.limits import MIB, RESPONSE_BODY_BYTES
from node.cli.exits import CommandError, Exit, answered, unreachable, usage

_ANSWER_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_ACCESS_BYTES: Final = 64 * 1024
_MESSAGE_BYTES: Final = 4 * MIB
_HEARTBEAT_SECONDS: Final = 30.0
_PROTOCOL: Final = "graphql-transport-ws"
_FORBIDDEN: Final = 4403

CUT_OFF: Final = "cut-off"
"""The code of a connection that stood and broke."""
TOKEN_VARIABLE: Final = "VUPDATE_TOKEN"  # noqa: S105  # the name of a variable


@dataclass(frozen=True, slots=True)
class Access:
    """Where a node is, and the right to ask it. ``absent``: what to say when nobody answers."""

    url: str
    token: str
    absent: str


def _no_node(data: Path) -> str:
    return f"no node is running for {data}: start it with 'vupdate serve --data {data}'"


def _remote(url: str) -> Access:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise usage(f"--url: {url!r} is not an address such as https://node.example:7420")
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise CommandError(
            f"set the variable {TOKEN_VARIABLE} to a token of the node at {url}: "
            "it is not taken as an option, as others could read it there",
            "denied",
            status=Exit.DENIED,
        )
    return Access(
        url.rstrip("/"), token, f"the node at {url} does not answer: is the address right, and is it running?"
    )


def find_access(data: Path, url: str | None) -> Access:
    """How to reach the node at ``url``, or else the one that runs on ``data``.

    Raises:
        CommandError: none runs there, or the right to ask it is missing.
    """
    if url is not None:
        return _remote(url)
    path = data / "run" / "access.json"
    try:
        with path.open("rb") as stream:
            found = json.loads(stream.read(_ACCESS_BYTES))
        return Access(str(found["url"]).rstrip("/"), str(found["token"]), _no_node(data))
    except FileNotFoundError as error:
        raise unreachable(_no_node(data)) from error
    except PermissionError as error:
        raise CommandError(
            f"{path} can be read only by the user who runs the node: use that account",
            "denied",
            status=Exit.DENIED,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreachable(f"{path} is damaged: start the node again, it writes the file anew") from error


@dataclass(frozen=True, slots=True)
class Api:
    """The API of one node."""

    session: aiohttp.ClientSession
    access: Access

    async def ask(self, document: str, **variables: object) -> Any:
        """The data of a query or a change.

        Raises:
            CommandError: the node's refusal, or that it does not answer.
        """
        body = {"query": document, "variables": variables}
        try:
            async with self.session.post(f"{self.access.url}/graphql", json=body, allow_redirects=False) as answer:
                status, content = answer.status, await answer.content.read(RESPONSE_BODY_BYTES + 1)
                while len(content) <= RESPONSE_BODY_BYTES and (
                    more := await answer.content.read(RESPONSE_BODY_BYTES + 1 - len(content))
                ):
                    content += more
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self.access.absent) from error
        return _data(status, content)

    async def follow(self, document: str, **variables: object) -> AsyncIterator[Any]:
        """What a subscription tells, until it ends.

        Raises:
            CommandError: the node's refusal; with the code ``CUT_OFF`` when the connection broke.
        """
        try:
            async with self.session.ws_connect(
                f"{self.access.url}/graphql",
                protocols=(_PROTOCOL,),
                max_msg_size=_MESSAGE_BYTES,
                heartbeat=_HEARTBEAT_SECONDS,
            ) as socket:
                await socket.send_json({"type": "connection_init"})
                payload = {"query": document, "variables": variables}
                async for message in _messages(socket):
                    if message["type"] == "connection_ack":
                        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
                    elif message["type"] == "next":
                        yield _unwrapped(message["payload"])
                    elif message["type"] == "error":
                        raise _refusal(message["payload"])
                    elif message["type"] == "complete":
                        return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self.access.absent) from error


async def _messages(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[dict[str, Any]]:
    """The node's messages, its pings answered."""
    async for frame in socket:
        if frame.type is not aiohttp.WSMsgType.TEXT:
            break
        try:
            message = json.loads(frame.data)
            kind = message["type"]
        except (ValueError, KeyError, TypeError) as error:
            raise unreachable("what answers there is not a node of vUpdate: check the address") from error
        if kind == "ping":
            await socket.send_json({"type": "pong"})
        else:
            yield message
    if socket.close_code == _FORBIDDEN:
        raise CommandError("the node does not accept this token", "denied", status=Exit.DENIED)
    raise CommandError("the connection to the node broke", CUT_OFF, status=Exit.UNREACHABLE)


def _data(status: int, content: bytes) -> Any:
    if len(content) > RESPONSE_BODY_BYTES:
        raise CommandError(f"the answer is larger than {RESPONSE_BODY_BYTES // MIB} MiB: ask for less, by --first")
    try:
        answer = json.loads(content)
    except ValueError as error:
        said = content[:200].decode(errors="replace").strip()
        raise unreachable(f"what answers there is not a node of vUpdate (status {status}: {said})") from error
    if isinstance(answer, dict) and isinstance(answer.get("code"), str):
        raise answered(str(answer.get("message", "")), answer["code"])
    return _unwrapped(answer)


def _unwrapped(answer: Any) -> Any:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if errors:
        raise _refusal(errors)
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
        raise unreachable("what answers there is not a node of vUpdate: check the address")
    return answer["data"]


def _refusal(errors: Any) -> CommandError:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    more = first.get("extensions") or {}
    message = str(first.get("message", "the node refused without a word"))
    return answered(message, str(more.get("code", "failed")), str(more.get("correlation", "")))


@contextlib.asynccontextmanager
async def opened(data: Path, url: str | None) -> AsyncIterator[Api]:
    """The API of the node at ``url``, or else of the one that runs on ``data``."""
    access = find_access(data, url)
    timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS, sock_connect=_CONNECT_SECONDS)
    headers = {"Authorization": f"Bearer {access.token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Api(session, access)
