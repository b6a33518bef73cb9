"""The API as a whole: its printed form, its roles, its limits, its errors."""

import re
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_introspection_query,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.types import ExecutionResult, get_object_definition
from structlog.testing import capture_logs

from federation.errors import AbsentError, ConflictError, DeniedError, LocalError, RemoteError, VUpdateError
from node.graphql.access import declared_role, field, refuse_undeclared
from node.graphql.context import Context
from node.graphql.mutations import Mutation
from node.graphql.print_schema import printed
from node.graphql.queries import Query
from node.graphql.schema import COST, QUERY_CHARS, Api, schema
from node.graphql.subscriptions import Subscription
from node.model.account import Role
from tests.support.graphql_usecases import FakeUsecases, context

ROOTS = {"query": Query, "mutation": Mutation, "subscription": Subscription}


class Untouchable:
    """Use cases that no refused request may touch."""

    def __getattr__(self, name: str) -> object:
        raise ZeroDivisionError(f"a resolver reached for {name}")


def literal(kind: GraphQLInputType) -> str:
    """Some value of ``kind``."""
    if isinstance(kind, GraphQLNonNull):
        return literal(kind.of_type)
    if isinstance(kind, GraphQLList):
        return f"[{literal(kind.of_type)}]"
    if isinstance(kind, GraphQLEnumType):
        return str(next(iter(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        required = {name: one for name, one in kind.fields.items() if is_required_input_field(one)}
        return "{" + ", ".join(f"{name}: {literal(one.type)}" for name, one in required.items()) + "}"
    return {"Int": "1", "Boolean": "true"}.get(str(kind), '"acme"')


def call(name: str, one: GraphQLField) -> str:
    """A selection of the field with all that it requires."""
    given = ", ".join(f"{key}: {literal(arg.type)}" for key, arg in one.args.items() if is_required_argument(arg))
    below = "" if is_leaf_type(get_named_type(one.type)) else " { __typename }"
    return name + (f"({given})" if given else "") + below


def root_fields() -> list[tuple[str, str, Role]]:
    """Operation, field in use and declared role, for each root field."""
    found = []
    for operation, root in ROOTS.items():
        fields = schema()._schema.type_map[root.__name__].fields  # type: ignore[attr-defined]
        roles = {
            schema().config.name_converter.get_graphql_name(one): declared_role(one)
            for one in get_object_definition(root, strict=True).fields
        }
        for name, one in fields.items():
            role = roles[name]
            assert role is not None, f"{operation} {name} declares no role"
            found.append((operation, call(name, one), role))
    return found


ROOT_FIELDS = root_fields()


async def run(text: str, usecases: object, role: Role | None = Role.ADMINISTRATOR, **variables: Any) -> ExecutionResult:
    """The first result of an operation, over the way it would take."""
    asked = context(usecases, role)
    with capture_logs():  # errors are logged with all that is known, which takes its time
        return await first_result(text, asked, variables)


async def first_result(text: str, asked: Context, variables: dict[str, Any]) -> ExecutionResult:
    if not text.startswith("subscription"):
        return await schema().execute(text, context_value=asked, variable_values=variables)
    async for result in await schema().subscribe(text, context_value=asked, variable_values=variables):
        assert isinstance(result, ExecutionResult)
        return result
    raise AssertionError("the subscription ended without a result")


def code(result: ExecutionResult) -> str:
    """The code of the only error."""
    assert result.errors is not None
    (error,) = result.errors
    assert error.extensions is not None
    assert re.fullmatch(r"[0-9a-f]{12}", error.extensions["correlation"])
    return str(error.extensions["code"])


def test_the_committed_schema_is_the_one_in_use() -> None:
    """Who generates code from schema.graphql gets what the node answers; write it anew by print_schema."""
    committed = Path(__file__).parents[2] / "schema.graphql"
    assert committed.read_text(encoding="utf-8") == printed()


def test_there_are_fields_of_each_kind_and_role() -> None:
    """The tests over all root fields see them: none is passed over because a list came out empty."""
    seen = {(operation, role) for operation, _, role in ROOT_FIELDS}
    assert seen >= {
        ("query", Role.VIEWER),
        ("query", Role.ADMINISTRATOR),
        ("mutation", Role.DEVELOPER),
        ("mutation", Role.ADMINISTRATOR),
        ("subscription", Role.VIEWER),
    }
    assert len(ROOT_FIELDS) == 43 + 58 + 2


def test_no_change_is_open_to_viewers() -> None:
    """Looking is for viewers, changing is not."""
    assert all(role is not Role.VIEWER for operation, _, role in ROOT_FIELDS if operation == "mutation")


@pytest.mark.parametrize("caller", [None, *Role], ids=lambda role: role.value if role else "nobody")
@pytest.mark.parametrize(("operation", "asked", "needed"), ROOT_FIELDS, ids=[asked for _, asked, _ in ROOT_FIELDS])
async def test_each_field_is_refused_to_those_below_its_role(
    operation: str, asked: str, needed: Role, caller: Role | None
) -> None:
    """Nobody, and whoever's role is too low, is denied before a use case is touched; all others get to it."""
    result = await run(f"{operation} {{ {asked} }}", Untouchable(), caller)
    if caller is None or not caller.includes(needed):
        assert code(result) == "denied"
        assert not (result.data or {}).get(asked.split("(", maxsplit=1)[0].split(" ", maxsplit=1)[0])
    elif asked.startswith("me "):
        assert result.errors is None
    else:
        assert code(result) in ("internal", "invalid-value")


def test_a_field_without_a_role_stops_the_start() -> None:
    """An API that anyone could use does not come up."""

    @strawberry.type
    class Open:
        @strawberry.field
        def secret(self) -> str:
            return "x"

        @field(Role.VIEWER, "Seen.")
        async def seen(self) -> str:
            return "y"

    with pytest.raises(TypeError, match=r"without a declared role: Open\.secret$"):
        refuse_undeclared(Open)


@pytest.mark.parametrize("kind", [DeniedError, AbsentError, ConflictError, RemoteError, LocalError])
async def test_an_error_meant_for_people_reaches_them(kind: type[VUpdateError]) -> None:
    """Its sentence and its stable code are handed out, with a reference that the log knows."""
    usecases = FakeUsecases({"profiles.all": kind("say what to do")})
    with capture_logs() as logs:
        result = await first_result("{ profiles { name } }", context(usecases), {})
    assert code(result) == kind.code
    assert result.errors is not None
    assert result.errors[0].message == "say what to do"
    assert result.errors[0].extensions is not None
    assert [entry["correlation"] for entry in logs] == [result.errors[0].extensions["correlation"]]


@pytest.mark.parametrize("error", [RuntimeError("secret path /srv/x"), VUpdateError("secret path /srv/x")])
async def test_an_error_of_our_own_is_masked_and_logged(error: Exception) -> None:
    """The caller gets a reference and no word of what went wrong; the log has it all under that reference."""
    with capture_logs() as logs:
        result = await first_result("{ profiles { name } }", context(FakeUsecases({"profiles.all": error})), {})
    assert code(result) == "internal"
    assert result.errors is not None
    (shown,) = result.errors
    assert shown.extensions is not None
    reference = shown.extensions["correlation"]
    assert shown.message == f"Something went wrong here; reference {reference}"
    assert "secret" not in str(shown.formatted)
    (entry,) = logs
    assert entry["correlation"] == reference
    assert entry["exc_info"] is error


async def test_a_conflict_says_what_differs() -> None:
    """Whoever's change rests on an old revision sees what came first."""
    conflict = ConflictError("another change came first: revision 4 by ben (since revision 3: shop → acme-1.0.1)")
    text = 'mutation { changeDesired(kind: DEVELOPER, seen: 3, deltas: [{service: "shop", version: "acme-2.0.0"}])'
    result = await run(text + " { number } }", FakeUsecases({"desired.change": conflict}))
    assert code(result) == "conflict"
    assert result.errors is not None
    assert "shop → acme-1.0.1" in result.errors[0].message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ nothing }", "Cannot query field 'nothing'"),
        ("{ services { nam } }", "Did you mean 'name'?"),
        ("{ tasks(first: 1.5) { id } }", "Int cannot represent"),
        ("{ services {", "Syntax Error"),
        ("subscription { taskLog(id: 1, after: null) { sequence } }", "Int!"),
        ("subscription { changes", "Syntax Error"),
    ],
)
async def test_mistakes_in_a_document_are_explained(text: str, said: str) -> None:
    """Who writes a query learns what is wrong with it, in a stream too."""
    result = await run(text, Untouchable())
    assert code(result) == "invalid-query"
    assert result.errors is not None
    assert said in result.errors[0].message


