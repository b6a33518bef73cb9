"""Two nodes pair in one process: real keys, signatures and routes."""

from pathlib import Path

import pytest

from federation import limits
from federation.errors import AbsentError, ConflictError, InvalidValueError, TamperedError, UnreachableError
from federation.keys import PrivateKey
from federation.link.pairing import PairingError, Role, Stage, Wish
from federation.names import NodeName, ProfileName
from node.model.peer import AutoUpdate
from tests.support.nodes import WHO, Network
from tests.support.pairing import GIVE, TAKE, confirm, heard, held, links, two


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A network without nodes."""
    return Network(tmp_path)


@pytest.mark.parametrize("responder_first", [True, False])
async def test_a_node_takes_from_another_once_both_have_confirmed(network: Network, responder_first: bool) -> None:
    """Both show one code; the provider's operator chooses the profile; the link stands on both sides."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    there = held(acme, begun.id)
    assert begun.code == there.code
    assert (begun.peer.node, there.peer.node) == ("acme", "globex")
    for member in (acme, globex) if responder_first else (globex, acme):
        assert await links(acme) == await links(globex) == ([], [])
        await confirm(member, begun.id, profile="public" if member is acme else None)
        await globex.use.pairing.step()
    await globex.use.pairing.step()
    assert held(acme, begun.id).stage is held(globex, begun.id).stage is Stage.LINKED
    assert await links(acme) == ([], ["globex"])
    assert await links(globex) == (["acme"], [])
    provider = await globex.use.links.provider(NodeName("acme"))
    assert (provider.key, provider.url, provider.profile) == (acme.key.public, acme.url, "public")
    assert provider.auto_update is AutoUpdate.DOWNLOAD


@pytest.mark.parametrize("responder_first", [True, False])
async def test_a_node_gives_to_another_once_both_have_confirmed(network: Network, responder_first: bool) -> None:
    """The one that begins is the provider and has chosen the profile; the other one will dial it."""
    acme, globex = await two(network)
    begun = await acme.use.pairing.start(globex.url, GIVE, who=WHO)
    assert begun.code == held(globex, begun.id).code
    for member in (globex, acme) if responder_first else (acme, globex):
        assert await links(acme) == await links(globex) == ([], [])
        await confirm(member, begun.id)
        await acme.use.pairing.step()
    await acme.use.pairing.step()
    assert held(acme, begun.id).stage is held(globex, begun.id).stage is Stage.LINKED
    assert (await links(acme), await links(globex)) == (([], ["globex"]), (["acme"], []))
    assert (await globex.use.links.provider(NodeName("acme"))).url == acme.url


@pytest.mark.parametrize("wish", [TAKE, GIVE])
@pytest.mark.parametrize("only", ["initiator", "responder"])
async def test_one_confirmation_makes_no_link(network: Network, wish: Wish, only: str) -> None:
    """However often the other side is asked; after ten minutes it is over on both sides."""
    acme, globex = await two(network)
    begun = await acme.use.pairing.start(globex.url, wish, who=WHO)
    member = acme if only == "initiator" else globex
    await confirm(member, begun.id, profile="public" if member is globex and wish is TAKE else None)
    for _ in range(3):
        assert await acme.use.pairing.step()
    assert await links(acme) == await links(globex) == ([], [])
    network.later(seconds=limits.PAIRING_VALID_SECONDS)
    assert not await acme.use.pairing.step()
    assert held(acme, begun.id).stage is held(globex, begun.id).stage is Stage.EXPIRED
    assert await links(acme) == await links(globex) == ([], [])


async def test_a_node_is_found_by_its_id_and_by_its_name(network: Network) -> None:
    """When it is nearby; an id as people type it."""
    acme, globex = await two(network)
    await globex.use.nearby.hear(heard(acme))
    for target in (str(acme.key.id), acme.key.id.lower().replace("-", " "), "acme"):
        begun = await globex.use.pairing.start(target, TAKE, who=WHO)
        assert begun.peer.id == acme.key.id
        await globex.use.pairing.reject(begun.id, who=WHO)


