"""Puts the API on the web: queries and changes by POST, everything live by WebSocket, nothing by GET.

Who calls is for ``get_context`` to find out, from the request or the WebSocket's handshake. Whether a page of another
origin may call is for the caller of ``mount`` to decide, before a request gets here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from graphql import GraphQLError
from quart import Quart, Request, Response, Websocket
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.quart.views import GraphQLView
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.types import ExecutionResult
from werkzeug.exceptions import BadRequest

from federation.errors import DeniedError
from node.graphql.access import require
from node.graphql.context import Context
from node.graphql.errors import presented
from node.graphql.schema import schema
from node.model.account import Role

PATH: Final = "/graphql"
_SUBSCRIPTIONS_PER_CONNECTION: Final = 32
_INIT_SECONDS: Final = 10
_HEARTBEAT_SECONDS: Final = 20.0

GetContext = Callable[[Request | Websocket], Awaitable[Context]]


def _is_whole(message: Any) -> bool:
    """Whether a message has the form of the protocol, as far as the library relies on it without looking."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] == "complete":
        return isinstance(message.get("id"), str)
    if message["type"] != "subscribe":
        return True
    wanted = message.get("payload")
    return (
        isinstance(message.get("id"), str)
        and isinstance(wanted, dict)
        and isinstance(wanted.get("query"), str)
        and isinstance(wanted.get("variables"), dict | None)
        and isinstance(wanted.get("operationName"), str | None)
    )


class _Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """Refuses broken messages, and sends pings, as no server below does.

    By the pings a connection that died silently is found, and its subscriptions end.
    """

    async def handle_message(self, message: Any) -> None:
        if _is_whole(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("not a message of graphql-transport-ws")

    async def handle(self) -> None:
        async with asyncio.TaskGroup() as group:
            beating = group.create_task(self._beat())
            try:
                await super().handle()
            finally:
                beating.cancel()

    async def _beat(self) -> None:
        with suppress(WebSocketDisconnected):
            while True:
                await asyncio.sleep(_HEARTBEAT_SECONDS)
                await self.send_message({"type": "ping"})


class _View(GraphQLView[Context, None]):
    methods = ["POST"]  # noqa: RUF012  # the framework's own declaration
    init_every_request = False
    graphql_transport_ws_handler_class = _Handler

    def __init__(self, get_context: GetContext) -> None:
        super().__init__(
            schema=schema(),
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=_INIT_SECONDS),
            max_subscriptions_per_connection=_SUBSCRIPTIONS_PER_CONNECTION,
        )
        self._get_context = get_context

    def parse_json(self, data: str | bytes) -> Any:
        """A request's body, which is an object."""
        found = super().parse_json(data)
        if not isinstance(found, dict):
            raise BadRequest("send one JSON object with a query")
        return found

    async def get_context(self, request: Request | Websocket, response: Response) -> Context:  # noqa: ARG002  # the framework's form
        return await self._get_context(request)

    async def execute_single(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Refuse strangers before their text is parsed."""
        context: Context = kwargs["context"]
        try:
            require(context.person, Role.VIEWER)
        except DeniedError as error:
            return ExecutionResult(data=None, errors=[presented(GraphQLError(error.message, original_error=error))])
        return await super().execute_single(*args, **kwargs)

    async def on_ws_connect(self, context: Context) -> None:
        """Refuse strangers with close code 4403."""
        if context.person is None:
            raise ConnectionRejectionError


def mount(app: Quart, get_context: GetContext) -> None:
    """Answer at ``/graphql`` of ``app``; ``get_context`` is awaited once per request or WebSocket."""
    view = _View.as_view("graphql", get_context=get_context)
    app.add_url_rule(PATH, view_func=view, methods=["POST"])
    app.add_url_rule(PATH, endpoint="graphql_live", view_func=view, methods=["GET"], websocket=True)
