"""The JSON Schema of recipes: an outside validator and our parser agree on what a recipe is."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from build.recipe import RecipeError, parse_recipe, recipe_schema
from federation.errors import InvalidValueError
from federation.service import Run, Service
from federation.servicefile import write_service
from federation.toml import Place, Scalar
from federation.toml.kinds import PATH, PATTERN, SIZE, SPAN, time
from federation.toml.mistakes import Refused
from tests.support.agent_services import service_file
from tests.unit.test_build_developer import RECIPE as DEVELOPER_RECIPE
from tests.unit.test_build_recipe import EXAMPLE
from tests.unit.test_servicefile import COMPLETE, RUNS, SHOP

ROOT = Path(__file__).parents[2]
SCHEMA = Draft202012Validator(recipe_schema())
SERVICE_FILE = COMPLETE.replace(b'[services.shop]\nexpand = ["config/shop.toml"]\n', b"")
RECIPES = {
    "guestbook": (ROOT / "examples/guestbook/vupdate.toml").read_bytes(),
    "every key of build": EXAMPLE,
    "every key of run": SERVICE_FILE,
    "build of a test": DEVELOPER_RECIPE.encode(),
    "agent of a test": service_file("web", '["./run"]').encode(),
    "no service": b"[services]\n",
    "macros": b"[services.a.run]\ncommand = ['%%x%%']\nhealth = { tcp = '%%host%%:%%port%%' }\n",
}


def accepts(content: bytes) -> bool:
    return SCHEMA.is_valid(tomllib.loads(content.decode()))


def parses(content: bytes) -> bool:
    try:
        parse_recipe(content)
    except RecipeError:
        return False
    return True


def reads(kind: Scalar, text: str) -> bool:
    place = Place()
    try:
        kind.read(text, place)
    except Refused:
        return False
    return True


def test_the_schema_is_one() -> None:
    """It is sound by its own dialect, and says what each key is for."""
    Draft202012Validator.check_schema(SCHEMA.schema)

    def keys(schema: dict[str, Any], path: str) -> list[str]:
        found = [path] if path and "description" not in schema else []
        for name, inner in schema.get("properties", {}).items():
            found += keys(inner, f"{path}.{name}")
        for inner in (schema.get("additionalProperties"), schema.get("items")):
            found += [one for one in keys(inner, path) if one != path] if isinstance(inner, dict) else []
        return found

    assert keys(dict(recipe_schema()), "") == []


def test_defaults_are_those_of_the_parser() -> None:
    """What an editor shows as a default means the same when it is written down."""
    services = recipe_schema()["properties"]["services"]
    run = services["additionalProperties"]["properties"]["run"]["properties"]
    written = [
        f"{section}.{name} = {json.dumps(key['default'])}"
        for section in ("stop", "restart", "limits", "health", "logs", "faults")
        for name, key in run[section]["properties"].items()
        if "default" in key
    ]
    assert len(written) >= 14
    content = "\n".join(["[services.shop.run]", "command = ['x']", *written]).encode()
    assert parse_recipe(content)[SHOP].service.run == Run(command=("x",))


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_accepted_by_both(name: str) -> None:
    """Each recipe of the examples and of the tests is one by the schema too."""
    assert parses(RECIPES[name])
    assert accepts(RECIPES[name])


@given(RUNS)
def test_whatever_the_parser_accepts_the_schema_does(run: Run) -> None:
    """Whatever a service is, its file is valid."""
    assert accepts(write_service(Service(name=SHOP, run=run)))


WRONG = [
    "comand = ['y']",
    "env = 'A=1'",
    "env = { A = 1 }",
    "env = { 'A B' = '1' }",
    "stop = { grace = 10 }",
    "stop = { grace = '10x' }",
    "stop = { grace = '' }",
    "stop = { grace = '1s2' }",
    "stop = { signal = 'TREM' }",
    "restart = { policy = 'sometimes' }",
    "restart = { backoff = '1s...5m' }",
    "limits = { memory = '512mb' }",
    "limits = { cpu = '150' }",
    "limits = { cpu = '50%/x' }",
    "limits = { core_dump = 'yes' }",
    "health = { http = 'localhost:80' }",
    "health = { tcp = 'localhost' }",
    "health = { tcp = 'a:1', command = ['x'] }",
    "health = { log = 'x', http = 'http://a/' }",
    "logs = { files = 0 }",
    "logs = { files = true }",
    "logs = { format = 'xml' }",
    "data = ['../up']",
    "data = ['a/../b']",
    "data = ['/var']",
    "data = ['.']",
    "data = ['./']",
    "data = ['']",
    "data = ['a\\\\b']",
    "data = 1979-05-27",
    "after = ['db', 'Cache']",
    "after = ['db:']",
    "[services.shop.install]\nafter_switch = [{}]",
    "[services.shop.install]\nafter_switch = [{run = []}]",
    "[services.shop.install]\nafter_switch = [{run = ['']}]",
    "[services.shop.install]\nafter_switch = [{run = ['a', 2]}]",
    "[services.shop.install]\nafter_switch = [{run = ['a'], exit = 256}]",
    "[services.shop.build]\ncopy = []",
    "[services.shop.build]\ncopy = [{ to = '.' }]",
    "[services.shop.build]\ncopy = [{ from = '/etc' }]",
    "[services.shop.build]\nnetwork = 'yes'",
    "[services.shop.build]\ncomands = []",
    "[services.shop.biuld]",
    "[services.Shop.run]\ncommand = ['x']",
    "[services.b.run]",
    "[service.shop]",
]


@pytest.mark.parametrize("line", WRONG)
def test_mistakes_are_refused_by_both(line: str) -> None:
    """An unknown key, a wrong type, a form that is none, a missing key: neither lets it pass."""
    content = f'[services.shop.run]\ncommand = ["x"]\n{line}\n'.replace("'", '"').encode()
    assert not parses(content)
    assert not accepts(content)


def test_without_services_neither_accepts() -> None:
    """A document that describes none is no recipe."""
    assert not parses(b"")
    assert not accepts(b"")


TEXTS = st.text(st.sampled_from("0123456789.smhd kKMGTiB/%\\é\n\t\x01-"), max_size=12)
FORMED = {
    "time": (time(0.0), st.from_regex(r"(\d{1,3}(\.\d)?(ms|[dhms])){1,3}", fullmatch=True)),
    "span": (SPAN, st.from_regex(r" ?\d{1,3}s ?(\.\. ?\d{1,3}m ?)?", fullmatch=True)),
    "size": (SIZE, st.from_regex(r"\d{1,4}(\.\d)? ?([KMGT]i?B|kB|B)", fullmatch=True)),
    "path": (PATH, st.from_regex(r"[./a-c]{1,8}", fullmatch=True)),
    "pattern": (PATTERN, st.from_regex(r"[./a*]{1,8}", fullmatch=True)),
}


@pytest.mark.parametrize("name", FORMED)
@given(data=st.data())
def test_forms_of_texts_agree(name: str, data: st.DataObject) -> None:
    """The patterns of the schema pass each text that the parser takes for a time, a size, a path."""
    kind, formed = FORMED[name]
    text = data.draw(st.one_of(TEXTS, formed))
    if reads(kind, text):
        assert Draft202012Validator(kind.schema()).is_valid(text)


@given(st.from_regex(r"[./ab]{1,10}", fullmatch=True))
def test_paths_are_judged_alike(text: str) -> None:
    """Of a path a pattern can say all: what the parser refuses the schema does too."""
    for kind in (PATH, PATTERN):
        assert Draft202012Validator(kind.schema()).is_valid(text) == reads(kind, text)


def test_bounds_are_for_the_parser_only() -> None:
    """What no pattern can say is let pass, and told in words."""
    form = time(1.0, 60.0).schema()
    assert Draft202012Validator(form).is_valid("2m")
    assert form["description"] == "A time of 1s to 1m."
    assert not reads(time(1.0, 60.0), "2m")
    with pytest.raises(InvalidValueError):
        time(1.0, 60.0).convert("2m")