async def test_a_node_that_is_not_nearby_is_not_found(network: Network) -> None:
    """Neither by a name nor by an id."""
    _, globex = await two(network)
    for target in ("acme", str(PrivateKey.generate().id)):
        with pytest.raises(AbsentError, match="nearby"):
            await globex.use.pairing.start(target, TAKE, who=WHO)
    with pytest.raises(InvalidValueError):
        await globex.use.pairing.start("no such thing!", TAKE, who=WHO)


async def test_a_name_that_two_nodes_bear_names_none_of_them(network: Network) -> None:
    """The operator has to say which one he means."""
    acme, globex = await two(network)
    await globex.use.nearby.hear(heard(acme))
    await globex.use.nearby.hear(heard(acme, key=PrivateKey.generate()))
    with pytest.raises(ConflictError, match="2 nodes"):
        await globex.use.pairing.start("acme", TAKE, who=WHO)


async def test_an_address_where_another_node_answers_is_refused(network: Network) -> None:
    """The key that answers has to hash to the id that was named."""
    acme, globex = await two(network)
    other = network.add("other")
    await globex.use.nearby.hear(heard(acme, url=other.url))
    with pytest.raises(TamperedError, match="is node"):
        await globex.use.pairing.start(str(acme.key.id), TAKE, who=WHO)
    assert globex.use.pairing.all() == other.use.pairing.all() == []


async def test_a_node_that_does_not_answer_is_said_so(network: Network) -> None:
    """And no pairing is left open."""
    acme, globex = await two(network)
    acme.away = True
    with pytest.raises(UnreachableError):
        await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    assert globex.use.pairing.all() == []


async def test_a_node_does_not_pair_with_itself_or_with_its_namesake(network: Network) -> None:
    """A consumer can't bear its provider's name."""
    acme, _ = await two(network)
    with pytest.raises(ConflictError, match="itself"):
        await acme.use.pairing.start(acme.url, TAKE, who=WHO)


async def test_a_profile_is_chosen_by_the_provider_and_has_to_exist(network: Network) -> None:
    """The wrong side can't name one, and a missing one does not end the pairing."""
    acme, globex = await two(network)
    with pytest.raises(AbsentError):
        await acme.use.pairing.start(globex.url, Wish(role=Role.GIVE, profile=ProfileName("none")), who=WHO)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    with pytest.raises(InvalidValueError, match="choose the profile"):
        await confirm(acme, begun.id)
    with pytest.raises(AbsentError):
        await confirm(acme, begun.id, profile="none")
    with pytest.raises(InvalidValueError, match="has chosen"):
        await confirm(globex, begun.id, profile="public")
    await confirm(acme, begun.id, profile="public")
    await confirm(globex, begun.id)
    await globex.use.pairing.step()
    assert await links(acme) == ([], ["globex"])


@pytest.mark.parametrize("rejecting", ["initiator", "responder"])
async def test_either_side_can_end_it_and_the_other_learns_why(network: Network, rejecting: str) -> None:
    """Also after it confirmed."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    await confirm(globex, begun.id)
    member = globex if rejecting == "initiator" else acme
    await member.use.pairing.reject(begun.id, who=WHO)
    await globex.use.pairing.step()
    assert held(acme, begun.id).stage is held(globex, begun.id).stage is Stage.REJECTED
    with pytest.raises(PairingError):
        await confirm(acme, begun.id, profile="public")
    assert await links(acme) == await links(globex) == ([], [])


@pytest.mark.parametrize("typing", ["initiator", "responder"])
async def test_a_code_that_differs_ends_it_on_both_sides(network: Network, typing: str) -> None:
    """The operator read something else on the other node: nobody gets a second guess."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    wrong = f"{(int(begun.code or 0) + 1) % 1_000_000:06}"
    member = globex if typing == "initiator" else acme
    with pytest.raises(PairingError, match="codes differ"):
        await confirm(member, begun.id, code=wrong, profile="public" if member is acme else None)
    await globex.use.pairing.step()
    assert held(acme, begun.id).stage.ended
    assert held(globex, begun.id).stage.ended
    for one in (acme, globex):
        with pytest.raises(PairingError):
            await confirm(one, begun.id, profile="public" if one is acme else None)
    assert await links(acme) == await links(globex) == ([], [])


