"""What every implementation of the storage port, and its fake, does the same."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation.errors import (
    AbsentError,
    ConflictError,
    ExistsError,
    InvalidValueError,
    LocalError,
    OversizedError,
    VUpdateError,
)
from node.storage.fields import KEY, rank, scalar
from node.storage.port import DOCUMENT_BYTES, Collection, Op, Order, Query, Storage, Stored, Where

Open = Callable[[], Storage]

INDEXES = ("state", "number", "deep.er.field", "state,number")


@pytest.fixture
def things(storage: Storage) -> Collection:
    return storage.collection("things", INDEXES)


async def keys(collection: Collection, *where: Where, order: Sequence[Order] = (), **more: Any) -> list[str]:
    return [stored.key for stored in await collection.find(Query(where=where, order=order, **more))]


async def test_an_inserted_document_is_read_back_at_revision_one(things: Collection) -> None:
    """What is inserted is there at once, at revision 1."""
    body = {"state": "new", "list": [1, 2.5, None, True, {"a": "ü\u2028\0"}], "empty": {}}
    assert await things.insert("k", body) == 1
    assert await things.get("k") == Stored("k", 1, body, None)


async def test_a_missing_key_is_none(things: Collection) -> None:
    """Reading what is not there is not an error."""
    assert await things.get("k") is None


@pytest.mark.parametrize("blob", [b"", b"\0\xff" * 1000])
async def test_a_blob_is_kept_beside_the_body(things: Collection, blob: bytes) -> None:
    """Bytes come back as they were, also none at all, by get and by find."""
    await things.insert("k", {}, blob)
    assert await things.get("k") == Stored("k", 1, {}, blob)
    assert await things.find(Query()) == [Stored("k", 1, {}, blob)]


async def test_a_query_can_leave_blobs_out(things: Collection) -> None:
    """Heads are read without their blobs."""
    await things.insert("k", {"state": "a"}, b"large")
    assert await things.find(Query(blobs=False)) == [Stored("k", 1, {"state": "a"}, None)]


async def test_a_replacement_replaces_body_and_blob(things: Collection) -> None:
    """A replacement without a blob leaves none behind."""
    await things.insert("k", {"old": 1}, b"old")
    assert await things.replace("k", {"new": 2}, 1) == 2
    assert await things.get("k") == Stored("k", 2, {"new": 2}, None)


async def test_a_replacement_can_bring_a_blob(things: Collection) -> None:
    """One that had none, and one that had another."""
    await things.insert("k", {})
    for revision, blob in [(2, b"\0new"), (3, b"\xffnewer"), (4, b"")]:
        assert await things.replace("k", {"state": "x"}, revision - 1, blob) == revision
        assert await things.get("k") == Stored("k", revision, {"state": "x"}, blob)


async def test_the_same_key_is_not_inserted_twice(things: Collection) -> None:
    """A second insert is refused and changes nothing."""
    await things.insert("k", {"n": 1}, b"1")
    with pytest.raises(ExistsError, match="'k' is in things already"):
        await things.insert("k", {"n": 2}, b"2")
    assert await things.get("k") == Stored("k", 1, {"n": 1}, b"1")


async def test_a_replacement_of_an_old_revision_is_refused(things: Collection) -> None:
    """Who saw an old revision can't overwrite the new one."""
    await things.insert("k", {"n": 1})
    await things.replace("k", {"n": 2}, 1)
    with pytest.raises(ConflictError):
        await things.replace("k", {"n": 3}, 1)
    assert await things.get("k") == Stored("k", 2, {"n": 2})


async def test_replacing_nothing_is_an_error(things: Collection) -> None:
    """A replacement does not insert."""
    with pytest.raises(AbsentError):
        await things.replace("k", {}, 1)
    assert await things.get("k") is None


async def test_delete_says_whether_there_was_one(things: Collection) -> None:
    """Deleting twice is not an error, and tells."""
    await things.insert("k", {})
    assert await things.delete("k") is True
    assert await things.delete("k") is False
    assert await things.get("k") is None


