"""Every route of a node declares who may call it; nobody else gets in."""

import re
from pathlib import Path

import pytest

from federation.keys import PrivateKey
from node.app import all_routes
from node.http.route import Access
from tests.support.nodes import Network

PUBLIC = {
    "/",
    "/<name>",
    "/assets/<name>",
    "/health",
    "/auth/login",
    "/federation/v1/identity",
    "/schema/vupdate.toml.json",
}


async def test_no_route_stands_outside_the_table(tmp_path: Path) -> None:
    """It answers at declared routes and at GraphQL, whose fields declare their roles, and nowhere else."""
    member = Network(tmp_path).add("acme")
    declared = {(route.rule, route.method) for route in all_routes(member.use, None)}
    found = {
        (rule.rule, method)
        for rule in member.app.url_map.iter_rules()
        for method in (rule.methods or ())
        if method not in ("HEAD", "OPTIONS") and rule.rule != "/graphql"
    }
    assert found == declared


async def test_only_the_pages_health_and_log_in_are_open_to_anybody(tmp_path: Path) -> None:
    """A new public route has to be added here too, on purpose."""
    member = Network(tmp_path).add("acme")
    assert {route.rule for route in all_routes(member.use, None) if route.access is Access.PUBLIC} == PUBLIC


# Catalogues are for everybody where their profile is public: see tests/attacks/test_catalog_reading.py.
@pytest.mark.parametrize("access", [one for one in Access if one not in (Access.PUBLIC, Access.READER)])
async def test_nobody_and_a_strangers_key_are_refused_everywhere(tmp_path: Path, access: Access) -> None:
    """Each route that is not public refuses an unsigned request and one signed by an unknown key."""
    network = Network(tmp_path)
    member = network.add("acme")
    stranger = network.peer("nobody", member.url, member.key.public, PrivateKey.generate())
    digest = "0" * 64
    routes = [route for route in all_routes(member.use, None) if route.access is access]
    assert routes
    for route in routes:
        path = re.sub(r"<\w+>", digest, route.rule)
        body = b"{}" if route.method == "POST" else b""
        client = member.app.test_client()
        unsigned = await (client.post(path, data=body) if route.method == "POST" else client.get(path))
        assert unsigned.status_code == 403, route.rule
        status, _, _ = await stranger.ask(route.method, path, body=body)
        assert status in (400, 403), route.rule


async def test_health_says_no_more_than_that_the_node_answers(tmp_path: Path) -> None:
    """Anybody may ask, so it tells neither name nor version."""
    member = Network(tmp_path).add("acme")
    answer = await member.app.test_client().get("/health")
    assert await answer.get_data(as_text=True) == '{"status":"ok"}'
