"""Work for consumers that call in for it, and their answers to what they were asked."""

from quart import Response

from federation import codec
from federation.link.work import PATH, WorkAnswer, WorkCall
from node.http.peers import json_response
from node.http.route import Access, Call, Route
from node.usecases import Usecases


class WorkRoutes:
    """The routes of builders that can't be dialled, under ``/federation/v1``.

    No right is asked for: it is this node that asks for something here, and only those whom its operator named.
    """

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(method="POST", rule=PATH, access=Access.CONSUMER, handle=self.call),
            Route(method="POST", rule=f"{PATH}/<number>", access=Access.CONSUMER, handle=self.answer),
        )

    async def call(self, call: Call) -> Response:
        """What the caller is asked; waits a while for something."""
        return json_response(await self._use.callers.call(call.consumer, codec.decode(call.body, WorkCall)))

    async def answer(self, call: Call) -> Response:
        """Take the answer to a question."""
        self._use.callers.answer(call.consumer, call.path["number"], codec.decode(call.body, WorkAnswer))
        return Response(status=204)
