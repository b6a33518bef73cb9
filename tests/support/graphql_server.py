"""A node's API over use cases that answer from a table, on a real port: for tests of what asks it."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from structlog.testing import capture_logs

from federation.limits import REQUEST_BODY_BYTES
from node.graphql.context import Context
from node.graphql.schema import schema
from tests.support.graphql_usecases import context

TOKEN = "the-right-token"


class FakeNode:
    """Answers like a node. ``breaks``: how many live connections it cuts before their first message."""

    def __init__(self, usecases: object) -> None:
        self._usecases = usecases
        self.breaks = 0
        self.url = ""

    def app(self) -> web.Application:
        """Its routes."""
        app = web.Application(client_max_size=REQUEST_BODY_BYTES)
        app.router.add_post("/graphql", self._post)
        app.router.add_get("/graphql", self._live)
        return app

    def _context(self, request: web.Request) -> Context | None:
        right = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        return context(self._usecases) if right else None

    async def _post(self, request: web.Request) -> web.Response:
        asked, body = self._context(request), await request.json()
        if asked is None:
            denied = {"message": "you are not logged in", "extensions": {"code": "denied", "correlation": "c0ffee"}}
            return web.json_response({"data": None, "errors": [denied]})
        result = await schema().execute(body["query"], variable_values=body["variables"], context_value=asked)
        errors = {"errors": [error.formatted for error in result.errors]} if result.errors else {}
        return web.json_response({"data": result.data, **errors})

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
        await socket.prepare(request)
        asked = self._context(request)
        if asked is None:
            await socket.close(code=4403)
            return socket
        if self.breaks:
            self.breaks -= 1
            await socket.close(code=1011)
            return socket
        async for frame in socket:
            assert frame.type is WSMsgType.TEXT
            await self._answer(socket, asked, json.loads(frame.data))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: Context, message: dict[str, Any]) -> None:
        if message["type"] == "connection_init":
            await socket.send_json({"type": "ping"})
            await socket.send_json({"type": "connection_ack"})
        elif message["type"] == "subscribe":
            wanted = message["payload"]
            results = await schema().subscribe(
                wanted["query"], variable_values=wanted["variables"], context_value=asked
            )
            async for result in results:
                errors = {"errors": [error.formatted for error in result.errors]} if result.errors else {}
                payload = {"data": result.data, **errors}
                await socket.send_json({"id": message["id"], "type": "next", "payload": payload})
            await socket.send_json({"id": message["id"], "type": "complete"})


@contextlib.contextmanager
def running(usecases: object, data: Path) -> Iterator[FakeNode]:
    """A node that answers for ``data`` while the block runs, in a thread of its own."""
    node, loop, started = FakeNode(usecases), asyncio.new_event_loop(), threading.Event()

    async def serve() -> None:
        runner = web.AppRunner(node.app(), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        node.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="fake node")
    with capture_logs():
        thread.start()
        try:
            assert started.wait(10)
            (data / "run").mkdir(parents=True, exist_ok=True)
            (data / "run" / "access.json").write_text(json.dumps({"url": node.url, "token": TOKEN}))
            yield node
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()
