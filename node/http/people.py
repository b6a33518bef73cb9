"""What people's browsers ask apart from GraphQL: log-in, log-out, health, and the pages themselves."""

import mimetypes
from pathlib import Path
from typing import Final

import aiofiles
import msgspec
from quart import Response

from federation.errors import AbsentError, InvalidValueError
from node.http.authentication import session_cookie
from node.http.peers import json_response
from node.http.route import Access, Call, Route
from node.usecases import Usecases

_PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_SECRET_CHARS: Final = 200


class _Login(msgspec.Struct):
    secret: str


class PeopleRoutes:
    """The routes for browsers. ``pages``: the folder of the built UI, if there is one."""

    def __init__(self, usecases: Usecases, pages: Path | None) -> None:
        self._use = usecases
        self._cookie = session_cookie(usecases.identity.id)
        # Only files that were there at the start are ever served, by their exact names.
        found = [path for path in pages.rglob("*") if path.is_file()] if pages else []
        self._files = {path.relative_to(pages).as_posix(): path for path in found if pages}

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(method="GET", rule="/", access=Access.PUBLIC, handle=self.index),
            Route(method="GET", rule="/<name>", access=Access.PUBLIC, handle=self.page),
            Route(method="GET", rule="/assets/<name>", access=Access.PUBLIC, handle=self.asset),
            Route(method="GET", rule="/health", access=Access.PUBLIC, handle=self.health),
            Route(method="POST", rule="/auth/login", access=Access.PUBLIC, handle=self.login),
            Route(method="POST", rule="/auth/logout", access=Access.PERSON, handle=self.logout),
        )

    async def index(self, _call: Call) -> Response:
        """The one page of the UI."""
        if "index.html" not in self._files:
            return Response("The pages of this node were not built; its API works.\n", 503, mimetype="text/plain")
        return await self._file("index.html", "no-cache")

    async def page(self, call: Call) -> Response:
        """A file beside the page, e.g. its icon."""
        return await self._file(call.path["name"], "no-cache")

    async def asset(self, call: Call) -> Response:
        """A file whose name changes with its content."""
        return await self._file(f"assets/{call.path['name']}", "public, max-age=31536000, immutable")

    async def health(self, _call: Call) -> Response:
        """That the node answers. Says no more: anybody may ask."""
        return json_response({"status": "ok"})

    async def login(self, call: Call) -> Response:
        """Use a log-in link's secret; the session is a cookie that scripts can't read."""
        try:
            secret = msgspec.json.decode(call.body, type=_Login).secret[:_SECRET_CHARS]
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidValueError('log in by {"secret": "…"}') from error
        session = await self._use.accounts.login(secret)
        response = Response(b"", 204)
        response.set_cookie(
            self._cookie,
            session.secret,
            max_age=session.valid_seconds,
            httponly=True,
            samesite="Strict",
            secure=self._use.identity.url.startswith("https:"),
        )
        return response

    async def logout(self, call: Call) -> Response:
        """End the session."""
        await self._use.accounts.logout(call.cookies.get(self._cookie, ""))
        response = Response(b"", 204)
        response.delete_cookie(self._cookie, httponly=True, samesite="Strict")
        return response

    async def _file(self, name: str, caching: str) -> Response:
        path = self._files.get(name)
        if path is None:
            raise AbsentError("there is no such page")
        async with aiofiles.open(path, "rb") as stream:
            content = await stream.read()
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(content, mimetype=kind, headers={**_PAGE_HEADERS, "Cache-Control": caching})
