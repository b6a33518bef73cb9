"""Desired versions as values: what a change does, and what lies between two revisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.errors import InvalidValueError
from federation.names import ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import Delta, ListKind, Revision, difference
from tests.support import strategies as values

lists = st.dictionaries(values.service_names(), values.client_versions().map(str), max_size=6)


def revision(versions: dict[ServiceName, str], kind: ListKind = ListKind.CLIENT) -> Revision:
    return Revision(kind=kind, number=1, versions=versions)


@given(lists, lists)
def test_the_difference_leads_from_one_list_to_the_other(
    before: dict[ServiceName, str], after: dict[ServiceName, str]
) -> None:
    """Applied to the first it gives the second, and it leaves the first alone."""
    kept = dict(before)
    assert revision(before).applied(difference(before, after)) == after
    assert before == kept


@given(lists, lists)
def test_the_difference_is_no_longer_than_it_must(
    before: dict[ServiceName, str], after: dict[ServiceName, str]
) -> None:
    """Each service once, by name, only where the lists differ."""
    deltas = difference(before, after)
    names = [delta.service for delta in deltas]
    assert names == sorted({name for name in {*before, *after} if before.get(name) != after.get(name)})


@given(lists)
def test_no_difference_between_equal_lists(versions: dict[ServiceName, str]) -> None:
    """And an empty change changes nothing."""
    assert difference(versions, dict(versions)) == ()
    assert revision(versions).applied(()) == versions


@given(lists, lists)
def test_the_way_back_is_the_difference_the_other_way(
    before: dict[ServiceName, str], after: dict[ServiceName, str]
) -> None:
    """So a rollback is a change like others."""
    there = revision(before).applied(difference(before, after))
    assert revision(there).applied(difference(after, before)) == before


def test_removing_what_is_not_there_is_no_error() -> None:
    """The list is as asked."""
    assert revision({}).applied((Delta(service=ServiceName("shop"), version=None),)) == {}


def test_the_later_of_two_deltas_of_one_service_wins() -> None:
    """They are applied in their order."""
    shop = ServiceName("shop")
    deltas = (Delta(service=shop, version="acme-1.0"), Delta(service=shop, version="acme-2.0"))
    assert revision({}).applied(deltas) == {shop: "acme-2.0"}


@given(lists)
def test_a_revision_survives_its_document(versions: dict[ServiceName, str]) -> None:
    """The keys come back as names."""
    one = Revision(
        kind=ListKind.CLIENT, number=3, versions=versions, who="ada", why="test", deltas=difference({}, versions)
    )
    again = codec.from_document(codec.to_document(one), Revision)
    assert again == one
    assert all(type(name) is ServiceName for name in again.versions)
    assert again.client == {name: ClientVersion(text) for name, text in versions.items()}


def test_a_developer_list_holds_no_client_versions() -> None:
    """Read as what it is not, it is refused."""
    one = revision({ServiceName("shop"): "acme-1.0_1"}, ListKind.DEVELOPER)
    with pytest.raises(InvalidValueError):
        _ = one.developer
    assert revision({ServiceName("shop"): "acme-1.0"}).developer == {"shop": DeveloperVersion("acme-1.0")}


def test_a_name_in_a_stored_list_is_checked() -> None:
    """A document that was tampered with is not believed."""
    document = codec.to_document(revision({ServiceName("shop"): "acme-1.0"}))
    document["versions"] = {"../shop": "acme-1.0"}
    with pytest.raises(InvalidValueError):
        codec.from_document(document, Revision)
