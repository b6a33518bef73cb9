"""Queries for MongoDB. Pure.

Every declared field is kept beside the body as one text whose order is the order of values defined in ``fields``. So
queries compare texts with texts only, in which all servers that speak MongoDB's protocol agree.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from node.storage.documents import Layout
from node.storage.fields import KEY, Scalar, rank, scalar
from node.storage.port import Document, Op, Order, Query, Where

Filter = dict[str, Any]

_OPERATORS: dict[Op, str] = {"==": "$eq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}


def ordered_text(value: Scalar) -> str:
    """A text that sorts among others as ``value`` does among values; whole numbers are exact up to 2**53.

    A number is its IEEE 754 form in hexadecimal, made to sort by the usual trick: the sign turned round, and all other
    bits too if it is negative. One beyond the range of that form counts as infinite.
    """
    kind = rank(value)[0]
    if value is None or isinstance(value, str):
        return f"{kind}{value or ''}"
    try:
        number = float(value) + 0.0  # so that there is one zero
    except OverflowError:
        number = float("inf") if value > 0 else float("-inf")
    (bits,) = struct.unpack(">Q", struct.pack(">d", number))
    return f"{kind}{bits ^ (0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else 1 << 63):016x}"


def place(field: str) -> str:
    """Where a document keeps the text of ``field``; identifiers have no ``__`` and do not begin with ``_``."""
    return f"q.{_name(field)}"


def texts(layout: Layout, key: str, body: Document) -> dict[str, str]:
    """What a document keeps for queries."""
    kept = {_name(field): ordered_text(scalar(body, field)) for field in layout.fields}
    return {_name(KEY): ordered_text(key), **kept}


def conditions(where: Iterable[Where]) -> Filter:
    """The filter for all of ``where``."""
    return _all([_condition(one) for one in where])


def query_filter(query: Query) -> Filter:
    """The filter for ``query``, its cursor included."""
    parts = [_condition(one) for one in query.where]
    if query.after is not None:
        parts.append(_behind(query.whole_order, query.position(query.after)))
    return _all(parts)


def query_sort(query: Query) -> list[tuple[str, int]]:
    """The sort for ``query``."""
    return [(place(order.field), -1 if order.descending else 1) for order in query.whole_order]


def _name(field: str) -> str:
    return "_key" if field == KEY else field.replace(".", "__")


def _all(parts: list[Filter]) -> Filter:
    return {"$and": parts} if parts else {}


def _condition(where: Where) -> Filter:
    text = ordered_text(where.comparable)
    kind = text[0]
    bounds = {_OPERATORS[where.op]: text}
    if where.op in ("<", "<="):
        bounds["$gte"] = kind
    elif where.op in (">", ">="):
        bounds["$lt"] = chr(ord(kind) + 1)
    return {place(where.field): bounds}


def _behind(orders: Sequence[Order], values: Sequence[Scalar]) -> Filter:
    """Greater in the first field, or equal there and greater in the second, and so on."""
    cases = []
    for number, (order, value) in enumerate(zip(orders, values, strict=True)):
        equal = zip(orders[:number], values, strict=False)
        case: Filter = {place(before.field): ordered_text(same) for before, same in equal}
        case[place(order.field)] = {"$lt" if order.descending else "$gt": ordered_text(value)}
        cases.append(case)
    return {"$or": cases}
