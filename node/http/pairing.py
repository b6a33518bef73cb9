"""What a node that wants to pair may ask: to begin, to open its commitment, to confirm, and how it stands.

Whoever signs by the key that he brings may begin; from then on that key alone may ask, and only of its own pairing.
"""

from quart import Response

from federation import codec
from federation.identity import NodeId
from federation.link.pairing import Confirm, Handover, Proposal, Reveal
from node.http.peers import envelope_response
from node.http.route import Access, Call, Route
from node.usecases import Usecases
from node.usecases.pairing import PATH


class PairingRoutes:
    """The routes under ``/federation/v1/pairings``."""

    def __init__(self, usecases: Usecases) -> None:
        self._responder = usecases.pairing.responder

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        one, paired = f"{PATH}/<pairing>", Access.PAIRING
        return (
            Route(method="POST", rule=PATH, access=Access.NEWCOMER, handle=self.propose),
            Route(method="GET", rule=one, access=paired, handle=self.state),
            Route(method="POST", rule=f"{one}/reveal", access=paired, handle=self.reveal),
            Route(method="POST", rule=f"{one}/confirm", access=paired, handle=self.confirm),
            Route(method="POST", rule=f"{one}/link", access=paired, handle=self.link),
            Route(method="POST", rule=f"{one}/reject", access=paired, handle=self.reject),
        )

    async def propose(self, call: Call) -> Response:
        """Begin a pairing."""
        return envelope_response(await self._responder.propose(codec.decode(call.body, Proposal)))

    async def reveal(self, call: Call) -> Response:
        """Open the commitment."""
        return envelope_response(await self._responder.reveal(*_which(call), codec.decode(call.body, Reveal)))

    async def confirm(self, call: Call) -> Response:
        """The initiator's operator confirmed."""
        return envelope_response(await self._responder.confirm(*_which(call), codec.decode(call.body, Confirm)))

    async def link(self, call: Call) -> Response:
        """Take the link that the initiator made as the provider."""
        return envelope_response(await self._responder.handover(*_which(call), codec.decode(call.body, Handover)))

    async def reject(self, call: Call) -> Response:
        """The initiator's operator ended it."""
        return envelope_response(await self._responder.reject(*_which(call)))

    async def state(self, call: Call) -> Response:
        """How it stands."""
        return envelope_response(await self._responder.state(*_which(call)))


def _which(call: Call) -> tuple[str, NodeId]:
    return call.path["pairing"], call.signer.id
