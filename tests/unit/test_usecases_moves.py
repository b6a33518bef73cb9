"""A provider that moved, and said so on the local network."""

from pathlib import Path

import pytest

from federation.keys import PrivateKey
from federation.names import NodeName
from tests.support.nodes import Member, Network
from tests.support.pairing import heard, two

ELSEWHERE = "http://acme-elsewhere.test:7420"


@pytest.fixture
async def linked(tmp_path: Path) -> tuple[Network, Member, Member]:
    """``globex`` takes from ``acme``, whose address in the link leads nowhere."""
    network = Network(tmp_path)
    acme, globex = await two(network)
    await network.link(acme, globex, "public")
    return network, acme, globex


async def provider_url(member: Member) -> str:
    return (await member.use.links.provider(NodeName("acme"))).url


async def test_a_provider_that_is_gone_from_its_address_is_followed(linked: tuple[Network, Member, Member]) -> None:
    """To where it says, once its key is proven there."""
    _, acme, globex = linked
    await globex.use.links.set_address(NodeName("acme"), "http://old.test:7420", who="test")
    await globex.use.nearby.hear(heard(acme))
    await globex.use.moves.look()
    assert await provider_url(globex) == acme.url


async def test_a_provider_that_answers_where_it_was_is_left_there(linked: tuple[Network, Member, Member]) -> None:
    """Another address on the local network is no reason to give up the one that its operator gave."""
    _, acme, globex = linked
    before = await provider_url(globex)
    await globex.use.nearby.hear(heard(acme, url=ELSEWHERE))
    await globex.use.moves.look()
    assert await provider_url(globex) == before


async def test_a_provider_is_not_followed_to_where_another_key_answers(linked: tuple[Network, Member, Member]) -> None:
    """What is announced is a hint, also when its signature is good."""
    network, acme, globex = linked
    mallory = network.add("mallory")
    await globex.use.links.set_address(NodeName("acme"), "http://old.test:7420", who="test")
    await globex.use.nearby.hear(heard(acme, url=mallory.url))
    await globex.use.moves.look()
    assert await provider_url(globex) == "http://old.test:7420"


async def test_a_stranger_of_the_same_name_moves_nothing(linked: tuple[Network, Member, Member]) -> None:
    """Providers are known by their ids."""
    network, acme, globex = linked
    mallory = network.add("mallory")
    await globex.use.links.set_address(NodeName("acme"), "http://old.test:7420", who="test")
    await globex.use.nearby.hear(heard(acme, key=PrivateKey.generate(), url=mallory.url))
    await globex.use.moves.look()
    assert await provider_url(globex) == "http://old.test:7420"
