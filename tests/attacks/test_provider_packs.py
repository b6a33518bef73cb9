"""Stories of a provider that lies in the packs it sends, and of callers who ask for contents that are not theirs."""

from pathlib import Path

import pytest

from federation.errors import OversizedError, TamperedError
from federation.image import Image
from federation.keys import PrivateKey
from federation.limits import MIB
from federation.link.answers import PeerAbsentError, PeerDeniedError
from federation.names import NodeName
from federation.transfer.format import HEADER_BYTES
from node.model import penalty as penalties
from node.usecases import fetching
from node.usecases.fetching import MissingContentsError
from node.usecases.penalties import LYING
from tests.support.fetching import NEW, OLD, PROVIDER, Consumer, Spoil, alarms_of, entry_of, flipped
from tests.support.nodes import chain
from tests.support.trees import file, noise


@pytest.fixture
def consumer(tmp_path: Path) -> Consumer:
    return Consumer.at(tmp_path)


def another_pack(consumer: Consumer, image: Image) -> Spoil:
    """A genuine full pack of another image, where a delta was asked for."""

    def spoil(shown: str, content: bytes) -> bytes:
        return (
            consumer.peer.images._packs.get(None, image.digest).path.read_bytes() if shown == "packs?from" else content
        )

    return spoil


@pytest.mark.parametrize("lie", ["index", "cut", "rubbish", "empty", "other image", "wrong base", "all wrong"])
async def test_a_lying_delta_ends_in_the_full_pack(consumer: Consumer, lie: str) -> None:
    """Whatever is wrong with it: the image arrives whole, and the provider is asked for no more deltas for a time."""
    await consumer.hold("acme-1.0.0", OLD)
    image = await consumer.offer(NEW)
    strange = await consumer.offer({"x": file(noise(500, 9))})

    def spoil(shown: str, content: bytes) -> bytes:
        if shown != "packs?from":
            return content
        return {
            "index": content[: HEADER_BYTES + 12] + b"xxxx" + content[HEADER_BYTES + 16 :],
            "cut": content[:-1],
            "rubbish": noise(len(content), 5),
            "empty": b"",
            "other image": another_pack(consumer, strange)(shown, content),
            "wrong base": content[:12] + bytes.fromhex(strange.digest) + content[44:],
            "all wrong": content[: len(content) // 3] + noise(len(content) - len(content) // 3, 6),
        }[lie]

    consumer.peer.spoil = spoil
    transfer = await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert await consumer.is_whole(image)
    assert consumer.peer.asked[0] == "packs?from"
    if lie != "all wrong":  # what one such pack had right may be enough to need single contents only
        assert consumer.peer.asked == ["packs?from", "packs"]
        assert transfer.base is None
    assert transfer.repaired_bytes > 0 or lie == "empty"
    assert await alarms_of(consumer) == [(LYING, "acme")]
    later = await consumer.offer({**NEW, "h": file(noise(400, 8))})
    consumer.peer.asked.clear()
    consumer.peer.spoil = lambda _shown, content: content
    await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.2", later))
    assert consumer.peer.asked == ["packs"]
    consumer.clock.advance(penalties.FIRST.total_seconds() * 4)
    consumer.peer.asked.clear()
    await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.3", await consumer.offer({"only": file(b"1"), **OLD})))
    assert consumer.peer.asked == ["packs?from"]
    assert await alarms_of(consumer) == []


async def known_images(consumer: Consumer, image: Image) -> bool:
    return await consumer.images.stored_bytes(image.digest) is not None


async def test_a_provider_that_lies_in_everything_brings_nothing(consumer: Consumer) -> None:
    """The image is not here afterwards, each lie counts, and the alarm says what was wrong."""
    await consumer.hold("acme-1.0.0", OLD)
    image = await consumer.offer(NEW)
    consumer.peer.spoil = lambda _shown, content: noise(len(content), 4)
    with pytest.raises(TamperedError):
        await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert not await known_images(consumer, image)
    assert [one.count for one in await consumer.penalties.all()] == [2]
    assert "no pack" in (await consumer.alarms.open())[0].message
    assert await consumer.transfers.newest(10) == []


async def test_single_contents_that_lie_are_refused(consumer: Consumer) -> None:
    """A repair is checked as everything is; the image is not here afterwards."""
    image = await consumer.offer(NEW)
    first = flipped("packs", 0.5)
    consumer.peer.spoil = lambda shown, content: first(shown, content) if shown == "packs" else content[:-9] + bytes(9)
    with pytest.raises(TamperedError):
        await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert not await known_images(consumer, image)
    assert (await consumer.penalties.all())[0].count == 2
    assert consumer.left_over() == []


async def test_too_many_wrong_contents_are_not_asked_for_singly(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider can't make its consumer send it a request for each of very many files."""
    monkeypatch.setattr(fetching, "SINGLES_MOST", 0)
    image = await consumer.offer(NEW)
    consumer.peer.spoil = flipped("packs", 0.5)
    with pytest.raises(MissingContentsError):
        await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image))
    assert consumer.peer.asked == ["packs"]
    assert [one.count for one in await consumer.penalties.all()] == [1]


