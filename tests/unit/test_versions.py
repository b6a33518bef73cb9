"""Version numbers: reading, writing, order, the next one (domain.md §2)."""

import copy
import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import InvalidValueError
from federation.names import NodeName
from federation.versions import ClientVersion, DeveloperVersion
from tests.support import strategies as values

few_nodes = st.sampled_from([NodeName("acme"), NodeName("acme-labs"), NodeName("globex")])
small_builds = st.lists(st.sampled_from([0, 1, 2, 9, 10, 11]), min_size=1, max_size=4).map(tuple)
near = st.builds(DeveloperVersion.of, few_nodes, small_builds)
near_clients = st.builds(ClientVersion.of, near, st.integers(0, 3))


def test_a_developer_version_is_split_at_the_last_dash() -> None:
    """A node's name may hold dashes itself."""
    version = DeveloperVersion("acme-labs-1.4.2")
    assert (version.node, version.build) == ("acme-labs", (1, 4, 2))
    assert str(version) == "acme-labs-1.4.2"


def test_a_client_version_is_split_at_the_last_underscore() -> None:
    """``_N`` counts the adaptations."""
    version = ClientVersion("acme-1.4.2_3")
    assert (version.base, version.number) == (DeveloperVersion("acme-1.4.2"), 3)


def test_client_number_zero_is_read_and_means_no_suffix() -> None:
    """There is one spelling of each client version."""
    assert ClientVersion("acme-1.4.2_0") == ClientVersion("acme-1.4.2") == "acme-1.4.2"


@given(values.developer_versions())
def test_a_developer_version_survives_its_text(version: DeveloperVersion) -> None:
    """Parsing what is written gives the same again, field by field."""
    again = DeveloperVersion(str(version))
    assert (again, again.node, again.build) == (version, version.node, version.build)


@given(values.client_versions())
def test_a_client_version_survives_its_text(version: ClientVersion) -> None:
    """Parsing what is written gives the same again, field by field."""
    again = ClientVersion(str(version))
    assert (again, again.base, again.number) == (version, version.base, version.number)


@pytest.mark.parametrize(
    "ordered",
    [
        ["acme-1.1", "acme-1.1.1"],
        ["acme-2.3", "acme-2.3_1", "acme-2.3_2", "acme-5.1"],
        ["acme-1.2", "acme-1.10"],
        ["acme-1.9.9_40", "acme-1.10.0"],
        ["acme-9.9", "globex-1.0"],
        ["acme-2_9", "acme-2_10"],
    ],
)
def test_the_order_of_the_domain_paper(ordered: list[str]) -> None:
    """By node, then numbers, a prefix first, then the client number."""
    versions = [ClientVersion(text) for text in ordered]
    for shuffled in itertools.permutations(versions):
        assert sorted(shuffled) == versions
    assert all(one < two and two > one and one <= two and two >= one for one, two in itertools.pairwise(versions))


@given(st.lists(near_clients, min_size=3, max_size=3))
def test_the_order_is_total(three: list[ClientVersion]) -> None:
    """Exactly one of less, equal, greater; and less passes on."""
    one, two, three_ = three
    assert [one < two, one == two, one > two].count(True) == 1
    assert (one <= two) == (one < two or one == two)
    assert (one >= two) == (one > two or one == two)
    if one < two < three_:
        assert one < three_


@given(near, near)
def test_the_order_is_that_of_the_parts(one: DeveloperVersion, two: DeveloperVersion) -> None:
    """Not that of the letters, which would put 1.10 before 1.2."""
    assert (one < two) == ((str(one.node), one.build) < (str(two.node), two.build))


@given(values.developer_versions())
def test_the_next_version_is_greater_and_only_its_last_component_grew(version: DeveloperVersion) -> None:
    """Until the number of digits ends, which is refused."""
    if version.build[-1] == 999_999_999:
        with pytest.raises(InvalidValueError, match="digits"):
            version.next()
        return
    following = version.next()
    assert following > version
    assert following.node == version.node
    assert following.build == (*version.build[:-1], version.build[-1] + 1)


