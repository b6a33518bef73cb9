"""Strangers, other pages and greedy callers at the API as it stands on the web."""

import json
from typing import Any

import pytest
from quart import Quart, Request, Websocket
from quart.testing.connections import WebsocketDisconnectError, WebsocketResponseError
from structlog.testing import capture_logs

from node.graphql.context import Context
from node.graphql.view import mount
from node.model.account import Role
from node.usecases.changes import Topic
from tests.support.graphql_usecases import FakeUsecases, context

PROTOCOL = "graphql-transport-ws"
INIT = {"type": "connection_init"}
RIGHT = {"Authorization": "Bearer right"}


class Site:
    """The API on a test server; whoever brings the right token is a viewer."""

    def __init__(self) -> None:
        self.usecases = FakeUsecases({"profiles.all": [], "profiles.remove": None})
        self.app = Quart("test")
        mount(self.app, self._context)

    async def _context(self, asked: Request | Websocket) -> Context:
        known = asked.headers.get("Authorization") == RIGHT["Authorization"]
        return context(self.usecases, Role.VIEWER if known else None)

    def live(self, headers: dict[str, str], protocols: tuple[str, ...] = (PROTOCOL,)) -> Any:
        """A WebSocket. The test client forgets the protocols that it is given, so they are set below it."""
        offered = {"subprotocols": list(protocols)}
        return self.app.test_client().websocket("/graphql", headers=headers, scope_base=offered)

    async def close_code(
        self, headers: dict[str, str], *messages: object, protocols: tuple[str, ...] = (PROTOCOL,)
    ) -> int:
        """The code with which a connection is closed after ``messages``."""
        try:
            async with self.live(headers, protocols) as live:
                for message in messages:
                    await live.send(message if isinstance(message, str) else json.dumps(message))
                while True:
                    await live.receive_json()
        except WebsocketDisconnectError as closed:
            return int(closed.args[0])

    async def post(self, body: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        content = body if isinstance(body, str) else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        with capture_logs():
            answer = await self.app.test_client().post("/graphql", data=content, headers=sent)
        text = await answer.get_data(as_text=True)
        return answer.status_code, json.loads(text) if text.startswith("{") else text


@pytest.fixture
def site() -> Site:
    return Site()


async def test_a_viewer_asks_by_post(site: Site) -> None:
    """The way that is open: without it, the refusals below would mean nothing."""
    status, answer = await site.post({"query": "{ profiles { name } }"}, RIGHT)
    assert (status, answer["data"]) == (200, {"profiles": []})


@pytest.mark.parametrize(
    "text",
    [
        "{ profiles { name } }",
        "{ __schema { types { name } } }",
        "{ __typename }",
        "{ this is no query",
        'mutation { removeProfile(name: "x") }',
    ],
)
async def test_a_stranger_learns_nothing(site: Site, text: str) -> None:
    """Without a right, nothing is even parsed: no data, no schema, no hint at a mistake; one refusal for all."""
    _, answer = await site.post({"query": text})
    (error,) = answer["errors"]
    assert not answer["data"]
    assert error["extensions"]["code"] == "denied"
    assert error["message"].startswith("you are not logged in")
    assert site.usecases.calls == []


async def test_a_viewer_changes_nothing(site: Site) -> None:
    """A right to look is none to change, however the change is asked for."""
    _, answer = await site.post(
        {"query": 'mutation { a: removeProfile(name: "x") b: removeProfile(name: "y") }'}, RIGHT
    )
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"denied"}
    assert site.usecases.calls == []


@pytest.mark.parametrize("query", ["{profiles{name}}", 'mutation{removeProfile(name:"x")}', ""])
async def test_nothing_is_asked_or_changed_by_get(site: Site, query: str) -> None:
    """A link or an image on another page can't make a browser ask with its cookie."""
    answer = await site.app.test_client().get("/graphql", query_string={"query": query}, headers=RIGHT)
    assert answer.status_code >= 400
    assert site.usecases.calls == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_form_of_another_page_is_not_read(site: Site, kind: str) -> None:
    """Browsers send these forms across origins without asking first: only JSON is taken."""
    body = json.dumps({"query": "{ profiles { name } }"})
    status, _ = await site.post(body, {**RIGHT, "Content-Type": kind})
    assert status == 400
    assert site.usecases.calls == []


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"x"', '{"query": 5}', '{"query": "{ me { name } }", "variables": []}']
)
async def test_what_is_no_request_is_refused(site: Site, body: str) -> None:
    """Malformed bodies are the caller's mistake, never an error of the node."""
    status, _ = await site.post(body, RIGHT)
    assert status == 400


