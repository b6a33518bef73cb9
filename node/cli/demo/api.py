"""One node's GraphQL API as the demo uses it: ask, and wait for a change instead of polling."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from federation.digest import Digest
from federation.link.pinned import Pin, pin_of

_ANSWER_SECONDS: Final = 30.0
_CHANGES: Final = "subscription { changes { topic subject } }"

Data = dict[str, Any]


class StepError(Exception):
    """A step of the demo did not come out as it must; the text says what was seen instead."""


class NodeApi:
    """The API of the node at ``url``, asked as its operator."""

    def __init__(self, session: aiohttp.ClientSession, name: str, url: str, token: str, pin: Pin = True) -> None:
        self.name = name
        self.url = url
        self._session = session
        self._headers = {"Authorization": f"Bearer {token}"}
        self._pin = pin

    @classmethod
    def of(cls, session: aiohttp.ClientSession, name: str, data: Path) -> Self:
        """The API of the running node whose data are in ``data``."""
        access = json.loads((data / "run" / "access.json").read_bytes())
        pin = pin_of(Digest(access["certificate"])) if "certificate" in access else True
        return cls(session, name, access["url"], access["token"], pin)

    async def ask(self, text: str, /, **variables: object) -> Data:
        """The data of a query or mutation.

        Raises:
            StepError: the node refused or did not answer; its sentence stands in it.
        """
        body = {"query": text, "variables": variables}
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with self._session.post(
                f"{self.url}/graphql", json=body, headers=self._headers, timeout=timeout, ssl=self._pin
            ) as answer:
                content = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StepError(f"node {self.name} does not answer: {error}") from error
        if content.get("errors"):
            raise StepError(f"node {self.name}: {content['errors'][0]['message']}")
        data: Data = content["data"]
        return data

    async def until(
        self, what: str, text: str, met: Callable[[Data], bool], /, *, within: float, **variables: object
    ) -> Data:
        """The data of the query ``text`` once ``met`` by them; asked again after each change that the node tells of.

        Raises:
            StepError: not met ``within`` seconds.
        """
        data: Data = {}
        try:
            async with asyncio.timeout(within), self._changes() as changes:
                async for _ in changes:
                    data = await self.ask(text, **variables)
                    if met(data):
                        return data
        except TimeoutError as error:
            raise StepError(
                f"{what}: not seen on {self.name} within {within:.0f} s; last seen: {_brief(data)}"
            ) from error
        except aiohttp.ClientError as error:
            raise StepError(f"{what}: node {self.name} is gone: {error}") from error
        raise StepError(f"{what}: node {self.name} ended its stream of changes")

    @contextlib.asynccontextmanager
    async def _changes(self) -> AsyncIterator[AsyncIterator[None]]:
        """Ticks: one once subscribed, and one per change."""
        async with self._session.ws_connect(
            f"{self.url}/graphql", protocols=("graphql-transport-ws",), headers=self._headers, ssl=self._pin
        ) as socket:
            await socket.send_json({"type": "connection_init"})
            yield self._ticks(socket)

    async def _ticks(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[None]:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            frame = message.json()
            match frame["type"]:
                case "connection_ack":
                    subscribe: Mapping[str, object] = {"query": _CHANGES}
                    await socket.send_json({"id": "1", "type": "subscribe", "payload": subscribe})
                    # The pong comes back once the subscription before it was taken.
                    await socket.send_json({"type": "ping"})
                case "ping":
                    await socket.send_json({"type": "pong"})
                case "pong" | "next":
                    yield None
                case "error" | "complete":
                    return


def _brief(data: Data) -> str:
    text = json.dumps(data, default=str)
    return text if len(text) <= 600 else f"{text[:600]}…"
