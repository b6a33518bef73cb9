"""Names can't be built wrong, and none can lead out of a folder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidValueError
from federation.names import InstanceName, NodeName, ProfileName, RoleName, ServiceKey, ServiceName

NAMES = [NodeName, ServiceName, RoleName, ProfileName, InstanceName]
NEVER = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "a/../b",
    "/etc",
    "a\\b",
    "a\0",
    "a\n",
    " a",
    "a ",
    "a b",
    "a.b",
    "~a",
    "-a",
    "A",
    "ä",
    "а",  # a Cyrillic a
    "a\u0661",  # an Arabic-Indic one
    "a\u200b",
    "%2e%2e",
    "a:b",
    "con$",
    "a" * 61,
]


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("text", NEVER)
def test_no_name_holds_what_means_something_to_a_shell_or_a_path(kind: type[str], text: str) -> None:
    """Neither separators nor dots, blanks, capitals, other scripts' letters and digits, nor too much."""
    with pytest.raises(InvalidValueError):
        kind(text)


@pytest.mark.parametrize("text", ["acme", "a", "acme-labs", "a1-b2-3", "a" * 40])
def test_node_names(text: str) -> None:
    """Letters and digits in groups joined by single dashes."""
    assert NodeName(text) == text


@pytest.mark.parametrize("text", ["acme-", "acme--labs", "a_b", "1a", "a" * 41])
def test_what_is_no_node_name(text: str) -> None:
    """A dash at the end would make a version's split at the last dash ambiguous."""
    with pytest.raises(InvalidValueError, match="node name"):
        NodeName(text)


@pytest.mark.parametrize("text", ["shop", "s", "shop_2", "shop-front-", "a" * 60])
def test_service_names(text: str) -> None:
    """Also with underscores, and as profile names."""
    assert ServiceName(text) == text == ProfileName(text)


@pytest.mark.parametrize("text", ["web-1", "1", "db_2", "10-0-0-1"])
def test_instance_names(text: str) -> None:
    """A host's label may begin with a digit."""
    assert InstanceName(text) == text


def test_a_service_key_names_a_service_and_perhaps_a_role() -> None:
    """Split at the colon."""
    assert (ServiceKey("shop").service, ServiceKey("shop").role) == ("shop", None)
    assert (ServiceKey("shop:worker").service, ServiceKey("shop:worker").role) == ("shop", "worker")


@pytest.mark.parametrize("text", ["", ":", "shop:", ":worker", "shop:a:b", "shop:../x", "../x:worker", "shop/..:a"])
def test_what_is_no_service_key(text: str) -> None:
    """Both parts are names."""
    with pytest.raises(InvalidValueError):
        ServiceKey(text)


@given(st.text(max_size=70) | st.text("ab1-_./\\: ", max_size=12))
def test_any_accepted_text_is_one_plain_file_name(text: str) -> None:
    """Whatever the class takes may stand as a folder's name."""
    for kind in NAMES:
        try:
            name = kind(text)
        except InvalidValueError:
            continue
        assert name == text
        assert text.isascii()
        assert text not in (".", "..")
        assert not set(text) & set("/\\\0:. ")
        assert len(text) <= 60


def test_the_refusal_of_a_long_name_is_short() -> None:
    """And says what the bound is."""
    with pytest.raises(InvalidValueError, match="40") as caught:
        NodeName("x" * 1_000_000)
    assert len(caught.value.message) < 200


def test_a_name_passed_again_is_itself() -> None:
    """Constructors may be called on values that are already checked."""
    name = NodeName("acme")
    assert NodeName(name) is name
