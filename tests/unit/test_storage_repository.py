"""Typed values over a collection: keys, changes that race, sentences for people."""

import asyncio
from dataclasses import dataclass, replace

import pytest

from federation.errors import AbsentError, ConflictError, CorruptError, ExistsError, UnreachableError
from federation.names import ServiceName
from node.storage import Order, Repository, Where
from node.storage.port import Document
from node.storage.repository import CHANGE_ATTEMPTS
from tests.support.memory_storage import MemoryCollection, MemoryStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: ServiceName
    count: int = 0
    secret: bytes = b""


def thing(name: str, count: int = 0) -> Thing:
    return Thing(name=ServiceName(name), count=count, secret=b"\0\xff")


@pytest.fixture
def collection() -> MemoryCollection:
    return MemoryStorage().collection("things", ("count",))


@pytest.fixture
def things(collection: MemoryCollection) -> Repository[Thing]:
    return Repository(collection, Thing, lambda one: one.name, "thing")


async def test_a_value_comes_back_as_it_was(things: Repository[Thing]) -> None:
    """With its types, bytes included."""
    await things.add(thing("a", 1))
    found = await things.get("a")
    assert found == thing("a", 1)
    assert type(found) is Thing
    assert type(found.name) is ServiceName


async def test_what_is_missing_is_named(things: Repository[Thing]) -> None:
    """Getting it is none, requiring or changing it an error with a sentence."""
    assert await things.get("a") is None
    with pytest.raises(AbsentError, match="there is no thing 'a'"):
        await things.require("a")
    with pytest.raises(AbsentError, match="there is no thing 'a'"):
        await things.change("a", lambda one: one)
    assert await things.remove("a") is False


async def test_what_is_there_is_not_added_again(things: Repository[Thing]) -> None:
    """The error names it, and it stays as it was."""
    await things.add(thing("a", 1))
    with pytest.raises(ExistsError, match="there is a thing 'a' already"):
        await things.add(thing("a", 2))
    assert await things.require("a") == thing("a", 1)


async def test_put_adds_or_replaces(things: Repository[Thing]) -> None:
    """Whatever was there before."""
    for count in (1, 2):
        await things.put(thing("a", count))
        assert await things.require("a") == thing("a", count)


async def test_values_are_found_and_counted(things: Repository[Thing]) -> None:
    """By conditions, in order, at most so many."""
    for number, name in enumerate("abcd"):
        await things.add(thing(name, number))
    found = await things.find(Where("count", ">", 0), order=(Order("count", descending=True),), limit=2)
    assert found == [thing("d", 3), thing("c", 2)]
    assert await things.count(Where("count", ">", 0)) == 3


async def test_many_changes_at_once_all_count(things: Repository[Thing]) -> None:
    """None is lost, though each may have to be tried again."""
    await things.add(thing("a"))
    async with asyncio.TaskGroup() as group:
        for _ in range(15):
            group.create_task(things.change("a", lambda one: replace(one, count=one.count + 1)))
    assert (await things.require("a")).count == 15


async def test_a_change_to_the_same_writes_nothing(things: Repository[Thing], collection: MemoryCollection) -> None:
    """Neither revision nor disk."""
    await things.add(thing("a"))
    await things.change("a", lambda one: one)
    assert collection.writes == 1


async def test_what_a_change_raises_is_passed_on_at_once(things: Repository[Thing]) -> None:
    """Even a conflict of its own: it is not tried again, and nothing is changed."""
    await things.add(thing("a"))
    calls: list[Thing] = []

    def refuse(one: Thing) -> Thing:
        calls.append(one)
        raise ConflictError("seen another")

    with pytest.raises(ConflictError, match="seen another"):
        await things.change("a", refuse)
    assert calls == [thing("a")]


async def test_a_change_can_not_move_a_value(things: Repository[Thing]) -> None:
    """Its key stays."""
    await things.add(thing("a"))
    with pytest.raises(ValueError, match="another key"):
        await things.change("a", lambda _: thing("b"))


class Contended(MemoryCollection):
    """Somebody else changes each document just before we do, so many times."""

    left = 0

    async def replace(self, key: str, body: Document, if_revision: int, blob: bytes | None = None) -> int:
        if self.left > 0:
            self.left -= 1
            await super().replace(key, {**body, "count": 1000 + self.left}, if_revision)
        return await super().replace(key, body, if_revision, blob)


@pytest.fixture
def contended() -> Contended:
    return Contended(MemoryStorage().collection("things", ("count",)).layout)


async def test_a_lost_race_is_run_again_on_the_new_value(contended: Contended) -> None:
    """The change is computed from what the winner left."""
    things = Repository(contended, Thing, lambda one: one.name, "thing")
    await things.add(thing("a"))
    contended.left = 3
    assert (await things.change("a", lambda one: replace(one, count=one.count + 1))).count == 1001


async def test_a_race_lost_for_ever_ends(contended: Contended) -> None:
    """With a sentence, after a bounded number of attempts."""
    things = Repository(contended, Thing, lambda one: one.name, "thing")
    await things.add(thing("a"))
    contended.left = 10 * CHANGE_ATTEMPTS
    with pytest.raises(ConflictError, match="try again later"):
        await things.change("a", lambda one: replace(one, count=one.count + 1))
    assert contended.left == 9 * CHANGE_ATTEMPTS
    with pytest.raises(ConflictError, match="try again later"):
        await things.put(thing("a", 5))


async def test_what_can_not_be_read_is_corrupt(things: Repository[Thing], collection: MemoryCollection) -> None:
    """The sentence names the value and the field, not what is in it."""
    await collection.insert("a", {"name": "a", "count": "many"})
    with pytest.raises(CorruptError, match=r"thing 'a' can't be read: .*count"):
        await things.get("a")


async def test_an_error_of_the_storage_is_passed_on(things: Repository[Thing], collection: MemoryCollection) -> None:
    """Absent is not unreachable."""
    collection.failure = UnreachableError("away")
    with pytest.raises(UnreachableError):
        await things.get("a")
    with pytest.raises(UnreachableError):
        await things.put(thing("a"))


async def test_all_values_are_found_however_many_there_are() -> None:
    """By key, each once, also where they are more than one query may return at a time."""
    things = Repository(MemoryStorage().collection("things"), Thing, lambda one: one.name, "thing")
    assert await things.all() == []
    names = [f"thing-{number:04}" for number in range(2000)]
    for name in reversed(names):
        await things.add(Thing(name=ServiceName(name)))
    assert [one.name for one in await things.all()] == names
