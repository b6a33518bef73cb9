"""Catalogues on the web: what their answers may be kept as, and the stream that says when to look again."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from quart import Response
from quart.wrappers.response import IterableBody

from federation.link.events import Event, EventParser
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers
from federation.names import NodeName, ProfileName
from node.http.streams import Feed
from node.model.peer import Right
from node.usecases.changes import Change, Topic
from tests.support.nodes import WHO, Network

GLOBEX = NodeName("globex")
SHOPS = ProfileName("shops")


@pytest.fixture
async def network(tmp_path: Path) -> Network:
    """acme shares a shop with globex, and a wiki with everybody."""
    network = Network(tmp_path)
    acme = network.add("acme")
    await acme.share("shops", "shop")
    await acme.share("open", "wiki")
    profile = await acme.use.profiles.get(ProfileName("open"))
    await acme.use.profiles.set(replace(profile, public=True), who=WHO)
    await acme.develop("shop", "acme-1.0.0", {"app.py": b"1"})
    await network.link(acme, network.add("globex"), "shops")
    return network


async def cached(network: Network, path: str, *, sign: bool) -> tuple[str, str]:
    """Content type and caching of what acme answers."""
    acme = network.members["acme"]
    if sign:
        status, signed, _ = await network.between(network.members["globex"], acme).ask("GET", path)
        assert status == 200, path
        return signed["Content-Type"], signed["Cache-Control"]
    answer = await acme.app.test_client().get(path)
    assert answer.status_code == 200, path
    return answer.headers["Content-Type"], answer.headers["Cache-Control"]


async def test_only_what_never_changes_may_be_kept(network: Network) -> None:
    """The timestamp is asked for each time; what bears its version or hash may be kept, by others only if public."""
    kept = "max-age=31536000, immutable"
    for profile, sign, whose in (("open", False, "public"), ("shops", True, "private")):
        base = f"/catalogs/{profile}/metadata"
        assert await cached(network, f"{base}/timestamp.json", sign=sign) == ("application/json", "no-cache")
        assert await cached(network, f"{base}/1.root.json", sign=sign) == ("application/json", f"{whose}, {kept}")
        assert await cached(network, f"{base}/1.targets.json", sign=sign) == ("application/json", f"{whose}, {kept}")


async def test_a_long_list_is_sent_as_a_file(network: Network) -> None:
    """More than 64 KiB: with its length and its type, and whole."""
    acme = network.members["acme"]
    path = acme.folder / "tuf" / "open" / "metadata" / "7.targets.json"
    await cached(network, "/catalogs/open/metadata/timestamp.json", sign=False)
    path.write_bytes(b"{" + b" " * 100_000 + b"}")
    answer = await acme.app.test_client().get("/catalogs/open/metadata/7.targets.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert await answer.get_data(as_text=False) == path.read_bytes()


async def test_each_look_of_a_consumer_is_noted(network: Network) -> None:
    """So that its operator sees who is still there."""
    acme = network.members["acme"]
    network.later(minutes=3)
    await cached(network, "/catalogs/shops/metadata/timestamp.json", sign=True)
    (consumer,) = await acme.use.links.consumers()
    assert consumer.seen == network.clock.now()


def test_a_stream_is_woken_by_its_own_subjects_alone() -> None:
    """A change without a subject may be about anything, and one of another topic is not filtered."""
    feed = Feed(
        topics=frozenset({Topic.LINKS, Topic.CATALOGS}),
        subjects={Topic.LINKS: "globex"},
        newest=None,  # type: ignore[arg-type]  # not asked here
        allowed=None,  # type: ignore[arg-type]  # not asked here
        presence=None,  # type: ignore[arg-type]  # not asked here
    )
    woken = [Change(Topic.LINKS, "globex"), Change(Topic.LINKS), Change(Topic.CATALOGS, "any")]
    assert [feed.concerns(change) for change in woken] == [True, True, True]
    assert not feed.concerns(Change(Topic.LINKS, "initech"))


class Stream:
    """A consumer's event stream, read in this process."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._parser = EventParser()
        self.chunks = 0

    async def event(self) -> Event:
        """The next one; heartbeats are passed over."""
        async with asyncio.timeout(10):
            async for chunk in self._chunks:
                self.chunks += 1
                for event in self._parser.feed(chunk):
                    return event
        raise EOFError