async def test_delete_respects_the_revision(things: Collection) -> None:
    """A document that was changed meanwhile is not deleted; one that is gone is not a conflict."""
    await things.insert("k", {})
    await things.replace("k", {}, 1)
    with pytest.raises(ConflictError):
        await things.delete("k", 1)
    assert await things.delete("k", 2) is True
    assert await things.delete("k", 2) is False


async def test_the_key_and_body_of_a_caller_are_not_shared(things: Collection) -> None:
    """Changing a body after it was stored, or after it was read, changes nothing stored."""
    body: dict[str, Any] = {"list": [1]}
    await things.insert("k", body)
    body["list"].append(2)
    read = await things.get("k")
    assert read is not None
    read.body["list"].append(3)
    assert await things.get("k") == Stored("k", 1, {"list": [1]})


@pytest.mark.parametrize("key", ["", "x" * 1001, "nul\0"])
async def test_a_key_out_of_form_is_refused(things: Collection, key: str) -> None:
    """Empty, endless and NUL-bearing keys are refused by every call that takes one."""
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: things.get(key),
        lambda: things.insert(key, {}),
        lambda: things.replace(key, {}, 1),
        lambda: things.delete(key),
    ]
    for call in calls:
        with pytest.raises(InvalidValueError):
            await call()
    assert await things.count() == 0


async def test_keys_are_any_text_and_differ_by_case(things: Collection) -> None:
    """Keys are not paths, patterns or numbers."""
    wanted = ["../x", "A", "a", "a.b", "a/b", "$x", "é", "10", "9", "%", "%%", "'; DROP TABLE c_things; --"]
    for key in wanted:
        await things.insert(key, {})
    assert await keys(things) == sorted(wanted)


async def test_field_names_in_a_body_are_any_text(things: Collection) -> None:
    """A body may have keys that mean something to a database."""
    body = {"$set": 1, "a.b": {"c.d": 2, "": 3}, "_id": 4, "é'\"": 5}
    await things.insert("k", body)
    assert (await things.find(Query()))[0].body == body


