"""A host whose clock is wrong, and a node that refuses what is signed by it."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest

from federation.errors import DeniedError
from federation.keys import PrivateKey
from federation.link.client import PeerClient, peer_session
from federation.link.peertime import PeerTime
from tests.support.clock import FIXED_START, FakeClock
from tests.support.link_server import FakePeer, serving
from tests.unit.test_link_client import CONSUMER, MOST, PROVIDER, empty

HOUR = 3600.0


def date(seconds_ahead: float) -> str:
    return format_datetime(FIXED_START + timedelta(seconds=seconds_ahead), usegmt=True)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, 400 * 24 * HOUR])
async def test_a_request_is_signed_again_by_the_peers_clock(ahead: float) -> None:
    """However far off a host's clock is, it is heard at the second attempt, and from then on at the first."""
    told: list[float] = []
    peer = FakePeer(
        key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(FIXED_START + timedelta(seconds=ahead)), handler=empty
    )
    # The peer has run for a while: what was signed before its start is refused for another reason.
    peer.clock.advance(2 * HOUR)  # type: ignore[attr-defined]
    async with serving(peer), peer_session() as session:
        client = PeerClient(session, peer.url, PROVIDER.public, CONSUMER, FakeClock(), on_skew=told.append)
        assert await client.post("/agent/v1/state", b"{}") == b""
        assert await client.post("/agent/v1/state", b"{}") == b""
    assert [round(seconds) for seconds in told] == [ahead + 2 * HOUR]
    assert len(peer.seen) == 2


async def test_requests_side_by_side_learn_of_it_together() -> None:
    """Whoever was refused while another request learned the time is heard at its second attempt, too."""
    told: list[float] = []
    peer = FakePeer(
        key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(FIXED_START - timedelta(hours=3)), handler=empty
    )
    async with serving(peer), peer_session() as session:
        client = PeerClient(session, peer.url, PROVIDER.public, CONSUMER, FakeClock(), on_skew=told.append)
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(client.get("/x", most_bytes=MOST))
    assert len(peer.seen) == 5
    assert len(told) == 1


async def test_without_being_told_to_nobody_follows_the_peers_clock() -> None:
    """A peer's word on the time changes nothing for those who did not ask for that."""
    peer = FakePeer(
        key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(FIXED_START + timedelta(hours=1)), handler=empty
    )
    async with serving(peer), peer_session() as session:
        client = PeerClient(session, peer.url, PROVIDER.public, CONSUMER, FakeClock())
        with pytest.raises(DeniedError, match="set the clocks"):
            await client.get("/x", most_bytes=MOST)
    assert not peer.seen


async def test_a_stranger_gains_nothing_by_it() -> None:
    """A refusal for another reason than the time is not tried again."""
    peer = FakePeer(key=PROVIDER, allowed=CONSUMER.public, clock=FakeClock(), handler=empty)
    told: list[float] = []
    async with serving(peer), peer_session() as session:
        client = PeerClient(session, peer.url, PROVIDER.public, PrivateKey(b"s" * 32), FakeClock(), on_skew=told.append)
        with pytest.raises(DeniedError):
            await client.get("/x", most_bytes=MOST)
    assert not told


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://node.example:8080", "expired-signature", date(HOUR)),
        ("https://node.example", "bad-signature", date(HOUR)),
        ("https://node.example", "expired-signature", "yesterday"),
        ("https://node.example", "expired-signature", ""),
        ("https://node.example", "expired-signature", date(1)),
    ],
)
def test_what_is_not_to_be_believed_changes_nothing(url: str, code: str, said: str) -> None:
    """In the clear over a network, for another reason, or without a readable time that differs: our own clock stays."""
    told: list[float] = []
    time = PeerTime(url, FakeClock(), told.append)
    time.learn(code, said)
    assert not time.ahead
    assert time.now() == FIXED_START
    assert not told


def test_over_tls_the_proven_peer_is_believed() -> None:
    """The node's own word, over a connection that it has proven to be its own, sets the time to sign by."""
    time = PeerTime("https://node.example", FakeClock(), lambda _: None)
    time.learn("future-signature", date(-HOUR))
    assert time.now() == FIXED_START - timedelta(hours=1)
