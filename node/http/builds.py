"""Builds for consumers that were granted it: the order, how it stands, and what came out."""

from quart import Response

from federation import codec
from federation.errors import InvalidValueError
from federation.limits import SERIAL
from federation.link.builds import BuildOrder, Sealed
from node.http.files import ServedFile, file_response
from node.http.peers import json_response
from node.http.route import Access, Call, Route
from node.model.orders import Asker
from node.model.peer import Right
from node.usecases import Usecases


def _after(call: Call) -> int:
    text = call.query.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= SERIAL):
        raise InvalidValueError("'after' is the number of a line of the log")
    return int(text)


def _asker(call: Call) -> Asker:
    return Asker(id=call.consumer.id, name=call.consumer.name)


class BuildRoutes:
    """The routes of ordered builds, under ``/federation/v1``."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        base = "/federation/v1"
        return tuple(
            Route(method=method, rule=f"{base}/{rule}", access=Access.CONSUMER, right=Right.BUILDS, handle=handle)
            for method, rule, handle in (
                ("GET", "builder", self.builder),
                ("POST", "builds", self.order),
                ("GET", "builds/<build>", self.report),
                ("POST", "builds/<build>/cancel", self.cancel),
                ("GET", "builds/<build>/pack", self.pack),
                ("POST", "builds/<build>/sealed", self.sealed),
            )
        )

    async def builder(self, _call: Call) -> Response:
        """Whether another order would be taken now."""
        return json_response(await self._use.workshop.state())

    async def order(self, call: Call) -> Response:
        """Take a build on."""
        return json_response(await self._use.workshop.take(_asker(call), codec.decode(call.body, BuildOrder)))

    async def report(self, call: Call) -> Response:
        """How the caller's order stands; waits a while for news."""
        found = await self._use.workshop.report(_asker(call), call.path["build"], after=_after(call))
        return json_response(found)

    async def cancel(self, call: Call) -> Response:
        """Stop the caller's order, or forget what it gave."""
        return json_response(await self._use.workshop.cancel(_asker(call), call.path["build"]))

    async def sealed(self, call: Call) -> Response:
        """Take what the caller hands over for its order."""
        self._use.workshop.take_over(_asker(call), call.path["build"], codec.decode(call.body, Sealed).content)
        return Response(status=204)

    async def pack(self, call: Call) -> Response:
        """The whole image that the caller's order gave."""
        found = self._use.workshop.pack(_asker(call), call.path["build"])
        # It does not change any more: its name and size tell it from all others.
        size = found.stat().st_size
        return file_response(ServedFile(path=found, size=size, etag=f"{call.path['build']}-{size}"), call.headers, {})
