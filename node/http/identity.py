"""Answers whoever asks who this node is, by a signed proof over his nonce."""

from quart import Response

from federation.link.identity_proof import IDENTITY_PATH
from node.http.peers import envelope_response
from node.http.route import Access, Call, Route
from node.usecases import Usecases


class IdentityRoutes:
    """The one route that a stranger may ask before he trusts anything."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (Route(method="GET", rule=IDENTITY_PATH, access=Access.PUBLIC, handle=self.identity),)

    async def identity(self, call: Call) -> Response:
        """The proof that this node answers."""
        response = envelope_response(self._use.proofs.prove(call.query.get("nonce", "")))
        response.headers["Cache-Control"] = "no-store"
        return response
