"""How much a document asks for."""

import pytest
from graphql import build_schema, parse
from hypothesis import given
from hypothesis import strategies as st

from node.graphql.measure import Extent, measured

SCHEMA = build_schema("""
type Query { one: Thing!  many(first: Int! = 20): [Thing!]!  some: [Thing!] }
type Thing { name: String!  parts: [Part!]!  whole: Thing }
type Part { name: String! }
""")


def extent(text: str, **variables: object) -> Extent:
    return measured(SCHEMA, parse(text), variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ one { name } }", Extent(2, 0, 2)),
        ("{ a: one { b: name } }", Extent(2, 2, 2)),
        ("{ many { name } }", Extent(2, 0, 21)),
        ("{ many(first: 3) { name } }", Extent(2, 0, 4)),
        ("{ some { name } }", Extent(2, 0, 11)),
        ("{ many(first: 3) { parts { name } } }", Extent(3, 0, 1 + 3 * 11)),
        ("{ one { ... on Thing { name } } }", Extent(2, 0, 2)),
        ("{ one { ...T } } fragment T on Thing { name whole { name } }", Extent(3, 0, 4)),
        ("{ one { name } } query B { one { name } }", Extent(2, 0, 4)),
        ("{ __typename }", Extent(1, 0, 1)),
    ],
)
def test_a_document_is_measured(text: str, expected: Extent) -> None:
    """Each field costs one; a list multiplies what stands below it."""
    assert extent(text) == expected


@pytest.mark.parametrize(("first", "cost"), [(5, 6), (None, 1001), (-3, 2), (10**9, 1001), ("5", 1001)])
def test_a_variable_counts_as_what_it_holds(first: object, cost: int) -> None:
    """A number in a variable is known before the execution; anything else counts as the most there is."""
    assert extent("query ($n: Int!) { many(first: $n) { name } }", n=first).cost == cost


def test_fragments_that_spread_each_other_twice_are_measured_at_once() -> None:
    """Sixty doublings are 2^60 fields: the measure says so without walking into each."""
    text = "{ one { ...F0 } }" + "".join(f" fragment F{n} on Thing {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    assert extent(text + " fragment F60 on Thing { name }").cost == 1 + 2**60


def test_a_cycle_of_fragments_ends() -> None:
    """Validation refuses cycles; the measure does not rest on that."""
    assert extent("{ one { ...A } } fragment A on Thing { name ...B } fragment B on Thing { ...A }").cost == 2


@given(st.integers(1, 8), st.integers(1, 30))
def test_depth_and_cost_grow_with_what_is_asked(levels: int, first: int) -> None:
    """Nesting by n levels is n levels deep, and asking for more items never costs less."""
    inner = "name"
    for _ in range(levels):
        inner = f"whole {{ {inner} }}"
    found = extent(f"{{ many(first: {first}) {{ {inner} }} }}")
    assert found.depth == levels + 2
    assert found.cost == 1 + first * (levels + 1)