async def test_introspection_answers_a_logged_in_tool() -> None:
    """The usual introspection query of tools stays under the limits."""
    result = await run(get_introspection_query(), Untouchable(), Role.VIEWER)
    assert result.errors is None


def fragment_bomb(levels: int) -> str:
    """Fragments that each spread the next one twice: 2^levels fields in a short text."""
    spreads = "".join(f" fragment F{n} on Task {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ tasks {{ ...F0 }} }} {spreads} fragment F{levels} on Task {{ id }}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ " + " ".join(f"a{n}: me {{ name }}" for n in range(51)) + " }", "too rich in aliases: 51"),
        ("{ faults(first: 1000) { log path { node id received } } logs(first: 1000) { message unit time } }", "costly"),
        ("{ " + " ".join(["__typename"] * 2001) + " }", "token"),
        ("{ me { name } } #" + "x" * QUERY_CHARS, "longer than"),
        (fragment_bomb(60), "costly"),
        ("{ __schema { types { " + "ofType { " * 14 + "name" + " }" * 14 + " } } }", "too deep"),
    ],
)
@pytest.mark.parametrize("operation", ["execute", "stream"])
async def test_what_asks_for_too_much_is_refused(text: str, said: str, operation: str) -> None:
    """Aliases, cost, tokens, length, fragments and depth have bounds, over HTTP and over a WebSocket."""
    asked = context(Untouchable())
    if operation == "execute":
        result = await schema().execute(text, context_value=asked)
    else:
        (result,) = [one async for one in await schema().stream(text, context_value=asked)]
    assert code(result) == "invalid-query"
    assert result.errors is not None
    assert said in result.errors[0].message


