"""Decides how much a document asks for before it is executed: its depth, its aliases and its cost.

The cost of a field is one; a list multiplies what stands below it by the number of items asked for (``first``), or by
an assumption where the schema has no such argument. Each fragment is measured once, however often it is spread: a
measure that walks into every spread takes exponential time for fragments that spread each other twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

_ASSUMED_ITEMS: Final = 10
_MOST_ITEMS: Final = 1000
_PAGE_ARGUMENT: Final = "first"
# Fields that are read or sent at a higher price than a line of text.
_PRICES: Final[Mapping[tuple[str, str], int]] = {
    ("Fault", "log"): 200,
    ("Query", "services"): 100,
    ("Query", "compareVersions"): 2000,
}


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is asked for."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: "Extent") -> "Extent":
        """Both, side by side."""
        return Extent(max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost)


class _Measure:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._measured: dict[str, Extent] = {}

    def operation(self, operation: OperationDefinitionNode) -> Extent:
        return self._selections(operation.selection_set, self._schema.get_root_type(operation.operation))

    def _selections(self, selections: SelectionSetNode | None, parent: Any) -> Extent:
        extent = Extent()
        for selection in selections.selections if selections else ():
            extent = extent.beside(self._selection(selection, parent))
        return extent

    def _selection(self, selection: SelectionNode, parent: Any) -> Extent:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent)
        if isinstance(selection, InlineFragmentNode):
            narrowed = selection.type_condition
            kind = self._schema.get_type(narrowed.name.value) if narrowed else parent
            return self._selections(selection.selection_set, kind)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value)
        return Extent()

    def _fragment(self, name: str) -> Extent:
        if name not in self._measured:
            self._measured[name] = Extent()  # validation has refused cycles; this ends them all the same
            fragment = self._fragments[name]
            kind = self._schema.get_type(fragment.type_condition.name.value)
            self._measured[name] = self._selections(fragment.selection_set, kind)
        return self._measured[name]

    def _field(self, node: FieldNode, parent: Any) -> Extent:
        definition = self._schema.get_field(parent, node.name.value) if isinstance(parent, GraphQLObjectType) else None
        if definition is None:
            return Extent(depth=1, cost=1)
        below = self._selections(node.selection_set, get_named_type(definition.type))
        price = _PRICES.get((str(parent), node.name.value), 1)
        return Extent(
            depth=below.depth + 1,
            aliases=below.aliases + (1 if node.alias else 0),
            cost=price + below.cost * self._items(node, definition),
        )

    def _items(self, node: FieldNode, definition: GraphQLField) -> int:
        if not is_list_type(get_nullable_type(definition.type)):
            return 1
        declared = definition.args.get(_PAGE_ARGUMENT)
        if declared is None:
            return _ASSUMED_ITEMS
        given = next((one.value for one in node.arguments or () if one.name.value == _PAGE_ARGUMENT), None)
        if isinstance(given, IntValueNode):
            return _bounded(int(given.value))
        if isinstance(given, VariableNode):
            return _bounded(self._variables.get(given.name.value))
        return _bounded(_default(declared))


def _default(argument: GraphQLArgument) -> object:
    """The declared default, which the library keeps in one of three forms."""
    if argument.default is None:
        return argument.default_value
    literal = argument.default.literal
    return int(literal.value) if isinstance(literal, IntValueNode) else argument.default.value


def _bounded(items: object) -> int:
    """A number of items that can't make anything below it free."""
    return min(max(items, 1), _MOST_ITEMS) if isinstance(items, int) else _MOST_ITEMS


def measured(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None) -> Extent:
    """How much all operations of a valid ``document`` ask for together."""
    measure = _Measure(schema, document, variables or {})
    extent = Extent()
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            extent = extent.beside(measure.operation(one))
    return extent
