"""Asks a node by GraphQL: finds it, sends what is asked, reads what is answered within bounds, explains what failed.

Over TLS the token goes only to the node that is meant: the one on this machine by the certificate that it left beside
its address; another one by its node id, if that is given, or else by a certificate that this machine's authorities
vouch for.
"""

import contextlib
import io
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from federation.digest import Digest
from federation.errors import InvalidValueError, VUpdateError
from federation.identity import NodeId
from federation.limits import MIB, RESPONSE_BODY_BYTES
from federation.link.identity_proof import IdentityProof
from federation.link.pinned import Pin, pin_of, prove
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
NODE_ID_VARIABLE: Final = "VUPDATE_NODE_ID"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Access:
    """Where a node is, and the right to ask it. ``absent``: what to say when nobody answers.

    ``certificate``: the one it is known to show; ``node``: who has to prove that it answers there.
    """

    url: str
    token: str
    absent: str
    certificate: Digest | None = None
    node: NodeId | None = None


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
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise usage(f"--url: over http:// others on the way could read the token; use https:// for {parts.hostname}")
    absent = f"the node at {url} does not answer: is the address right, and is it running?"
    return Access(url.rstrip("/"), token, absent, node=_node_meant())


def _node_meant() -> NodeId | None:
    given = os.environ.get(NODE_ID_VARIABLE, "")
    try:
        return NodeId.typed(given) if given else None
    except InvalidValueError as error:
        raise usage(f"{NODE_ID_VARIABLE}: {error}") from error


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
        certificate = Digest(found["certificate"]) if "certificate" in found else None
        return Access(str(found["url"]).rstrip("/"), str(found["token"]), _no_node(data), certificate)
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
    pin: Pin = True

    async def ask(self, document: str, **variables: object) -> Any:
        """The data of a query or a change.

        Raises:
            CommandError: the node's refusal, or that it does not answer.
        """
        # As a stream: of a large body given at once, such as one with a private file, aiohttp warns.
        body = io.BytesIO(json.dumps({"query": document, "variables": variables}).encode())
        headers = {"Content-Type": "application/json"}
        try:
            async with self.session.post(
                f"{self.access.url}/graphql", data=body, headers=headers, allow_redirects=False, ssl=self.pin
            ) as answer:
                status, content = answer.status, await answer.content.read(RESPONSE_BODY_BYTES + 1)
                while len(content) <= RESPONSE_BODY_BYTES and (
                    more := await answer.content.read(RESPONSE_BODY_BYTES + 1 - len(content))
                ):
                    content += more
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _no_answer(self.access, error) from error
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
                ssl=self.pin,
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
            raise _no_answer(self.access, error) from error


def _no_answer(access: Access, error: Exception) -> CommandError:
    """Why the node at ``access`` did not answer, as far as it is seen here."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return CommandError(
            f"nobody known to this machine vouches for the certificate of {access.url}: set {NODE_ID_VARIABLE} to the "
            "node's id, as 'vupdate status' on its machine shows it",
            "tampered",
        )
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return CommandError(
            f"another program than the node meant answers at {access.url}: nothing was sent", "tampered"
        )
    return unreachable(access.absent)


async def _pin(session: aiohttp.ClientSession, access: Access) -> Pin:
    """What to accept on a connection to the node at ``access``, its proof seen first where its id is known."""
    if access.certificate is not None:
        return pin_of(access.certificate)
    meant = access.node
    if meant is None:
        return True

    def read(content: bytes, nonce: str) -> IdentityProof:
        return IdentityProof.read_of(content, node=meant, nonce=nonce)

    try:
        return (await prove(session, access.url, read))[1]
    except VUpdateError as error:
        raise CommandError(f"{access.url}: {error.message}; nothing was sent to it", error.code) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise unreachable(access.absent) from error


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
    async with aiohttp.ClientSession(timeout=timeout) as session:
        pin = await _pin(session, access)
        # The token is not known to the session before it is known whom it goes to.
        session.headers["Authorization"] = f"Bearer {access.token}"
        yield Api(session, access, pin)
