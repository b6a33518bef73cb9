"""A node with a new key makes itself known before it asks, once, and asks on where it is not known."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from federation import codec
from federation.clock import Clock
from federation.errors import UnreachableError, VUpdateError
from federation.keychange import INTRODUCTION_PATH, KeyIntroduction
from federation.link.answers import PeerDeniedError
from federation.link.download import Downloaded
from federation.link.events import Event
from node.usecases.introductions import AGAIN_SECONDS, Introductions
from tests.support.clock import FakeClock
from tests.support.keys import FIRST, GLOBEX, OWN, SECOND

URL = "http://acme.test:7420"


@dataclass
class FakePeer:
    """Remembers what it was asked; ``refusal`` is what an introduction meets."""

    clock: Clock = field(default_factory=FakeClock)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refusal: VUpdateError | None = None

    def _note(self, path: str, *_details: object) -> None:
        self.asked.append(path)

    async def get(self, path: str, query: Mapping[str, str] | None = None, *, most_bytes: int) -> bytes:
        self._note(path, query, most_bytes)
        return b"got"

    async def post(self, path: str, body: bytes, *, most_bytes: int = 1) -> bytes:
        self._note(path, most_bytes)
        if path == INTRODUCTION_PATH:
            self.bodies.append(body)
            if self.refusal is not None:
                raise self.refusal
        return b"posted"

    async def download(self, path: str, query: Mapping[str, str], target: Path, *, most_bytes: int) -> Downloaded:
        self._note(path, query, target, most_bytes)
        return Downloaded(bytes=1, headers={})

    @contextlib.asynccontextmanager
    async def events(self, path: str) -> AsyncIterator[AsyncIterator[Event]]:
        self.asked.append(path)

        async def none() -> AsyncIterator[Event]:
            for _ in ():
                yield Event(name="never")

        yield none()


INTRODUCTION = KeyIntroduction(node=GLOBEX, key=SECOND.public, changes=(b"one",))


@pytest.fixture
def peer() -> FakePeer:
    return FakePeer()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connect(peer: FakePeer, clock: FakeClock) -> Introductions:
    return Introductions(lambda _url, _key: peer, INTRODUCTION, clock)


async def test_the_first_question_of_any_kind_is_preceded_by_an_introduction(
    connect: Introductions, peer: FakePeer, tmp_path: Path
) -> None:
    """Once for a peer, whatever is asked and over how many connections."""
    await connect(URL, FIRST.public).get("/a", most_bytes=9)
    await connect(URL, FIRST.public).post("/b", b"")
    await connect(URL, FIRST.public).download("/c", {}, tmp_path / "c", most_bytes=9)
    async with connect(URL, FIRST.public).events("/d"):
        pass
    assert peer.asked == [INTRODUCTION_PATH, "/a", "/b", "/c", "/d"]
    assert codec.decode(peer.bodies[0], KeyIntroduction) == INTRODUCTION
    await connect(URL, OWN.public).get("/e", most_bytes=9)
    assert peer.asked[-2:] == [INTRODUCTION_PATH, "/e"]


@pytest.mark.parametrize("kind", ["post", "download", "events"])
async def test_each_kind_of_question_introduces(
    connect: Introductions, peer: FakePeer, tmp_path: Path, kind: str
) -> None:
    """None slips through as the first."""
    one = connect(URL, FIRST.public)
    if kind == "post":
        await one.post("/x", b"")
    elif kind == "download":
        await one.download("/x", {}, tmp_path / "x", most_bytes=9)
    else:
        async with one.events("/x"):
            pass
    assert peer.asked == [INTRODUCTION_PATH, "/x"]


async def test_one_who_refuses_is_asked_all_the_same_and_left_in_peace_for_a_while(
    connect: Introductions, peer: FakePeer, clock: FakeClock
) -> None:
    """It may be a node to which this one is only becoming known."""
    peer.refusal = PeerDeniedError("who are you", remote_code="unknown-signer")
    one = connect(URL, FIRST.public)
    for _ in range(3):
        assert await one.get("/a", most_bytes=9) == b"got"
    assert peer.asked.count(INTRODUCTION_PATH) == 1
    clock.advance(AGAIN_SECONDS + 1)
    peer.refusal = None
    await one.get("/a", most_bytes=9)
    await one.get("/a", most_bytes=9)
    assert peer.asked.count(INTRODUCTION_PATH) == 2


async def test_one_who_is_away_is_asked_nothing_else(connect: Introductions, peer: FakePeer) -> None:
    """And is introduced to when it is back."""
    peer.refusal = UnreachableError("away")
    one = connect(URL, FIRST.public)
    with pytest.raises(UnreachableError):
        await one.get("/a", most_bytes=9)
    assert peer.asked == [INTRODUCTION_PATH]
    peer.refusal = None
    await one.get("/a", most_bytes=9)
    assert peer.asked == [INTRODUCTION_PATH, INTRODUCTION_PATH, "/a"]
