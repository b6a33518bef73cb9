"""Desired versions change as a whole, against the revision their author saw, and keep their history."""

from pathlib import Path

import pytest

from federation.errors import AbsentError, ConflictError
from federation.names import ServiceName
from node.model.desired import Delta, ListKind
from tests.support.nodes import WHO, Member, Network

SHOP = ServiceName("shop")
DEVELOPER = ListKind.DEVELOPER


@pytest.fixture
async def acme(tmp_path: Path) -> Member:
    member = Network(tmp_path).add("acme")
    for number in range(3):
        await member.develop("shop", f"acme-1.0.{number}", {"app.py": b"%d" % number})
    return member


async def test_each_change_is_one_revision_with_who_and_why(acme: Member) -> None:
    """The newest revision comes first, and each says what it changed."""
    history = await acme.use.desired.history(DEVELOPER, first=10, before=None)
    assert [one.number for one in history] == [3, 2, 1]
    assert history[0].deltas == (Delta(service=SHOP, version="acme-1.0.2"),)
    assert (history[0].who, history[0].why) == (WHO, "developed")
    assert [one.number for one in await acme.use.desired.history(DEVELOPER, first=10, before=3)] == [2, 1]


async def test_a_change_against_an_old_revision_is_refused_with_the_difference(acme: Member) -> None:
    """Who did not see the last change is told it, and nothing is changed."""
    with pytest.raises(ConflictError, match=r"shop → acme-1\.0\.2"):
        await acme.use.desired.change(
            DEVELOPER, (Delta(service=SHOP, version="acme-1.0.0"),), seen=2, who="late", why=""
        )
    assert await acme.desired() == {"shop": "acme-1.0.2"}


async def test_a_version_that_is_not_here_whole_cannot_become_desired(acme: Member) -> None:
    """A name alone is not enough."""
    with pytest.raises(AbsentError, match=r"acme-9\.9"):
        await acme.use.desired.change(DEVELOPER, (Delta(service=SHOP, version="acme-9.9"),), seen=3, who=WHO, why="")
    assert (await acme.use.desired.current(DEVELOPER)).number == 3


async def test_a_change_that_changes_nothing_makes_no_revision(acme: Member) -> None:
    """Setting what is set leaves history alone."""
    same = await acme.use.desired.change(
        DEVELOPER, (Delta(service=SHOP, version="acme-1.0.2"),), seen=3, who=WHO, why=""
    )
    assert same.number == 3


async def test_rollback_is_a_new_revision_with_the_old_versions(acme: Member) -> None:
    """History is never rewritten; rolling back to nothing removes all."""
    back = await acme.use.desired.rollback(DEVELOPER, 1, who=WHO, why="")
    assert (back.number, back.versions) == (4, {"shop": "acme-1.0.0"})
    assert "revision 1" in back.why
    empty = await acme.use.desired.rollback(DEVELOPER, 0, who=WHO, why="all of it")
    assert empty.versions == {}
    with pytest.raises(AbsentError):
        await acme.use.desired.rollback(DEVELOPER, 99, who=WHO, why="")


async def test_changes_stand_in_the_audit_log(acme: Member) -> None:
    """Each change of the list can be found with its author."""
    entries = [entry for entry in await acme.use.audit.find(first=50) if entry.action == "desired-developer"]
    assert len(entries) == 3
    assert all(entry.who == WHO for entry in entries)