async def test_a_document_too_large_is_refused(things: Collection) -> None:
    """The bound counts body and blob together; nothing of it is stored."""
    with pytest.raises(OversizedError):
        await things.insert("k", {"text": "x" * (DOCUMENT_BYTES // 2)}, bytes(DOCUMENT_BYTES // 2))
    assert await things.count() == 0


async def test_a_text_that_is_not_unicode_is_refused(things: Collection) -> None:
    """Half a surrogate pair has no UTF-8."""
    with pytest.raises(InvalidValueError):
        await things.insert("k", {"text": "\ud800"})


async def test_all_conditions_must_hold(things: Collection) -> None:
    """Several conditions narrow the answer."""
    for number in range(6):
        await things.insert(f"k{number}", {"state": "ab"[number % 2], "number": number})
    assert await keys(things, Where("state", "==", "a"), Where("number", ">", 0)) == ["k2", "k4"]
    assert await things.count((Where("state", "==", "a"), Where("number", ">", 0))) == 2


async def test_a_deep_field_is_found_by_its_path(things: Collection) -> None:
    """A dotted path leads through objects."""
    await things.insert("a", {"deep": {"er": {"field": "x"}}})
    await things.insert("b", {"deep": {"er": "x"}})
    await things.insert("c", {"deep.er.field": "x"})
    assert await keys(things, Where("deep.er.field", "==", "x")) == ["a"]


KINDS: dict[str, Any] = {
    "00missing": ...,
    "01null": None,
    "02list": [5],
    "03object": {"a": 5},
    "10false": False,
    "11true": True,
    "12four": 4,
    "13five": 5,
    "14fivehalf": 5.5,
    "15big": 2**53,
    "20empty": "",
    "21digits": "5",
    "22text": "t",
    "23umlaut": "ü",
    "24emoji": "\U0001f600",
}


async def insert_kinds(things: Collection) -> None:
    for key, value in KINDS.items():
        await things.insert(key, {} if value is ... else {"state": value})


@pytest.mark.parametrize(
    ("op", "value", "wanted"),
    [
        ("==", None, "00 01 02 03"),
        ("==", 5, "13"),
        ("==", 5.0, "13"),
        ("==", True, "11"),
        ("==", 1, "11"),
        ("==", "5", "21"),
        ("==", "", "20"),
        ("<", 5, "10 11 12"),
        ("<=", 5, "10 11 12 13"),
        (">", 5, "14 15"),
        (">=", 5, "13 14 15"),
        ("<", "t", "20 21"),
        ("<=", "t", "20 21 22"),
        (">", "t", "23 24"),
        (">=", "", "20 21 22 23 24"),
        ("<", "", ""),
    ],
)
async def test_comparisons_stay_within_a_kind(things: Collection, op: Op, value: Any, wanted: str) -> None:
    """Nothing, numbers and texts do not mix; lists and objects count as nothing."""
    await insert_kinds(things)
    assert [key[:2] for key in await keys(things, Where("state", op, value))] == wanted.split()


async def test_kinds_sort_in_one_order(things: Collection) -> None:
    """Nothing, then numbers, then texts by code point; the other way round when descending."""
    await insert_kinds(things)
    wanted = list(KINDS)
    assert await keys(things, order=(Order("state"),)) == wanted
    assert await keys(things, order=(Order("state", descending=True),)) == wanted[::-1]


async def test_several_orders_each_have_their_direction(things: Collection) -> None:
    """The second order decides among those equal in the first; then the key, in the last order's direction."""
    for key, state, number in [("a", "x", 1), ("b", "x", 2), ("c", "y", 1), ("d", "y", 1)]:
        await things.insert(key, {"state": state, "number": number})
    assert await keys(things, order=(Order("state"), Order("number", descending=True))) == ["b", "a", "d", "c"]
    assert await keys(things, order=(Order("number", descending=True), Order(KEY))) == ["b", "a", "c", "d"]


async def test_a_range_of_keys(things: Collection) -> None:
    """The key can be compared and sorted by like a field."""
    for key in "abcd":
        await things.insert(key, {})
    found = await keys(things, Where(KEY, ">", "a"), Where(KEY, "<=", "c"), order=(Order(KEY, descending=True),))
    assert found == ["c", "b"]
    assert await keys(things, Where(KEY, "==", "b")) == ["b"]


async def test_the_limit_limits(things: Collection) -> None:
    """At most so many, the first ones."""
    for key in "dcba":
        await things.insert(key, {})
    assert await keys(things, limit=2) == ["a", "b"]


async def test_a_cursor_outlives_its_document(things: Collection) -> None:
    """The next page begins behind the place, though the document there was deleted or moved."""
    for key, number in [("a", 1), ("b", 2), ("c", 2), ("d", 3)]:
        await things.insert(key, {"number": number})
    query = Query(order=(Order("number"),), limit=2)
    page = await things.find(query)
    cursor = query.cursor(page[-1])
    await things.delete("b")
    assert await keys(things, order=query.order, after=cursor) == ["c", "d"]


@pytest.mark.parametrize("cursor", ["", "{}", "[1]", "[1,2,3]", "[[1],2]", "b", "\ud800"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    """A cursor comes back from outside, so it is checked."""
    with pytest.raises(InvalidValueError):
        Query(order=(Order("number"),), after=cursor)


async def test_a_field_that_is_not_declared_is_refused(things: Collection) -> None:
    """No query reads everything by mistake."""
    for query in (Query(where=(Where("other", "==", 1),)), Query(order=(Order("other"),))):
        with pytest.raises(InvalidValueError, match="other"):
            await things.find(query)
    with pytest.raises(InvalidValueError, match="other"):
        await things.count((Where("other", "==", 1),))


@pytest.mark.parametrize("name", ["", "a b", "A", "a;", "a'", 'a"', "a.b", "1a", "x" * 101, "_a", "a__b"])
def test_a_collection_has_a_plain_name(storage: Storage, name: str) -> None:
    """Names become part of statements, so only identifiers pass."""
    with pytest.raises(InvalidValueError):
        storage.collection(name)


@pytest.mark.parametrize("field", ["", "a b", "a'", "a..b", ".a", "a.", "a;", "$a", "a,,b", "A", "a\n"])
def test_an_index_is_on_plain_fields(storage: Storage, field: str) -> None:
    """Fields become part of statements, so only paths of identifiers pass."""
    with pytest.raises(InvalidValueError):
        storage.collection("things", (field,))


async def test_collections_are_apart(storage: Storage) -> None:
    """The same key in two collections is two documents."""
    one, two = storage.collection("one"), storage.collection("two")
    await one.insert("k", {"n": 1})
    assert await two.get("k") is None
    assert await two.count() == 0


async def test_one_winner_among_racing_replacements(things: Collection) -> None:
    """Of many that replace the same revision one wins, the others learn of it."""
    await things.insert("k", {"n": -1})
    outcomes: list[object] = []

    async def race(number: int) -> None:
        try:
            outcomes.append(await things.replace("k", {"n": number}, 1))
        except ConflictError:
            outcomes.append("lost")

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(race(number))
    assert sorted(map(str, outcomes)) == ["2", *["lost"] * 19]


async def test_a_refused_write_spoils_none_beside_it(things: Collection) -> None:
    """Writes that stand in one queue have each their own outcome, and are read by those who waited for them."""
    await things.insert("taken", {})
    refused: list[VUpdateError] = []

    async def insert(key: str) -> None:
        try:
            await things.insert(key, {"state": key})
        except ExistsError as error:
            refused.append(error)
        else:
            assert (await things.get(key)) is not None

    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(insert(f"k{number}"))
            group.create_task(insert("taken"))
    assert len(refused) == 50
    assert await things.count() == 51


async def test_a_closed_storage_says_so(open_storage: Open) -> None:
    """After the end every call is refused at once; closing again is nothing."""
    storage = open_storage()
    things = storage.collection("things")
    await storage.close()
    await storage.close()
    for call in (things.get("k"), things.insert("k", {}), things.delete("k"), things.find(Query()), things.count()):
        with pytest.raises(LocalError, match="closed"):
            await call


async def test_an_index_declared_later_covers_what_is_there(open_storage: Open, storage: Storage) -> None:
    """A collection opened with more indexes than before is searched by them, old documents included."""
    before = storage.collection("things", ("state",))
    await before.insert("a", {"state": "x", "number": 1})
    await before.insert("b", {"state": "x", "number": 2})
    after = storage.collection("things", ("state", "number"))
    await after.insert("c", {"number": 3})
    assert await keys(after, Where("number", ">=", 2)) == ["b", "c"]


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    st.just([1]),
    st.just({"a": 1}),
)
bodies = st.lists(st.fixed_dictionaries({}, optional={"state": values, "number": values}), max_size=12)
directions = st.lists(
    st.builds(Order, st.sampled_from(["state", "number", KEY]), st.booleans()), max_size=3, unique_by=lambda o: o.field
)


@given(bodies=bodies, order=directions, size=st.integers(1, 4))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_pages_put_together_are_the_whole_in_order(
    open_storage: Open, bodies: list[dict[str, Any]], order: list[Order], size: int
) -> None:
    """Whatever the values and the orders: pages neither repeat nor lose a document, and are sorted as Python sorts."""

    async def run() -> None:
        storage = open_storage()
        try:
            collection = storage.collection("pages", ("state", "number"))
            for left in await collection.find(Query(limit=10_000)):
                await collection.delete(left.key)
            for number, body in enumerate(bodies):
                await collection.insert(f"k{number:02}", body)
            query: Query | None = Query(order=tuple(order), limit=size)
            found: list[Stored] = []
            while query is not None:
                page = await collection.find(query)
                found += page
                follow = query.cursor(page[-1]) if page else None
                query = Query(order=tuple(order), limit=size, after=follow) if page else None
            assert [stored.key for stored in found] == expected(bodies, Query(order=tuple(order)).whole_order)
        finally:
            await storage.close()

    asyncio.run(run())


def expected(bodies: list[dict[str, Any]], orders: tuple[Order, ...]) -> list[str]:
    rows = [(f"k{number:02}", body) for number, body in enumerate(bodies)]
    for order in reversed(orders):
        rows.sort(
            key=lambda row, f=order.field: rank(row[0] if f == KEY else scalar(row[1], f)),  # type: ignore[misc]
            reverse=order.descending,
        )
    return [key for key, _ in rows]
