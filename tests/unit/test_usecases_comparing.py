"""Two versions of a service side by side, on a node and over its API."""

from pathlib import Path
from typing import Any

import pytest

from federation.compare import Change
from federation.errors import AbsentError, CorruptError
from federation.names import ServiceName
from node.graphql.schema import schema
from node.model.account import Role
from node.model.desired import ListKind
from node.usecases.comparing import Comparison, compare_versions
from tests.support.graphql_answers import answers
from tests.support.graphql_usecases import FakeUsecases, context
from tests.support.nodes import Member, Network

SHOP = ServiceName("shop")
OLD = {"app.py": b"print(1)\n", "static/a.css": b"a", "static/b.css": b"b"}
NEW = {"app.py": b"print(12)\n", "static/a.css": b"a", "static/c.css": b"c"}


@pytest.fixture
async def acme(tmp_path: Path) -> Member:
    """A node with two versions that differ, and a third whose files are those of the second."""
    member = Network(tmp_path).add("acme")
    for number, files in enumerate((OLD, NEW, NEW)):
        await member.develop("shop", f"acme-1.0.{number}", files)
    return member


async def compared(member: Member, version: str, other: str, kind: ListKind = ListKind.DEVELOPER) -> Comparison:
    use = member.use
    return await compare_versions(use.versions, use.images, kind=kind, service=SHOP, version=version, other=other)


async def test_what_one_version_changed_is_found(acme: Member) -> None:
    """By the indexes of their images: what stayed is not told."""
    found = await compared(acme, "acme-1.0.0", "acme-1.0.1")
    assert not found.same
    assert {one.path: one.changes for one in found.differences} == {
        "app.py": (Change.CONTENT,),
        "static/b.css": (Change.REMOVED,),
        "static/c.css": (Change.ADDED,),
    }
    assert [one.path for one in (await compared(acme, "acme-1.0.1", "acme-1.0.0")).differences] == [
        one.path for one in found.differences
    ]


async def test_versions_with_one_image_are_the_same(acme: Member) -> None:
    """Two versions of the same files, though their manifests differ; and a version and itself."""
    for version in ("acme-1.0.1", "acme-1.0.2"):
        found = await compared(acme, "acme-1.0.1", version)
        assert found.same
        assert found.differences == ()


async def test_a_version_that_is_not_here_is_named(acme: Member) -> None:
    """Whichever of the two it is, and of whichever list."""
    for pair in (("acme-1.0.0", "acme-9.0.0"), ("acme-9.0.0", "acme-1.0.0")):
        with pytest.raises(AbsentError, match=r"no developer version acme-9\.0\.0 of shop"):
            await compared(acme, *pair)
    with pytest.raises(AbsentError, match="no client version"):
        await compared(acme, "acme-1.0.0", "acme-1.0.1", ListKind.CLIENT)


async def test_a_damaged_image_is_not_taken_for_another_one(acme: Member) -> None:
    """An index that can't be read ends the comparison; nothing is told to be added or removed."""
    image = (await acme.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.1")).image
    (blob,) = (acme.folder / "blobs").rglob(f"{image}.zst")
    blob.write_bytes(b"damaged")
    with pytest.raises(CorruptError):
        await compared(acme, "acme-1.0.0", "acme-1.0.1")


async def ask(arguments: str, usecases: FakeUsecases) -> Any:
    text = f"""{{ compareVersions(service: "guestbook", version: "acme-1.0.0", {arguments}) {{
      same added removed changed
      differences {{ path changes before {{ kind sizeBytes target }} after {{ kind sizeBytes target }} }} }} }}"""
    return await schema().execute(text, context_value=context(usecases, Role.VIEWER))


async def test_the_api_lists_no_more_than_is_asked_for_and_counts_all() -> None:
    """Each difference with what stood there and what stands there now."""
    result = await ask('other: "acme-1.0.1", first: 2', FakeUsecases(answers()))
    assert result.errors is None
    assert result.data["compareVersions"] == {
        "same": False,
        "added": 1,
        "removed": 1,
        "changed": 2,
        "differences": [
            {
                "path": "app.py",
                "changes": ["CONTENT"],
                "before": {"kind": "FILE", "sizeBytes": 1200.0, "target": None},
                "after": {"kind": "FILE", "sizeBytes": 1300.0, "target": None},
            },
            {
                "path": "now",
                "changes": ["ADDED"],
                "before": None,
                "after": {"kind": "LINK", "sizeBytes": None, "target": "run"},
            },
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('other: "acme-1.0.1", first: 1001', "first: 1001 is not from 1 to 1000"),
        ('other: "../1"', "other: "),
        ('other: "acme-1.0.0_1"', "other: "),
    ],
)
async def test_a_mistake_in_what_is_asked_is_named(arguments: str, said: str) -> None:
    """Before anything is read."""
    usecases = FakeUsecases({})
    result = await ask(arguments, usecases)
    (error,) = result.errors
    assert error.message.startswith(said)
    assert error.extensions["code"] == "invalid-value"
    assert usecases.calls == []
