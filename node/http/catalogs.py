"""The catalogues as TUF clients read them, and the stream that tells a consumer when to look again.

Who may read which catalogue decides the use case; a public one is for everybody. A consumer signs its requests.
"""

import asyncio
from pathlib import Path
from typing import Final

from quart import Response

from federation.errors import AbsentError, InvalidValueError
from federation.limits import KIB
from federation.link.events import Event
from federation.names import ProfileName
from node.http.files import FileResponse
from node.http.route import Access, Call, Route
from node.http.streams import Feed, event_stream
from node.model.peer import Right
from node.usecases import Usecases
from node.usecases.catalogs import NoCatalogError
from node.usecases.changes import Topic

_SMALL_BYTES: Final = 64 * KIB
_CHANGING: Final = "timestamp.json"
_IMMUTABLE: Final = "max-age=31536000, immutable"
_JSON: Final = "application/json"


class CatalogRoutes:
    """The routes under ``/catalogs``, and the consumers' event stream."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        base = "/catalogs/<profile>"
        reader = Access.READER
        return (
            Route(method="GET", rule=f"{base}/metadata/<name>", access=reader, handle=self.metadata),
            Route(method="GET", rule=f"{base}/targets/<path:path>", access=reader, handle=self.target),
            Route(method="GET", rule="/federation/v1/events", access=Access.CONSUMER, handle=self.events),
        )

    async def metadata(self, call: Call) -> Response:
        """One file of TUF metadata. That there is no next root is a plain 404: so a client learns it has the newest."""
        name = call.path["name"]
        path = await self._use.catalogs.metadata(call.reader, _profile(call), name)
        if call.reader is not None and name == _CHANGING:
            await self._use.links.seen(call.reader.name)
        return await _file(path, "no-cache" if name == _CHANGING else _cached(call))

    async def target(self, call: Call) -> Response:
        """One target, asked for under its hash."""
        path = await self._use.catalogs.target(call.reader, _profile(call), call.path["path"])
        return await _file(path, _cached(call))

    async def events(self, call: Call) -> Response:
        """Tell of each change of the caller's catalogue and of its link, until the link is another one."""
        consumer = call.consumer

        async def newest() -> Event:
            present = await self._use.links.consumer_of_id(consumer.id) or consumer
            serial = await self._use.catalogs.serial(present.profile) if Right.TAKE in present.rights else 0
            data = f'{{"serial":{serial},"link":{present.revision}}}'
            return Event(id=f"{serial}.{present.revision}", name="catalog", data=data)

        async def allowed() -> bool:
            present = await self._use.links.consumer_of_id(consumer.id)
            return present is not None and (present.profile, present.rights) == (consumer.profile, consumer.rights)

        feed = Feed(
            topics=frozenset({Topic.CATALOGS, Topic.PROFILES, Topic.LINKS}),
            subjects={
                Topic.CATALOGS: consumer.profile,
                Topic.PROFILES: consumer.profile,
                Topic.LINKS: consumer.name,
            },
            newest=newest,
            allowed=allowed,
            presence=lambda: self._use.presence.connected(consumer.id, Topic.LINKS, consumer.name),
        )
        return event_stream(self._use.changes, feed)


def _profile(call: Call) -> ProfileName:
    try:
        return ProfileName(call.path["profile"])
    except InvalidValueError as error:
        raise NoCatalogError from error


def _cached(call: Call) -> str:
    """How long a file whose name changes with its content may be kept, and whether by others than its reader."""
    return f"{'public' if call.reader is None else 'private'}, {_IMMUTABLE}"


async def _file(path: Path, caching: str) -> Response:
    """A file of a catalogue: small ones as a body, which is faster than a file sent by the server."""
    headers = {"Cache-Control": caching, "X-Content-Type-Options": "nosniff"}
    try:
        size, content = await asyncio.to_thread(_read, path)
    except FileNotFoundError as error:
        raise AbsentError("the catalogue has moved on: read its timestamp again") from error
    if content is not None:
        return Response(content, mimetype=_JSON, headers=headers)
    response = FileResponse(path, size, headers)
    response.mimetype = _JSON
    return response


def _read(path: Path) -> tuple[int, bytes | None]:
    """The size of a file, and its content if that is little."""
    with path.open("rb") as stream:
        content = stream.read(_SMALL_BYTES + 1)
        return (len(content), content) if len(content) <= _SMALL_BYTES else (path.stat().st_size, None)