@contextlib.asynccontextmanager
async def listening(network: Network, name: str = "globex") -> AsyncIterator[Stream]:
    """The stream of ``name`` at acme while the block runs."""
    acme, consumer = network.members["acme"], network.members[name]
    request = HttpRequest(method="GET", path="/federation/v1/events", query="", body=b"")
    headers = signed_headers(request, key=consumer.key, audience=acme.key.id, now=network.clock.now())
    async with acme.app.test_request_context(request.path, headers=headers):
        response = await acme.app.make_response(await acme.app.dispatch_request())
    assert isinstance(response, Response)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert isinstance(response.response, IterableBody)
    chunks = response.response.iter
    assert isinstance(chunks, AsyncGenerator)
    async with contextlib.aclosing(chunks):
        yield Stream(chunks)


async def test_the_stream_names_the_serial_and_the_link(network: Network) -> None:
    """At once, and again after each change of the own profile's catalogue: the serial is the published one."""
    acme = network.members["acme"]
    revision = (await acme.use.links.consumers())[0].revision
    async with listening(network) as stream:
        first = await stream.event()
        assert (first.name, first.id) == ("catalog", f"1.{revision}")
        assert first.data == f'{{"serial":1,"link":{revision}}}'
        await acme.develop("shop", "acme-1.0.1", {"app.py": b"2"})
        assert await acme.use.catalogs.serial(SHOPS) == 2
        assert (await stream.event()).id == f"2.{revision}"


async def test_what_happens_elsewhere_is_not_told(network: Network) -> None:
    """Other profiles, other links, and other services don't even wake it: the next word is the own list's change."""
    acme = network.members["acme"]
    async with listening(network) as stream:
        await stream.event()
        before = stream.chunks
        await acme.develop("wiki", "acme-1.0.0", {"page": b"1"})
        await acme.share("others", "wiki")
        await network.link(acme, network.add("initech"), "open")
        for profile in await acme.use.profiles.all():
            await acme.use.catalogs.serial(profile.name)
        await acme.develop("shop", "acme-1.0.1", {"app.py": b"2"})
        await acme.use.catalogs.serial(SHOPS)
        assert (await stream.event()).data.startswith('{"serial":2,')
        assert stream.chunks == before + 1


@pytest.mark.parametrize("change", ["removed", "rights", "profile"])
async def test_the_stream_ends_when_the_link_is_another_one(network: Network, change: str) -> None:
    """The consumer connects again, and asks how its link stands."""
    acme = network.members["acme"]
    async with listening(network) as stream:
        await stream.event()
        if change == "removed":
            await acme.use.links.remove_consumer(GLOBEX, who=WHO)
        elif change == "rights":
            await acme.use.links.set_rights(GLOBEX, frozenset({Right.TAKE}), who=WHO)
        else:
            await acme.use.links.set_profile(GLOBEX, ProfileName("open"), who=WHO)
        with pytest.raises(EOFError):
            await stream.event()


async def test_without_the_right_to_take_no_serial_is_told(network: Network) -> None:
    """How often the profile changes is none of its business; that its link changes, is."""
    acme = network.members["acme"]
    await acme.use.links.set_rights(GLOBEX, frozenset({Right.FAULTS}), who=WHO)
    async with listening(network) as stream:
        assert (await stream.event()).data.startswith('{"serial":0,')


async def test_a_profile_that_is_removed_is_told_to_its_consumers(network: Network) -> None:
    """They look, and find that there is nothing for them any more."""
    acme = network.members["acme"]
    async with listening(network) as stream:
        await stream.event()
        await acme.use.profiles.remove(ProfileName("shops"), who=WHO)
        assert (await stream.event()).data.startswith('{"serial":0,')
