"""Invitations and enrolments: texts copied by hand."""

import base64
import json
import textwrap
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import InvalidValueError
from federation.keys import PrivateKey
from federation.link.address import check_url
from federation.link.invitation import Enrolment, Invitation, new_secret
from federation.names import InstanceName, NodeName, ProfileName
from tests.support.clock import FIXED_START

KEY = PrivateKey(b"k" * 32).public
EXPIRES = FIXED_START + timedelta(days=1)


def invitation(url: str = "http://127.0.0.1:8440", secret: str | None = None) -> Invitation:
    return Invitation(
        url=url,
        node=NodeName("acme"),
        key=KEY,
        profile=ProfileName("public-services"),
        secret=secret or new_secret(),
        expires=EXPIRES,
    )


def enrolment() -> Enrolment:
    return Enrolment(
        url="https://globex.example",
        node=NodeName("globex"),
        key=KEY,
        instance=InstanceName("web-1"),
        secret=new_secret(),
        expires=EXPIRES,
    )


def text_of(**changes: object) -> str:
    """An invitation's text with fields changed or, by ``None``, left out."""
    content = invitation().text.removeprefix("vui1:")
    fields = {**json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))), **changes}
    kept = {name: value for name, value in fields.items() if value is not None}
    return "vui1:" + base64.urlsafe_b64encode(json.dumps(kept).encode()).decode().rstrip("=")


def test_what_was_written_is_read() -> None:
    """An invitation and an enrolment come back from their texts as they were."""
    one, other = invitation(), enrolment()
    assert one.text.startswith("vui1:")
    assert Invitation.from_text(one.text) == one
    assert other.text.startswith("vua1:")
    assert Enrolment.from_text(other.text) == other


def test_line_breaks_of_a_terminal_do_no_harm() -> None:
    """A text that was wrapped and indented on its way is read all the same."""
    one = invitation()
    wrapped = "\r\n  ".join(textwrap.wrap(one.text, 60))
    assert Invitation.from_text(f"\n {wrapped} \n") == one


def test_the_text_is_short_enough_to_copy() -> None:
    """The longest names still give a text within the bound."""
    long = Invitation(
        url="https://" + "a" * 200 + ".example:65535",
        node=NodeName("n" * limits.NODE_NAME_CHARS),
        key=KEY,
        profile=ProfileName("p" * limits.PROFILE_NAME_CHARS),
        secret=new_secret(),
        expires=EXPIRES,
    )
    assert Invitation.from_text(long.text) == long


@pytest.mark.parametrize("text", ["", "hello", "http://x", "vui2:abc", "VUI1:abc", "vua1:abc"])
def test_what_is_no_invitation_says_what_to_copy(text: str) -> None:
    """Another text is refused with what to look for."""
    with pytest.raises(InvalidValueError, match="copy the whole text, it begins with vui1:"):
        Invitation.from_text(text)


def test_an_invitation_is_no_enrolment() -> None:
    """The two kinds can't be taken for each other."""
    with pytest.raises(InvalidValueError, match="begins with vua1:"):
        Enrolment.from_text(invitation().text)
    swapped = "vua1:" + invitation().text.removeprefix("vui1:")
    with pytest.raises(InvalidValueError, match="begins with vua1:"):
        Enrolment.from_text(swapped)


@given(st.integers(0, 10**6))
def test_a_text_cut_off_anywhere_is_refused(cut: int) -> None:
    """Half a text is never half an invitation."""
    text = invitation().text
    with pytest.raises(InvalidValueError, match="begins with vui1:"):
        Invitation.from_text(text[: cut % len(text)])


@given(st.text(max_size=300))
def test_any_text_is_an_invitation_or_a_clear_refusal(text: str) -> None:
    """No text breaks the reader."""
    for whole in (text, "vui1:" + text):
        with pytest.raises(InvalidValueError):
            Invitation.from_text(whole)


def test_a_text_over_the_bound_is_refused() -> None:
    """A huge text is not decoded."""
    for text in (invitation().text + "A" * limits.INVITATION_CHARS, "vui1:" + "A" * 10**6):
        with pytest.raises(InvalidValueError, match="too long"):
            Invitation.from_text(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://x"},
        {"url": None},
        {"node": "../acme"},
        {"key": "AAAA"},
        {"profile": ""},
        {"secret": "short"},
        {"secret": "x" * 42},
        {"secret": "A" * 200},
        {"secret": "é" * 43},
        {"secret": "/" * 43},
        {"expires": "2026-03-01T12:00:00"},
        {"expires": 7},
    ],
    ids=str,
)
def test_a_text_with_a_bad_field_is_refused(changes: dict[str, object]) -> None:
    """Each field is checked as it is read."""
    with pytest.raises(InvalidValueError):
        Invitation.from_text(text_of(**changes))


def test_a_secret_is_never_shown() -> None:
    """Neither the printed value nor a refusal repeats the secret."""
    secret = new_secret()
    assert secret not in repr(invitation(secret=secret))
    with pytest.raises(InvalidValueError) as caught:
        invitation(secret=secret[:-2] + "!!")
    assert secret[:10] not in str(caught.value)


def test_secrets_are_random_and_long() -> None:
    """Each secret has 32 fresh random bytes."""
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(base64.urlsafe_b64decode(secret + "=")) == 32 for secret in made)


def test_an_invitation_knows_when_it_is_over() -> None:
    """It is good until its moment of expiry, and not in it."""
    assert not invitation().expired(EXPIRES - timedelta(seconds=1))
    assert invitation().expired(EXPIRES)
    assert enrolment().expired(EXPIRES)


@pytest.mark.parametrize(
    "url",
    ["http://a", "https://acme.example", "http://127.0.0.1:8440", "http://[::1]:8440", "http://node-1.lan:1/"],
)
def test_addresses_of_nodes_are_taken(url: str) -> None:
    """A host by name or number, with or without a port; a slash at the end is taken off."""
    assert check_url(url) == url.rstrip("/")
    assert invitation(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "acme.example",
        "//acme.example",
        "http:",
        "http://",
        "http:///x",
        "http://:80",
        "http://-a",
        "ftp://acme.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "HTTP://acme.example",
        "http://user@acme.example",
        "http://user:secret@acme.example",
        "http://acme.example/prefix",
        "http://acme.example//",
        "http://acme.example?",
        "http://acme.example?x",
        "http://acme.example#x",
        "http://acme.example:",
        "http://acme.example:0",
        "http://acme.example:65536",
        "http://acme.example:８０",
        "http://acme .example",
        "http://acme.example\n",
        "http://acme.example\\@evil",
        "http://[::1",
        "http://é.example",
        "http://" + "a" * 600,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Whatever could lead elsewhere, carry a password or be read in two ways is no address of a node."""
    with pytest.raises(InvalidValueError, match="is not a node's address"):
        check_url(url)