async def test_many_requests_in_one_are_refused(site: Site) -> None:
    """A batch would pass the limits of one document a hundred times."""
    status, _ = await site.post([{"query": "{ profiles { name } }"}] * 100, RIGHT)
    assert status == 400
    assert site.usecases.calls == []


async def test_a_viewer_follows_changes_live(site: Site) -> None:
    """The way that is open."""
    async with site.live(RIGHT) as live:
        await live.send_json({"type": "connection_init"})
        assert (await live.receive_json())["type"] == "connection_ack"
        text = "subscription { changes { topic subject } }"
        await live.send_json({"id": "1", "type": "subscribe", "payload": {"query": text}})
        await live.send_json({"type": "ping"})
        assert (await live.receive_json())["type"] == "pong"
        while not site.usecases.changes._listeners:
            await live.send_json({"type": "ping"})
            await live.receive_json()
        site.usecases.changes.publish(Topic.LINKS, "globex")
        told = await live.receive_json()
    assert told == {
        "id": "1",
        "type": "next",
        "payload": {"data": {"changes": {"topic": "LINKS", "subject": "globex"}}},
    }


async def test_a_stranger_follows_nothing(site: Site) -> None:
    """A connection without a right is closed before anything can be asked over it."""
    assert await site.close_code({}, INIT) == 4403
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { changes { topic } }"}}
    assert await site.close_code({}, subscribe) == 4401
    assert not site.usecases.changes._listeners


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "5",
        "[]",
        {"type": 7},
        {"type": "subscribe", "id": ["x"], "payload": {"query": "{ me { name } }"}},
        {"type": "subscribe", "id": "1", "payload": "x"},
        {"type": "subscribe", "id": "1", "payload": {"query": 5}},
        {"type": "subscribe", "id": "1", "payload": {"query": "{ me { name } }", "variables": []}},
        {"type": "complete", "id": {}},
        {"type": "nonsense"},
    ],
    ids=str,
)
async def test_a_broken_message_ends_its_connection(site: Site, message: object) -> None:
    """What does not follow the protocol is refused with its own code; it is no error of the node."""
    assert await site.close_code(RIGHT, INIT, message) == 4400


async def test_a_page_of_another_origin_gets_no_connection(site: Site) -> None:
    """Browsers send cookies with any WebSocket: the origin decides, before the caller is looked up."""
    headers = {**RIGHT, "Origin": "https://evil.example", "Host": "node.example"}
    with pytest.raises(WebsocketResponseError) as refused:
        async with site.live(headers) as live:
            await live.receive_json()
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("protocols", [("graphql-ws",), ()])
async def test_only_the_protocol_in_use_is_spoken(site: Site, protocols: tuple[str, ...]) -> None:
    """The older protocol checks less; it is not there."""
    assert await site.close_code(RIGHT, INIT, protocols=protocols) == 4406


async def test_one_connection_holds_a_bounded_number_of_subscriptions(site: Site) -> None:
    """Nobody fills the node's memory with listeners over one connection."""
    with capture_logs():
        async with site.live(RIGHT) as live:
            await live.send_json({"type": "connection_init"})
            assert (await live.receive_json())["type"] == "connection_ack"
            for number in range(40):
                payload = {"query": "subscription { changes { topic } }"}
                await live.send_json({"id": str(number), "type": "subscribe", "payload": payload})
            refused = await live.receive_json()
            assert refused["type"] == "error"
            assert refused["payload"][0]["message"] == "Subscription limit reached"
            assert len(site.usecases.changes._listeners) <= 32
    assert not site.usecases.changes._listeners
