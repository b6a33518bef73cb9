"""What linked consumers may ask: the offer made to them, its manifests and packs; and what they may send up."""

from quart import Response

from federation import codec
from federation.digest import Digest
from federation.fault import FaultReport
from federation.link.events import Event
from federation.link.messages import Redeem
from federation.transfer.packstore import Pack
from node.http.files import FileResponse
from node.http.route import Access, Call, Route
from node.http.streams import Feed, event_stream
from node.usecases import Usecases
from node.usecases.changes import Topic


def envelope_response(content: bytes) -> Response:
    """A signed envelope."""
    return Response(content, mimetype="application/vnd.dsse+json")


def json_response(value: object) -> Response:
    """A value as JSON."""
    return Response(codec.encode(value), mimetype="application/json")


def pack_response(pack: Pack) -> FileResponse:
    """A pack, with what it rests on and what the whole image would have cost."""
    headers = {"Vupdate-Pack-Base": str(pack.base or ""), "Vupdate-Full-Bytes": str(pack.full_bytes)}
    return FileResponse(pack.path, pack.size, headers)


def wanted_base(call: Call) -> Digest | None:
    """The image that the caller says to have."""
    text = call.query.get("from", "")
    return Digest(text) if text else None


class PeerRoutes:
    """The routes under ``/federation/v1``."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        base = "/federation/v1"
        consumer = Access.CONSUMER
        return (
            Route(method="POST", rule=f"{base}/links", access=Access.NEWCOMER, handle=self.link),
            Route(method="GET", rule=f"{base}/offer", access=consumer, handle=self.offer),
            Route(method="GET", rule=f"{base}/manifests/<digest>", access=consumer, handle=self.manifest),
            Route(method="GET", rule=f"{base}/packs/<image>", access=consumer, handle=self.pack),
            Route(method="GET", rule=f"{base}/events", access=consumer, handle=self.events),
            Route(method="POST", rule=f"{base}/faults", access=consumer, handle=self.fault),
        )

    async def link(self, call: Call) -> Response:
        """Redeem an invitation."""
        return envelope_response(await self._use.links.redeem(codec.decode(call.body, Redeem)))

    async def offer(self, call: Call) -> Response:
        """The signed offer for the caller."""
        await self._use.links.seen(call.consumer.name)
        return envelope_response(await self._use.offers.offer(call.consumer))

    async def manifest(self, call: Call) -> Response:
        """One manifest on offer."""
        return envelope_response(await self._use.offers.manifest(call.consumer, Digest(call.path["digest"])))

    async def pack(self, call: Call) -> Response:
        """The cheapest pack to an image on offer."""
        return pack_response(await self._use.offers.pack(call.consumer, Digest(call.path["image"]), wanted_base(call)))

    async def fault(self, call: Call) -> Response:
        """Take a fault report."""
        report = codec.decode(call.body, FaultReport)
        return json_response(await self._use.faults.from_consumer(call.consumer, report))

    async def events(self, call: Call) -> Response:
        """Tell of each change of the offer."""
        consumer = call.consumer

        async def newest() -> Event:
            serial = await self._use.offers.serial()
            return Event(id=str(serial), name="offer", data=f'{{"serial":{serial}}}')

        async def allowed() -> bool:
            present = await self._use.links.consumer_of_id(consumer.id)
            return present is not None and present.profile == consumer.profile

        feed = Feed(
            topics=frozenset({Topic.DESIRED, Topic.PROFILES, Topic.LINKS}),
            newest=newest,
            allowed=allowed,
            presence=lambda: self._use.presence.connected(consumer.id, Topic.LINKS, consumer.name),
        )
        return event_stream(self._use.changes, feed)
