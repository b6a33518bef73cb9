"""Providers followed from address to address by their keys, and the proofs that they give of themselves."""

from dataclasses import replace
from pathlib import Path

import pytest

from federation.errors import AbsentError, InvalidValueError, TamperedError, UnreachableError
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.link.address import URL_CHARS
from federation.link.identity_proof import IDENTITY_PATH, IdentityProof, new_nonce
from federation.link.refusals import BusyError
from federation.names import NodeName
from node.usecases.addresses import MOST_CANDIDATES, Addresses
from node.usecases.peers import Peer
from node.usecases.proofs import MOST_A_SECOND
from tests.support.nodes import WHO, Member, Network, chain

ACME = NodeName("acme")


async def linked(folder: Path) -> tuple[Network, Member, Member]:
    """globex takes from acme; a stranger is there too."""
    network = await chain(folder, "acme", "globex")
    network.add("stranger")
    return network, network.members["acme"], network.members["globex"]


def moved(network: Network, member: Member, url: str) -> None:
    """``member`` is reached at ``url`` from now on, and nowhere else."""
    network.members[member.name] = member
    object.__setattr__(member.use.identity, "url", url)


async def url_of_acme(globex: Member) -> str:
    return (await globex.use.links.provider(ACME)).url


async def test_anybody_is_told_who_a_node_is(tmp_path: Path) -> None:
    """The proof is signed by the node's key over the nonce, and says no more than it has to."""
    network = Network(tmp_path)
    acme = network.add("acme")
    nonce = new_nonce()
    answer = await acme.app.test_client().get(f"{IDENTITY_PATH}?nonce={nonce}")
    assert (answer.status_code, answer.mimetype) == (200, "application/vnd.dsse+json")
    assert answer.headers["Cache-Control"] == "no-store"
    proof = IdentityProof.read(await answer.get_data(as_text=False), key=acme.key.public, nonce=nonce)
    assert (proof.node, proof.id, proof.url, proof.certificates) == ("acme", acme.key.id, acme.url, ())


@pytest.mark.parametrize("query", ["", "?nonce=", "?nonce=short", "?nonce=" + "x" * 65, "?nonce=abcdefghijklmno%0A"])
async def test_a_nonce_of_another_form_is_refused(tmp_path: Path, query: str) -> None:
    """Nothing is signed that a stranger wrote freely."""
    answer = await Network(tmp_path).add("acme").app.test_client().get(IDENTITY_PATH + query)
    assert answer.status_code == 400


async def test_the_work_for_strangers_is_bounded(tmp_path: Path) -> None:
    """Over so many proofs a second the rest is put off, by an answer that says so; the next second begins anew."""
    network = Network(tmp_path)
    acme = network.add("acme")
    for _ in range(MOST_A_SECOND):
        acme.use.proofs.prove(new_nonce())
    with pytest.raises(BusyError, match="a little later"):
        acme.use.proofs.prove(new_nonce())
    answer = await acme.app.test_client().get(f"{IDENTITY_PATH}?nonce={new_nonce()}")
    assert answer.status_code == 503
    network.later(seconds=1)
    acme.use.proofs.prove(new_nonce())


async def test_a_provider_is_moved_once_its_key_answers(tmp_path: Path) -> None:
    """The operator names the new address; who did it is kept."""
    network, acme, globex = await linked(tmp_path)
    moved(network, acme, "https://new.test:7420")
    network.later(seconds=1)
    provider = await globex.use.addresses.move(ACME, "https://new.test:7420/", who="ann")
    assert provider.url == await url_of_acme(globex) == "https://new.test:7420"
    assert (await globex.use.audit.find(1))[0].who == "ann"


async def test_a_move_to_somebody_else_is_refused(tmp_path: Path) -> None:
    """The link stays as it is: at a stranger's, at nobody's, at what is no address."""
    network, acme, globex = await linked(tmp_path)
    before, audited = await url_of_acme(globex), await globex.use.audit.find(1)
    stranger = network.members["stranger"].url
    with pytest.raises(TamperedError, match="address was left as it was"):
        await globex.use.addresses.move(ACME, stranger, who=WHO)
    with pytest.raises(UnreachableError):
        await globex.use.addresses.move(ACME, "http://nobody.test", who=WHO)
    for wrong in (
        "ftp://acme.test",
        "http://acme.test/path",
        "http://me:secret@acme.test",
        "http://" + "a" * URL_CHARS,
    ):
        with pytest.raises(InvalidValueError):
            await globex.use.addresses.move(ACME, wrong, who=WHO)
    with pytest.raises(AbsentError):
        await globex.use.addresses.move(NodeName("initech"), acme.url, who=WHO)
    assert (await url_of_acme(globex), await globex.use.audit.find(1)) == (before, audited)