async def test_something_that_is_no_code_is_not_a_guess(network: Network) -> None:
    """A slip of the keyboard does not end the pairing."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    with pytest.raises(InvalidValueError):
        await confirm(globex, begun.id, code="12345")
    assert held(globex, begun.id).stage is Stage.COMPARING


@pytest.mark.parametrize("wish", [TAKE, GIVE])
async def test_a_network_that_comes_and_goes_does_no_harm(network: Network, wish: Wish) -> None:
    """What could not be told is told again; the operator sees what holds it up meanwhile."""
    acme, globex = await two(network)
    begun = await acme.use.pairing.start(globex.url, wish, who=WHO)
    globex.away = True
    await confirm(acme, begun.id)
    assert await acme.use.pairing.step()
    assert "does not answer" in held(acme, begun.id).reason
    globex.away = False
    await confirm(globex, begun.id, profile="public" if wish is TAKE else None)
    for _ in range(3):
        await acme.use.pairing.step()
    assert held(acme, begun.id).stage is held(globex, begun.id).stage is Stage.LINKED
    assert held(acme, begun.id).reason == ""


@pytest.mark.parametrize("wish", [TAKE, GIVE])
async def test_an_answer_that_is_lost_is_asked_for_again(network: Network, wish: Wish) -> None:
    """The last one too: both sides end up linked, once."""
    acme, globex = await two(network)
    begun = await acme.use.pairing.start(globex.url, wish, who=WHO)
    await confirm(globex, begun.id, profile="public" if wish is TAKE else None)
    await confirm(acme, begun.id)

    def lose(_path: str, _content: bytes) -> bytes:
        raise UnreachableError("lost on the way back")

    network.tampers["acme", "globex"] = lose
    for _ in range(3):
        assert await acme.use.pairing.step()
    del network.tampers["acme", "globex"]
    for _ in range(3):
        await acme.use.pairing.step()
    assert held(acme, begun.id).stage is held(globex, begun.id).stage is Stage.LINKED
    consumer, provider = (acme, globex) if wish is TAKE else (globex, acme)
    assert (await links(provider), await links(consumer)) == (([], [consumer.name]), ([provider.name], []))


async def test_a_link_that_can_not_be_made_says_why_on_both_sides(network: Network) -> None:
    """Here: the provider has another consumer of that name."""
    acme, globex = await two(network)
    await acme.use.links.add_consumer(
        name=NodeName("globex"), key=PrivateKey.generate().public, profile=ProfileName("public"), who=WHO
    )
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    await confirm(globex, begun.id)
    await confirm(acme, begun.id, profile="public")
    await globex.use.pairing.step()
    for member in (acme, globex):
        ended = held(member, begun.id)
        assert ended.stage is Stage.FAILED
        assert "another consumer is called globex" in ended.reason
    assert await links(globex) == ([], [])


async def test_two_operators_who_name_each_other_meet_in_a_flood(network: Network) -> None:
    """Strangers have filled both nodes' lists; the second attempt is let in all the same."""
    from tests.support.pairing import Stranger

    acme, globex = await two(network)
    for member in (acme, globex):
        for number in range(limits.PAIRINGS_OPEN):
            await Stranger(network, member, PrivateKey.generate(), name=f"mallory-{number}").begin()
    with pytest.raises(Exception, match="too many pairings"):
        await acme.use.pairing.start(globex.url, TAKE, who=WHO)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    assert held(acme, begun.id).code == begun.code


async def test_what_was_done_stands_in_the_audit_log(network: Network) -> None:
    """Who began, who confirmed, who was linked; never the nonces."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    await confirm(globex, begun.id)
    await confirm(acme, begun.id, profile="public")
    await globex.use.pairing.step()
    done = {entry.action for entry in await globex.use.audit.find(50)}
    assert {"start-pairing", "confirm-pairing", "link-provider"} <= done
    assert {"confirm-pairing", "link-consumer"} <= {entry.action for entry in await acme.use.audit.find(50)}
