"""What linked consumers may do beside taking what a catalogue lists: make the link, and send things up."""

from quart import Response

from federation import codec
from federation.link.messages import Redeem
from node.http.route import Access, Call, Route
from node.usecases import Usecases


def envelope_response(content: bytes) -> Response:
    """A signed envelope."""
    return Response(content, mimetype="application/vnd.dsse+json")


def json_response(value: object) -> Response:
    """A value as JSON."""
    return Response(codec.encode(value), mimetype="application/json")


class PeerRoutes:
    """The routes under ``/federation/v1``."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        base = "/federation/v1"
        return (Route(method="POST", rule=f"{base}/links", access=Access.NEWCOMER, handle=self.link),)

    async def link(self, call: Call) -> Response:
        """Redeem an invitation."""
        return envelope_response(await self._use.links.redeem(codec.decode(call.body, Redeem)))
