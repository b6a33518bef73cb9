"""Takes the word of consumers that their key changed, and tells agents of this node's own changes."""

from quart import Response

from federation import codec
from federation.keychange import AGENT_PATH, INTRODUCTION_PATH, KeyIntroduction, to_document
from node.http.route import Access, Call, Route
from node.usecases import Usecases


class KeyRoutes:
    """The routes by which changes of keys travel beside catalogues."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(method="POST", rule=INTRODUCTION_PATH, access=Access.NEWCOMER, handle=self.introduce),
            Route(method="GET", rule=AGENT_PATH, access=Access.AGENT, handle=self.own),
        )

    async def introduce(self, call: Call) -> Response:
        """Know a consumer by the key that the request was signed by."""
        await self._use.key_changes.introduce(codec.decode(call.body, KeyIntroduction))
        return Response(b"", 204)

    async def own(self, _call: Call) -> Response:
        """The key changes of this node."""
        envelopes = await self._use.key_changes.envelopes(self._use.identity.name)
        return Response(to_document(envelopes), mimetype="application/json")
