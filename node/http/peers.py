"""What linked consumers may do beside taking what a catalogue lists: make the link, and ask who built a version."""

from quart import Response

from federation import codec
from federation.errors import AbsentError
from federation.link.messages import ProvenanceList, Redeem
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from node.http.route import Access, Call, Route
from node.model.desired import ListKind
from node.model.peer import Right
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
        return (
            Route(method="POST", rule=f"{base}/links", access=Access.NEWCOMER, handle=self.link),
            Route(
                method="GET",
                rule=f"{base}/provenance/<service>/<version>",
                access=Access.CONSUMER,
                right=Right.TAKE,
                handle=self.provenance,
            ),
        )

    async def link(self, call: Call) -> Response:
        """Redeem an invitation."""
        return envelope_response(await self._use.links.redeem(codec.decode(call.body, Redeem)))

    async def provenance(self, call: Call) -> Response:
        """Who built a version in the consumer's catalogue."""
        service, version = ServiceName(call.path["service"]), DeveloperVersion(call.path["version"])
        try:
            stored = await self._use.versions.get(ListKind.DEVELOPER, service, version)
            await self._use.catalogs.allowed_image(call.consumer, stored.image)
        except AbsentError:
            # The same words for what is not here and for what is not his.
            raise AbsentError("there is no such version in your catalogue: read its newest state") from None
        found = await self._use.provenances.of(service, version)
        return json_response(ProvenanceList(envelopes=tuple(one.envelope for one in found)))