def test_the_first_build_is_1_0_0() -> None:
    """And the one after it 1.0.1."""
    first = DeveloperVersion.first(NodeName("acme"))
    assert (first, first.next()) == ("acme-1.0.0", "acme-1.0.1")


def test_the_next_client_version_counts_up() -> None:
    """From the bare one to ``_1`` to ``_2``."""
    bare = ClientVersion("acme-1.0.0")
    assert [bare.next(), bare.next().next()] == ["acme-1.0.0_1", "acme-1.0.0_2"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no '-'"),
        ("acme", "no '-'"),
        ("1.2.3", "no '-'"),
        ("acme-", "not a number"),
        ("acme-1.", "not a number"),
        ("acme-1..2", "not a number"),
        ("acme-.1", "not a number"),
        ("acme-1.x", "'x' is not a number"),
        ("acme-01", "leading zeros"),
        ("acme-1.00", "leading zeros"),
        ("acme--1", "not a number|not a node name"),
        ("acme-+1", "not a number"),
        ("acme-1 ", "not a number"),
        ("acme-1\n", "not a number"),
        ("acme-1\0", "not a number"),
        ("acme-١", "not a number"),  # an Arabic-Indic one
        ("acme-1_0", "not a number"),
        ("Acme-1.0", "not a node name"),
        ("-1.0", "not a node name"),
        ("../etc-1.0", "not a node name"),
        ("acme-1234567890", "digits"),
        ("acme-" + ".".join("1" * 17), "components"),
        ("a" * 41 + "-1.0", "longer than 40"),
        ("acme-" + "1" * 300, "at most 200 characters"),
    ],
)
def test_a_malformed_developer_version_is_refused_with_the_reason(text: str, reason: str) -> None:
    """The sentence names what is wrong."""
    with pytest.raises(InvalidValueError, match=reason) as caught:
        DeveloperVersion(text)
    assert caught.value.code == "invalid-value"
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(
    "text", ["acme-1.0_", "acme-1.0_x", "acme-1.0_01", "acme-1.0_-1", "acme-1.0_1_1", "_1", "acme-1.0_1\n"]
)
def test_a_malformed_client_version_is_refused(text: str) -> None:
    """The suffix is a number without leading zeros."""
    with pytest.raises(InvalidValueError):
        ClientVersion(text)


def test_a_huge_text_is_refused_with_a_short_sentence() -> None:
    """The refusal does not carry the attacker's megabytes on."""
    for text in ("acme-1.0_" + "9" * 1_000_000, "acme-" + "9" * 1_000_000, "a" * 1_000_000, "_" * 1_000_000):
        with pytest.raises(InvalidValueError) as caught:
            ClientVersion(text)
        assert len(caught.value.message) < 500


@given(st.text(max_size=30) | st.text("acme-_.0123456789", max_size=30))
def test_any_text_is_a_version_in_its_one_spelling_or_refused(text: str) -> None:
    """No third way."""
    try:
        version = DeveloperVersion(text)
    except InvalidValueError:
        return
    assert str(version) == text
    assert len(text) <= limits.VERSION_CHARS
    assert DeveloperVersion.of(version.node, version.build) == version


def test_a_developer_and_a_client_version_have_no_common_order() -> None:
    """Comparing them is a mistake in the program, and shows as one."""
    with pytest.raises(TypeError):
        _ = DeveloperVersion("acme-1.0") < ClientVersion("acme-1.1")  # type: ignore[operator, unused-ignore]


@given(values.client_versions())
def test_a_version_survives_copying_and_pickling(version: ClientVersion) -> None:
    """With its parts, so that it still has an order."""
    for again in (copy.deepcopy(version), pickle.loads(pickle.dumps(version))):  # noqa: S301 our own bytes
        assert again == version
        assert again.next() > version if version.number < 999_999_999 else True


def test_equal_versions_are_one_key() -> None:
    """Ordering must not take hashing away."""
    assert len({DeveloperVersion("acme-1.0"), DeveloperVersion("acme-1.0")}) == 1
    assert {ClientVersion("acme-1.0_0"): "x"}[ClientVersion("acme-1.0")] == "x"
