"""A node for developing and testing the page alone: serves ui/dist and answers from sample data kept in memory.

It holds no rules of a real node but those that the page leans on: one-time log-in links, a cookie, the schema as
committed, and subscriptions over graphql-transport-ws. Run by itself it shows the page for development:
``python -m tests.support.ui_fake_node``.
"""

import asyncio
import contextlib
import itertools
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import WSMsgType, web
from graphql import ExecutionResult, GraphQLError, build_schema, execute, parse, subscribe, validate
from graphql.pyutils import is_awaitable

from tests.support import ui_sample
from tests.support.ui_fake_builds import UiFakeBuilds
from tests.support.ui_fake_changes import UiFakeChanges
from tests.support.ui_values import Document, ago

ROOT: Final = Path(__file__).resolve().parents[2]
DIST: Final = ROOT / "ui" / "dist"
_COOKIE: Final = "vupdate_session"
# The policy under which a real node serves the page.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class UiFakeNode:
    """The data it shows may be changed at any time; ``tell`` then makes the page read it again."""

    def __init__(self, data: Document) -> None:
        self.data = data
        self.logs: dict[str, list[Document]] = {}
        self.requests: list[str] = []
        self.changes = UiFakeChanges(lambda: self.data, self.tell)
        self.builds = UiFakeBuilds(lambda: self.data, self.tell)
        self._schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
        self._links: set[str] = set()
        self._sessions: set[str] = set()
        self._listeners: set[asyncio.Queue[Document]] = set()
        self._sockets: set[web.WebSocketResponse] = set()

    def login_link(self, url: str) -> str:
        """A link that logs in once."""
        secret = secrets.token_urlsafe(24)
        self._links.add(secret)
        return f"{url}/#/login/{secret}"

    def tell(self, *topics: str) -> None:
        """Hint that something of ``topics`` changed."""
        for topic, listener in itertools.product(topics, list(self._listeners)):
            listener.put_nowait({"topic": topic, "subject": ""})

    def say(self, task: str, message: str, level: str = "INFO") -> None:
        """Add a line to a task's log."""
        lines = self.logs.setdefault(task, [])
        lines.append({"sequence": len(lines) + 1, "time": ago(0), "level": level, "unit": "", "message": message})
        self.tell("LOGS")

    def find_service(self, name: str) -> Document:
        """The service ``name``, to be changed in place."""
        return next(one for one in self.data["services"] if one["name"] == name)

    async def drop_connections(self) -> None:
        """Break all live connections, as a restart does."""
        for socket in list(self._sockets):
            await socket.close(code=1012)

    def end_sessions(self) -> None:
        """Forget who is logged in."""
        self._sessions.clear()

    def app(self) -> web.Application:
        """The routes."""
        app = web.Application()
        app.router.add_get("/graphql", self._socket)
        app.router.add_post("/graphql", self._query)
        app.router.add_post("/auth/login", self._login)
        app.router.add_post("/auth/logout", self._logout)
        app.router.add_get("/", self._page)
        app.router.add_get("/{name}", self._page)
        app.router.add_get("/assets/{name}", self._page)
        return app

    async def _page(self, request: web.Request) -> web.StreamResponse:
        name = request.path.lstrip("/") or "index.html"
        path = DIST / name
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})

    async def _login(self, request: web.Request) -> web.Response:
        secret = (await request.json())["secret"]
        if secret not in self._links:
            body = {"code": "denied", "message": "this log-in link has been used or has expired"}
            return web.json_response(body, status=403)
        self._links.remove(secret)
        session = secrets.token_urlsafe(16)
        self._sessions.add(session)
        response = web.Response(status=204)
        response.set_cookie(_COOKIE, session, httponly=True, samesite="Strict")
        return response

    async def _logout(self, request: web.Request) -> web.Response:
        self._sessions.discard(request.cookies.get(_COOKIE, ""))
        response = web.Response(status=204)
        response.del_cookie(_COOKIE)
        return response

    def _known(self, request: web.Request) -> bool:
        return request.cookies.get(_COOKIE) in self._sessions

    async def _query(self, request: web.Request) -> web.Response:
        body = await request.json()
        document = parse(body["query"])
        self.requests.append(str(body.get("operationName")))
        if not self._known(request):
            error = GraphQLError("you are not logged in", extensions={"code": "denied"})
            return web.json_response({"data": None, "errors": [error.formatted]})
        mistakes = validate(self._schema, document)
        if mistakes:
            return web.json_response({"errors": [one.formatted for one in mistakes]})
        result = execute(self._schema, document, self._root(), variable_values=body.get("variables"))
        if is_awaitable(result):
            result = await result
        assert isinstance(result, ExecutionResult)
        return web.json_response(result.formatted)

    def _root(self) -> Document:
        def page(name: str) -> Any:
            return lambda _info, first=50, **_filters: self.data[name][:first]

        def one(name: str) -> Any:
            return lambda _info, **key: next((x for x in self.data[name] if x["id"] == key["id"]), None)

        lists = {name: page(name) for name in ("tasks", "faults", "alarms", "outbox")}
        own = {**self.data, **lists, **self.changes.root(), **self.builds.root()}

        def runs(_info: Any, instance: str, service: str) -> Any:
            return self.data["runs"].get(f"{instance}/{service}", [])

        def logs(_info: Any, run: str, first: int, **_filters: Any) -> Any:
            return self.data["logs"].get(run, [])[:first]

        return {
            **own,
            "runs": runs,
            "logs": logs,
            "fault": one("faults"),
            "task": one("tasks"),
            "taskLog": self._log_page,
        }

    def _log_page(self, _info: Any, id: str, after: int = 0, first: int = 1000) -> list[Document]:  # noqa: A002  # its name
        return [line for line in self.logs.get(id, []) if line["sequence"] > after][:first]

    # graphql-transport-ws

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
        await socket.prepare(request)
        if not self._known(request):
            await socket.close(code=4403, message=b"Forbidden")
            return socket
        self._sockets.add(socket)
        try:
            async with asyncio.TaskGroup() as streams:
                await self._serve(socket, streams)
                raise asyncio.CancelledError  # ends the streams with their socket
        except asyncio.CancelledError:
            return socket
        finally:
            self._sockets.discard(socket)

    async def _serve(self, socket: web.WebSocketResponse, streams: asyncio.TaskGroup) -> None:
        running: dict[str, asyncio.Task[None]] = {}
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            body = json.loads(message.data)
            match body["type"]:
                case "connection_init":
                    await socket.send_json({"type": "connection_ack"})
                case "ping":
                    await socket.send_json({"type": "pong"})
                case "subscribe":
                    stream = self._stream(socket, body["id"], body["payload"])
                    running[body["id"]] = streams.create_task(stream)
                case "complete":
                    running.pop(body["id"]).cancel()

    async def _stream(self, socket: web.WebSocketResponse, key: str, payload: Document) -> None:
        root = {"changes": self._changes, "taskLog": self._follow_log}
        document, variables = parse(payload["query"]), payload.get("variables")
        source: Any = subscribe(self._schema, document, root, variable_values=variables)
        results = await source if is_awaitable(source) else source
        if isinstance(results, ExecutionResult):
            errors = [error.formatted for error in results.errors or []]
            await socket.send_json({"id": key, "type": "error", "payload": errors})
            return
        with contextlib.suppress(ConnectionError):
            async for result in results:
                await socket.send_json({"id": key, "type": "next", "payload": result.formatted})
            await socket.send_json({"id": key, "type": "complete"})

    async def _changes(self, _info: Any, topics: list[str] | None = None) -> AsyncIterator[Document]:
        async with self._listening() as hints:
            while True:
                change = await hints.get()
                if topics is None or change["topic"] in topics:
                    yield {"changes": change}

    async def _follow_log(self, info: Any, id: str, after: int = 0) -> AsyncIterator[Document]:  # noqa: A002  # its name
        async with self._listening() as hints:
            while True:
                for line in self._log_page(info, id, after):
                    after = line["sequence"]
                    yield {"taskLog": line}
                found = next((one for one in self.data["tasks"] if one["id"] == id), None)
                if found is None or found["ended"] is not None:
                    return
                await hints.get()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[asyncio.Queue[Document]]:
        hints: asyncio.Queue[Document] = asyncio.Queue()
        self._listeners.add(hints)
        try:
            yield hints
        finally:
            self._listeners.discard(hints)


@asynccontextmanager
async def served(node: UiFakeNode, port: int = 0) -> AsyncIterator[str]:
    """Serve ``node`` on loopback; the value is its URL."""
    runner = web.AppRunner(node.app(), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, chosen = runner.addresses[0][:2]
        yield f"http://{host}:{chosen}"
    finally:
        await runner.cleanup()


async def _main() -> None:
    node = UiFakeNode(ui_sample.globex())
    async with served(node, 8420) as url:
        print(node.login_link(url))
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
