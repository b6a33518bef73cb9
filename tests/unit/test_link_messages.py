"""The bodies of the routes between peers."""

import pytest

from federation import codec, limits
from federation.errors import AbsentError, InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey
from federation.link.invitation import new_secret
from federation.link.messages import (
    Enrol,
    Enrolled,
    ErrorBody,
    FaultTaken,
    LinkAccepted,
    LinkEnd,
    LinkState,
    LogsTaken,
    Redeem,
    ReportTaken,
)
from federation.link.rights import Right
from federation.names import InstanceName, NodeName, ProfileName
from tests.support.clock import FIXED_START

ACME = PrivateKey(b"a" * 32)
GLOBEX = PrivateKey(b"g" * 32)
STRANGER = PrivateKey(b"s" * 32)


@pytest.mark.parametrize(
    "value",
    [
        Redeem(secret=new_secret(), node=NodeName("globex"), key=GLOBEX.public),
        LinkAccepted(provider=NodeName("acme"), profile=ProfileName("p"), consumer=GLOBEX.id),
        LinkState(
            provider=NodeName("acme"),
            consumer=GLOBEX.id,
            profile=ProfileName("p"),
            rights=frozenset({Right.TAKE}),
            url="https://acme.example:7420",
            root="{}",
            revision=7,
            issued=FIXED_START,
        ),
        LinkEnd(at=FIXED_START),
        ReportTaken(id="7"),
        Enrol(secret=new_secret(), key=GLOBEX.public),
        Enrolled(node=NodeName("acme"), instance=InstanceName("web-1"), agent=GLOBEX.id),
        LogsTaken(through=7),
        FaultTaken(id="b8f1c2f0-3a0c-4f57-9b53-0b6a7e0f6f0a"),
        ErrorBody(code="denied", message="no"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_message_travels_whole(value: object) -> None:
    """What was encoded is decoded."""
    assert codec.decode(codec.encode(value), type(value)) == value


def test_a_link_is_believed_from_its_provider_for_its_consumer_only() -> None:
    """The answer to an invitation counts only when the invited key's holder signed it, and for us."""
    accepted = LinkAccepted(provider=NodeName("acme"), profile=ProfileName("p"), consumer=GLOBEX.id)
    content = accepted.sign(ACME)
    assert LinkAccepted.read(content, provider=ACME.public, reader=GLOBEX.id) == accepted
    with pytest.raises(TamperedError):
        LinkAccepted.read(content, provider=STRANGER.public, reader=GLOBEX.id)
    with pytest.raises(TamperedError):
        LinkAccepted.read(content, provider=ACME.public, reader=STRANGER.id)


def test_an_enrolment_is_believed_from_its_node_only() -> None:
    """A statement of another key or another type does not attach an agent."""
    enrolled = Enrolled(node=NodeName("acme"), instance=InstanceName("web-1"), agent=GLOBEX.id)
    assert Enrolled.read(enrolled.sign(ACME), node=ACME.public, reader=GLOBEX.id) == enrolled
    with pytest.raises(TamperedError):
        Enrolled.read(enrolled.sign(STRANGER), node=ACME.public, reader=GLOBEX.id)
    with pytest.raises(TamperedError):
        Enrolled.read(enrolled.sign(ACME), node=ACME.public, reader=STRANGER.id)
    other = LinkAccepted(provider=NodeName("acme"), profile=ProfileName("p"), consumer=GLOBEX.id)
    with pytest.raises(TamperedError):
        Enrolled.read(other.sign(ACME), node=ACME.public, reader=GLOBEX.id)


def test_secrets_of_messages_are_never_shown() -> None:
    """A printed message can go into a log."""
    secret = new_secret()
    assert secret not in repr(Redeem(secret=secret, node=NodeName("globex"), key=GLOBEX.public))
    assert secret not in repr(Enrol(secret=secret, key=GLOBEX.public))


def test_an_error_tells_its_code_and_a_bounded_sentence() -> None:
    """An error's body has the stable code of its class."""
    body = ErrorBody.of(AbsentError("x" * 10_000))
    assert body.code == "not-found"
    assert len(body.message) == 1000


def test_a_checkpoint_is_not_below_zero() -> None:
    """No agent is told to forget less than nothing."""
    with pytest.raises(InvalidValueError):
        LogsTaken(through=-1)


def test_a_root_over_the_bound_is_refused() -> None:
    """What a link's trust begins with is bounded like all that is received."""
    large = "x" * (limits.LINK_ROOT_CHARS + 1)
    with pytest.raises(OversizedError):
        LinkAccepted(provider=NodeName("acme"), profile=ProfileName("p"), consumer=GLOBEX.id, root=large)
    whole = LinkAccepted(
        provider=NodeName("acme"), profile=ProfileName("p"), consumer=GLOBEX.id, root='"' * limits.LINK_ROOT_CHARS
    )
    assert LinkAccepted.read(whole.sign(ACME), provider=ACME.public, reader=GLOBEX.id) == whole
