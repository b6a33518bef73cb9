"""The SQL of one collection. Text comes from checked names only; every value is a parameter."""
# ruff: noqa: S608 (the names in the text have passed the checks of ``fields``)

from collections.abc import Iterator, Sequence

from node.storage.documents import Layout
from node.storage.fields import KEY
from node.storage.port import Op, Order, Query, Where

Value = str | int | float | bytes | None
Statement = tuple[str, tuple[Value, ...]]


class Sql:
    """Statements for the collection of one layout.

    The table has a row id although it has a text key: rows are large, and blobs larger, for which SQLite advises it.
    """

    def __init__(self, layout: Layout) -> None:
        """The statements that do not depend on a query are made once."""
        table = self.table = f"c_{layout.name}"
        self._layout = layout
        self.get = f"SELECT key, revision, body, blob FROM {table} WHERE key = ?"
        self.insert = f"INSERT INTO {table} (key, revision, body, blob) VALUES (?, 1, ?, ?)"
        self.replace = f"UPDATE {table} SET revision = revision + 1, body = ?, blob = ? WHERE key = ? AND revision = ?"
        self.delete = f"DELETE FROM {table} WHERE key = ?1 AND (?2 IS NULL OR revision = ?2)"
        self.has = f"SELECT 1 FROM {table} WHERE key = ?"

    def creation(self) -> Iterator[tuple[str, str]]:
        """Name and statement of the table and of each index."""
        columns = "key TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL, body TEXT NOT NULL, blob BLOB"
        yield self.table, f"CREATE TABLE IF NOT EXISTS {self.table} ({columns})"
        for fields in self._layout.indexes:
            name = f"{self.table}({','.join(fields)})"
            columns = ", ".join((*map(_expression, fields), "key"))
            yield name, f'CREATE INDEX IF NOT EXISTS "{name}" ON {self.table} ({columns})'

    def find(self, query: Query) -> Statement:
        """Rows (key, revision, body, blob) of ``query``.

        The inner select chooses by row ids alone: sorted with their blobs, many large rows would spill to the disk.
        """
        conditions, values = _conditions(query.where)
        if query.after is not None:
            behind, place = _behind(query.whole_order, query.position(query.after))
            conditions.append(behind)
            values.extend(place)
        order = ", ".join(f"{_expression(o.field)} {'DESC' if o.descending else 'ASC'}" for o in query.whole_order)
        page = f"SELECT rowid FROM {self.table}{_where(conditions)} ORDER BY {order} LIMIT ?"
        blob = "blob" if query.blobs else "NULL"
        return (
            f"SELECT key, revision, body, {blob} FROM {self.table} WHERE rowid IN ({page}) ORDER BY {order}",
            (*values, query.limit),
        )

    def count(self, where: Sequence[Where]) -> Statement:
        """One row with one number."""
        conditions, values = _conditions(where)
        return f"SELECT count(*) FROM {self.table}{_where(conditions)}", tuple(values)


def _expression(field: str) -> str:
    """What ``fields.scalar`` computes, as SQL; lists and objects, which would come as JSON text, are nothing."""
    if field == KEY:
        return "key"
    path = f"'$.{field}'"
    return f"(CASE WHEN json_type(body, {path}) IN ('array', 'object') THEN NULL ELSE json_extract(body, {path}) END)"


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _conditions(where: Sequence[Where]) -> tuple[list[str], list[Value]]:
    conditions: list[str] = []
    values: list[Value] = []
    for one in where:
        conditions.append(_condition(_expression(one.field), one.op, one.comparable))
        if one.value is not None:
            values.append(one.comparable)
    return conditions, values


def _condition(expression: str, op: Op, value: Value) -> str:
    """SQLite sorts NULL < numbers < texts; the empty text, the least one, keeps comparisons within one of the two."""
    if value is None:
        return f"{expression} IS NULL"
    if op == "==":
        return f"{expression} = ?"
    if isinstance(value, str):
        return f"{expression} {op} ?" if op in (">", ">=") else f"({expression} {op} ? AND {expression} >= '')"
    return f"{expression} {op} ?" if op in ("<", "<=") else f"({expression} {op} ? AND {expression} < '')"


def _behind(orders: Sequence[Order], place: Sequence[Value]) -> tuple[str, list[Value]]:
    """The rows behind ``place``: greater in the first field, or equal there and greater in the second, and so on."""
    cases: list[str] = []
    values: list[Value] = []
    for number, (order, value) in enumerate(zip(orders, place, strict=True)):
        equal = [f"{_expression(before.field)} IS ?" for before in orders[:number]]
        beyond, more = _beyond(_expression(order.field), value, descending=order.descending)
        cases.append(f"({' AND '.join((*equal, beyond))})")
        values.extend((*place[:number], *more))
    return f"({' OR '.join(cases)})", values


def _beyond(expression: str, value: Value, *, descending: bool) -> tuple[str, tuple[Value, ...]]:
    if value is None:
        return ("FALSE" if descending else f"{expression} IS NOT NULL"), ()
    if descending:
        return f"({expression} < ? OR {expression} IS NULL)", (value,)
    return f"{expression} > ?", (value,)