async def test_a_pack_over_its_bound_is_a_lie(consumer: Consumer) -> None:
    """The signed size of the image bounds what is taken for it."""
    await consumer.hold("acme-1.0.0", OLD)
    image = await consumer.offer(NEW)

    def fail(path: str) -> None:
        if path == "packs?from":
            raise OversizedError("more than its bound")

    consumer.peer.fail = fail
    await consumer.fetcher.fetch(PROVIDER, entry_of("acme-1.0.1", image), image_bytes=image.size)
    assert consumer.peer.asked == ["packs?from", "packs"]
    assert [one.count for one in await consumer.penalties.all()] == [1]


async def test_contents_are_given_to_those_whose_image_they_are_in(tmp_path: Path) -> None:
    """By digest nobody gets a content of an image outside his catalogue, nor one of another image by way of his own."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    shop = await acme.develop("shop", "acme-1.0.0", {"app.py": b"print(1)", "same": b"in both"})
    payroll = await acme.develop("payroll", "acme-1.0.0", {"pay.txt": b"secret", "same": b"in both"})
    own = (await acme.use.images.load(shop.image)).contents
    secret = [digest for digest in (await acme.use.images.load(payroll.image)).contents if digest not in own]
    peer = network.between(globex, acme)
    for digest in own:
        assert await peer.get(f"/federation/v1/images/{shop.image}/contents/{digest}", most_bytes=MIB)
    for image, content in ((payroll.image, secret[0]), (shop.image, secret[0]), (payroll.image, next(iter(own)))):
        with pytest.raises(PeerAbsentError):
            await peer.get(f"/federation/v1/images/{image}/contents/{content}", most_bytes=MIB)
    stranger = network.peer("nobody", acme.url, acme.key.public, PrivateKey.generate())
    agent = network.agent_of(acme, await network.attach(acme, "host-1"))
    for other in (stranger, agent):
        for path in (f"images/{shop.image}/contents/{next(iter(own))}", f"packs/{shop.image}"):
            with pytest.raises(PeerDeniedError):
                await other.get(f"/federation/v1/{path}", most_bytes=MIB)
    with pytest.raises(PeerAbsentError):
        await agent.get(f"/agent/v1/images/{shop.image}/contents/{next(iter(own))}", most_bytes=MIB)


async def test_a_consumer_without_the_right_to_take_gets_neither_pack_nor_content(tmp_path: Path) -> None:
    """The right is asked for at the route, before anything is looked up."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    shop = await acme.develop("shop", "acme-1.0.0", {"app.py": b"print(1)"})
    content = next(iter((await acme.use.images.load(shop.image)).contents))
    await acme.use.links.set_rights(NodeName("globex"), (), who="test")
    peer = network.between(globex, acme)
    for path in (f"packs/{shop.image}", f"images/{shop.image}/contents/{content}"):
        with pytest.raises(PeerDeniedError, match="right"):
            await peer.get(f"/federation/v1/{path}", most_bytes=MIB)
