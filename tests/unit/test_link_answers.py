"""What a peer's refusal means here."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    ExistsError,
    LocalError,
    RemoteError,
    UnreachableError,
    VUpdateError,
)
from federation.link.answers import PeerError, PeerRefusalError, error_of_answer, plain_text
from federation.link.messages import ErrorBody
from federation.link.refusals import DENIED_CODES

URL = "http://acme.example"


def answer(code: str, message: str = "no", status: int = 400) -> VUpdateError:
    return error_of_answer(URL, status, codec.encode(ErrorBody(code=code, message=message)))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not-found", AbsentError),
        ("conflict", ConflictError),
        ("exists", ExistsError),
        *((code, DeniedError) for code in sorted(DENIED_CODES)),
        ("invalid-value", RemoteError),
        ("busy", RemoteError),
        ("tampered", RemoteError),
        ("unreachable", RemoteError),
        ("something-new", RemoteError),
    ],
)
def test_each_code_has_its_class(code: str, kind: type[VUpdateError]) -> None:
    """The peer's code decides the class, and stays readable apart."""
    error = answer(code)
    assert isinstance(error, kind)
    assert isinstance(error, PeerRefusalError)
    assert error.code == kind.code
    assert error.remote_code == code
    assert error.message == "no"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, DeniedError), (403, DeniedError), (404, AbsentError), (409, ConflictError), (400, RemoteError)],
)
def test_a_code_of_a_newer_peer_is_understood_by_its_status(status: int, kind: type[VUpdateError]) -> None:
    """A code that is not known here still has the meaning that its status gives."""
    error = answer("narrower-than-we-know", status=status)
    assert error.code == kind.code
    assert isinstance(error, PeerRefusalError)
    assert error.remote_code == "narrower-than-we-know"


@pytest.mark.parametrize("code", ["local", "corrupt", "disk-full", "internal"])
def test_a_peers_inner_trouble_is_not_taken_for_ours(code: str) -> None:
    """No peer can make us believe that this installation is at fault."""
    assert not isinstance(answer(code), LocalError)
    assert answer(code).code == "remote"


@pytest.mark.parametrize("code", ["", "A", "x" * 200, "a b", "-a", "not-found\n", "\x1b[31m"])
def test_a_code_of_no_form_is_replaced_by_the_status(code: str) -> None:
    """A code goes into logs and tables, so it must look like one."""
    error = answer(code, status=418)
    assert isinstance(error, PeerError)
    assert error.remote_code == "http-418"


def test_an_answer_of_something_else_is_told_as_it_is() -> None:
    """A page of a proxy is no reason of the peer; 502, 503 and 504 mean that the peer is away."""
    page = b"<html>no</html>"
    assert isinstance(error_of_answer(URL, 404, page), PeerError)
    assert "is it a vUpdate node?" in str(error_of_answer(URL, 404, page))
    for status in (502, 503, 504):
        assert isinstance(error_of_answer(URL, status, page), UnreachableError)
    assert not isinstance(answer("busy", status=503), UnreachableError)


@given(st.binary(max_size=200), st.integers(400, 599))
def test_any_answer_is_an_error_of_ours(body: bytes, status: int) -> None:
    """No body of a peer raises anything else."""
    assert isinstance(error_of_answer(URL, status, body), VUpdateError)


@given(st.text(max_size=3000))
def test_a_peers_sentence_can_not_steer_a_terminal(text: str) -> None:
    """What is shown of a peer's words is one bounded line of visible characters."""
    shown = plain_text(text)
    assert len(shown) <= 500
    assert not any(unicodedata.category(char).startswith("C") for char in shown)
    assert len(shown.splitlines()) <= 1


def test_escape_sequences_and_direction_marks_are_taken_out() -> None:
    """Colours, line breaks and right-to-left overrides do not survive; the words do."""
    assert answer("denied", "\x1b[31mgo\r\naway\u202e now\0").message == "[31mgo away now"
    assert plain_text("  a   b  ") == "a b"
    assert plain_text("x" * 600) == "x" * 499 + "…"