async def test_a_lost_provider_is_found_among_the_candidates(tmp_path: Path) -> None:
    """Strangers and dead addresses are passed over; the first one that proves the key is kept."""
    network, acme, globex = await linked(tmp_path)
    moved(network, acme, "http://lan.test:7420")
    provider = await globex.use.links.provider(ACME)
    candidates = ["http://nobody.test", "no address", network.members["stranger"].url, acme.url]
    found = await globex.use.addresses.search(provider, candidates)
    assert found is not None
    assert found.url == await url_of_acme(globex) == "http://lan.test:7420"


async def test_a_lost_provider_is_found_where_it_says_to_be(tmp_path: Path) -> None:
    """By its signed word on the link, though that address did not answer at the time, and by what is heard nearby."""
    network, acme, globex = await linked(tmp_path)
    said = replace(await globex.use.links.provider(ACME), offered_url="https://said.test:7420")
    moved(network, acme, "https://said.test:7420")
    found = await globex.use.addresses.search(said)
    assert found is not None
    assert (found.url, found.offered_url) == ("https://said.test:7420", "")
    heard: list[NodeId] = []

    def nearby(node: NodeId) -> list[str]:
        heard.append(node)
        return ["https://lan.test:7420"]

    def connect(url: str, key: PublicKey) -> Peer:
        return network.peer("globex", url, key, globex.key)

    addresses = Addresses(links=globex.use.links, nearby=nearby, connect=connect, clock=network.clock)
    moved(network, acme, "https://lan.test:7420")
    found = await addresses.search(found)
    assert found is not None
    assert (found.url, heard) == ("https://lan.test:7420", [acme.key.id])


async def test_a_provider_that_is_nowhere_stays_where_it_was(tmp_path: Path) -> None:
    """A search that fails changes nothing."""
    network, acme, globex = await linked(tmp_path)
    before = await url_of_acme(globex)
    acme.away = True
    provider = await globex.use.links.provider(ACME)
    assert await globex.use.addresses.search(provider, [network.members["stranger"].url]) is None
    assert await url_of_acme(globex) == before


async def test_a_provider_is_searched_for_once_a_minute(tmp_path: Path) -> None:
    """However often it is missed."""
    network, acme, globex = await linked(tmp_path)
    moved(network, acme, "http://lan.test:7420")
    provider = await globex.use.links.provider(ACME)
    assert await globex.use.addresses.search(provider, []) is None
    assert await globex.use.addresses.search(provider, [acme.url]) is None
    network.later(seconds=60)
    assert await globex.use.addresses.search(provider, [acme.url]) is not None


async def test_only_so_many_candidates_are_tried(tmp_path: Path) -> None:
    """Whoever floods the network with announcements does not keep this node busy."""
    network, acme, globex = await linked(tmp_path)
    moved(network, acme, "http://lan.test:7420")
    provider = await globex.use.links.provider(ACME)
    flood = [f"http://flood-{number}.test" for number in range(MOST_CANDIDATES)]
    assert await globex.use.addresses.search(provider, [*flood, acme.url]) is None


async def test_tls_is_given_up_by_the_operator_alone(tmp_path: Path) -> None:
    """Neither a search nor the provider's own word leads from https to http; from http to https both do."""
    network, acme, globex = await linked(tmp_path)
    use = globex.use.addresses
    moved(network, acme, "https://acme.test:7420")
    assert (await use.follow(ACME, "https://acme.test:7420")).url == "https://acme.test:7420"
    network.later(seconds=60)
    moved(network, acme, "http://plain.test:7420")
    with pytest.raises(TamperedError, match="only the operator"):
        await use.follow(ACME, "http://plain.test:7420")
    provider = await globex.use.links.provider(ACME)
    assert await use.search(provider, ["http://plain.test:7420"]) is None
    assert await url_of_acme(globex) == "https://acme.test:7420"
    await use.move(ACME, "http://plain.test:7420", who="ann")
    assert await url_of_acme(globex) == "http://plain.test:7420"


async def test_a_providers_own_word_is_tried_once_a_minute(tmp_path: Path) -> None:
    """In between, the link stays where it is, and nobody is asked."""
    network, acme, globex = await linked(tmp_path)
    use = globex.use.addresses
    before = await url_of_acme(globex)
    with pytest.raises(UnreachableError):
        await use.follow(ACME, "https://not-there.test")
    moved(network, acme, "https://there.test")
    assert (await use.follow(ACME, "https://there.test")).url == before
    network.later(seconds=60)
    assert (await use.follow(ACME, "https://there.test")).url == "https://there.test"
