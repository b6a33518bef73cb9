"""Packs, and single contents, for consumers and for agents: the same answers under each one's own rules.

A file has a strong entity tag and can be asked for by ranges, so that a broken download goes on where it ended. Who may
have what, the use cases say.
"""

from quart import Response

from federation.digest import Digest
from federation.transfer.format import BASE_FIELD, FULL_BYTES_FIELD
from federation.transfer.packstore import Pack
from node.http.files import ServedFile, file_response
from node.http.route import Access, Call, Route
from node.model.peer import Right
from node.usecases import Usecases


def wanted_base(call: Call) -> Digest | None:
    """The image that the caller says to have."""
    text = call.query.get("from", "")
    return Digest(text) if text else None


def pack_response(pack: Pack, call: Call) -> Response:
    """A pack, with what it rests on and what the whole image would have cost."""
    headers = {BASE_FIELD: str(pack.base or ""), FULL_BYTES_FIELD: str(pack.full_bytes)}
    return file_response(ServedFile(path=pack.path, size=pack.size, etag=pack.digest), call.headers, headers)


class PackRoutes:
    """The routes to packs and contents, under ``/federation/v1`` and under ``/agent/v1``."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                method="GET",
                rule="/federation/v1/packs/<image>",
                access=Access.CONSUMER,
                right=Right.TAKE,
                handle=self.consumers_pack,
            ),
            Route(
                method="GET",
                rule="/federation/v1/images/<image>/contents/<digest>",
                access=Access.CONSUMER,
                right=Right.TAKE,
                handle=self.consumers_content,
            ),
            Route(method="GET", rule="/agent/v1/packs/<image>", access=Access.AGENT, handle=self.agents_pack),
            Route(
                method="GET",
                rule="/agent/v1/images/<image>/contents/<digest>",
                access=Access.AGENT,
                handle=self.agents_content,
            ),
        )

    async def consumers_pack(self, call: Call) -> Response:
        """The cheapest pack to an image in the consumer's catalogue."""
        image = Digest(call.path["image"])
        await self._use.catalogs.allowed_image(call.consumer, image)
        return await self._pack(call, await self._use.catalogs.allowed_base(call.consumer, wanted_base(call)), image)

    async def consumers_content(self, call: Call) -> Response:
        """One content of an image in the consumer's catalogue, compressed as it is stored."""
        image = Digest(call.path["image"])
        await self._use.catalogs.allowed_image(call.consumer, image)
        return await self._content(call, image)

    async def agents_pack(self, call: Call) -> Response:
        """The cheapest pack to an image that the agent is to run."""
        image = Digest(call.path["image"])
        await self._use.instances.allowed_image(call.agent.name, image)
        return await self._pack(call, await self._use.instances.allowed_base(wanted_base(call)), image)

    async def agents_content(self, call: Call) -> Response:
        """One content of an image that the agent is to run, compressed as it is stored."""
        image = Digest(call.path["image"])
        await self._use.instances.allowed_image(call.agent.name, image)
        return await self._content(call, image)

    async def _pack(self, call: Call, base: Digest | None, image: Digest) -> Response:
        self._use.packs.asked(base, image)
        return pack_response(await self._use.images.pack(base, image), call)

    async def _content(self, call: Call, image: Digest) -> Response:
        found = await self._use.images.content(image, Digest(call.path["digest"]))
        return file_response(ServedFile(path=found.path, size=found.size, etag=found.etag), call.headers)