async def test_a_variable_can_not_hide_what_is_asked_for() -> None:
    """The cost is counted with the variables' values."""
    text = "query ($n: Int!) { faults(first: $n) { log path { node } } logs(first: $n) { message unit time } }"
    assert code(await run(text, Untouchable(), n=1000)) == "invalid-query"
    assert code(await run(text, FakeUsecases({"faults.find": [], "logs.search": []}), n=-1)) == "invalid-value"


async def test_the_page_of_a_node_stays_under_the_limits() -> None:
    """What a dashboard asks for at once is allowed, with room to spare."""
    from graphql import parse

    from node.graphql.measure import measured

    text = """{ node { name } me { name role } services { name developed provider latestDeveloper latestClient
      sources { name url } site { macros { name value } overlays { url } } task { id title state }
      running { instance phase since desired running failed error moved { movedBytes fullBytes } } lastTransfer { at } }
      faults(first: 50) { id service version instance message path { node received } log }
      tasks(first: 50) { id title state who created ended error result } transfers { movedBytes fullBytes } }"""
    extent = measured(schema()._schema, parse(text), {})
    assert extent.cost < COST / 4


def test_the_schema_is_made_once() -> None:
    """Its making costs a tenth of a second: once per process is enough."""
    assert schema() is schema()
    assert isinstance(schema(), Api)
