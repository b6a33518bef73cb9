"""Puts the routes and the GraphQL API of one node together as a Quart application."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from quart import Quart, Request, Response, Websocket, request
from werkzeug.exceptions import HTTPException

from federation import limits
from federation.clock import Clock
from federation.errors import VUpdateError
from federation.link.request import joined_headers
from node.graphql.context import Context
from node.graphql.view import mount
from node.http.agents import AgentRoutes
from node.http.authentication import Authentication
from node.http.builds import BuildRoutes
from node.http.catalogs import CatalogRoutes
from node.http.errors import answer_of
from node.http.files import Connection
from node.http.identity import IdentityRoutes
from node.http.keys import KeyRoutes
from node.http.packs import PackRoutes
from node.http.pairing import PairingRoutes
from node.http.peers import PeerRoutes
from node.http.people import PeopleRoutes
from node.http.reports import ReportRoutes
from node.http.route import Call, Route
from node.http.schemas import SchemaRoutes
from node.http.work import WorkRoutes
from node.usecases import Usecases

_BODY_SECONDS = 60


def pages_folder() -> Path | None:
    """Where the built UI is: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).parent
    for folder in (here / "ui_dist", here.parent / "ui" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None


def all_routes(usecases: Usecases, pages: Path | None) -> tuple[Route, ...]:
    """Every route of a node but GraphQL, whose fields declare their roles one by one."""
    return (
        *CatalogRoutes(usecases).routes(),
        *PeerRoutes(usecases).routes(),
        *BuildRoutes(usecases).routes(),
        *WorkRoutes(usecases).routes(),
        *ReportRoutes(usecases).routes(),
        *IdentityRoutes(usecases).routes(),
        *PairingRoutes(usecases).routes(),
        *KeyRoutes(usecases).routes(),
        *AgentRoutes(usecases).routes(),
        *PackRoutes(usecases).routes(),
        *SchemaRoutes().routes(),
        *PeopleRoutes(usecases, pages).routes(),
    )


def _view(route: Route, authentication: Authentication) -> Callable[..., Awaitable[Response]]:
    async def view(**path: str) -> Response:
        body = await _body() if route.method == "POST" else b""
        caller = await authentication.caller(route.access, request, body)
        route.admit(caller)
        call = Call(
            caller=caller,
            body=body,
            path=path,
            query=request.args,
            cookies=request.cookies,
            headers=joined_headers(request.headers.items()),
        )
        return await route.handle(call)

    return view


async def _body() -> bytes:
    content = await request.get_data(cache=False)
    return content if isinstance(content, bytes) else content.encode()


async def _answer(error: Exception) -> Response:
    return answer_of(error)


def make_app(usecases: Usecases, clock: Clock, pages: Path | None) -> Quart:
    """The application of one node; it starts nothing by itself."""
    app = Quart("vupdate", static_folder=None)
    app.asgi_http_class = Connection
    app.config["MAX_CONTENT_LENGTH"] = limits.REQUEST_BODY_BYTES
    app.config["BODY_TIMEOUT"] = _BODY_SECONDS
    for kind in (VUpdateError, HTTPException, Exception):
        app.register_error_handler(kind, _answer)
    authentication = Authentication(usecases, clock)
    for route in all_routes(usecases, pages):
        endpoint = f"{route.access.name} {route.method} {route.rule}".replace(".", "_")
        view = _view(route, authentication)
        app.add_url_rule(route.rule, endpoint, view, methods=[route.method], provide_automatic_options=False)

    async def context(asked: Request | Websocket) -> Context:
        person = await authentication.person(asked)
        return Context(usecases=usecases, person=person, renewed=lambda: authentication.person(asked))

    mount(app, context)
    return app
