"""The JSON Schema of recipes, as anybody gets it from a node."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from build.recipe import recipe_schema
from node.http.schemas import SCHEMA_PATH
from tests.support.nodes import Member, Network


@pytest.fixture
def acme(tmp_path: Path) -> Member:
    return Network(tmp_path).add("acme")


async def test_anybody_gets_the_schema_that_the_parser_reads_by(acme: Member) -> None:
    """No login, no signature; it names no address, as it is the same at every node."""
    answer = await acme.app.test_client().get(SCHEMA_PATH)
    assert (answer.status_code, answer.mimetype) == (200, "application/schema+json")
    schema = json.loads(await answer.get_data())
    assert schema == recipe_schema()
    assert "$id" not in schema
    Draft202012Validator.check_schema(schema)
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("held", "status"),
    [("{}", 304), ("W/{}", 304), ('"other", {}', 304), ("*", 304), ('"other"', 200), ("", 200), (", " * 10_000, 200)],
)
async def test_who_has_it_already_gets_no_body(acme: Member, held: str, status: int) -> None:
    """By the entity tag, which is another one for another schema."""
    client = acme.app.test_client()
    tag = (await client.get(SCHEMA_PATH)).headers["ETag"]
    answer = await client.get(SCHEMA_PATH, headers={"If-None-Match": held.replace("{}", tag)})
    assert answer.status_code == status
    assert answer.headers["ETag"] == tag
    assert bool(await answer.get_data()) is (status == 200)


async def test_it_is_the_same_at_every_node(tmp_path: Path) -> None:
    """To the byte, so that a proxy and an editor may keep it."""
    network = Network(tmp_path)
    answers = [await network.add(name).app.test_client().get(SCHEMA_PATH) for name in ("acme", "globex")]
    first, second = [await one.get_data() for one in answers]
    assert first == second


async def test_nothing_but_reading_it_is_offered(acme: Member) -> None:
    """Another method, and another file beside it, are refused."""
    client = acme.app.test_client()
    assert (await client.post(SCHEMA_PATH, data=b"{}")).status_code == 405
    assert (await client.get("/schema/other.json")).status_code == 404
