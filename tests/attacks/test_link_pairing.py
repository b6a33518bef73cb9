"""Attacks on pairing and on discovery: nobody is linked but by two operators, and a stranger can't keep them apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from federation import codec, limits
from federation.digest import Digest
from federation.discovery import Announcement, Heard
from federation.errors import AbsentError, ConflictError, DeniedError, TamperedError, VUpdateError
from federation.keys import PrivateKey
from federation.link.answers import PeerRefusalError
from federation.link.messages import LinkAccepted
from federation.link.pairing import Answer, Confirm, Handover, PairingError, Reveal, Role, Stage, State, Wish, new_nonce
from federation.link.request import HttpRequest
from federation.link.signature import signed_headers
from federation.names import NodeName, ProfileName
from node.graphql.schema import schema
from node.model.account import Role as AccountRole
from node.model.pairing import REVEAL_SECONDS
from node.usecases.pairing import PATH
from tests.support.graphql_usecases import context
from tests.support.nodes import WHO, Member, Network
from tests.support.pairing import GIVE, TAKE, Stranger, confirm, heard, held, links, two

MALLORY = PrivateKey(b"m" * 32)


@pytest.fixture
def network(tmp_path: Path) -> Network:
    """A network without nodes."""
    return Network(tmp_path)


def stored(member: Member) -> dict[str, Any]:
    """All that a node has stored, but for its audit log."""
    return {name: dict(files) for name, files in member.storage._files.items() if name != "audit"}


async def statement(provider: Member, consumer: Member) -> LinkAccepted:
    """What ``provider`` would give ``consumer``, whole and good."""
    root = await provider.use.catalogs.root(ProfileName("public"))
    return LinkAccepted(
        provider=NodeName(provider.name), profile=ProfileName("public"), consumer=consumer.key.id, root=root
    )


async def refused(asked: Any) -> str:
    """The code by which the other side refused."""
    with pytest.raises(PeerRefusalError) as caught:
        await asked
    return caught.value.remote_code


async def test_one_in_the_middle_makes_the_codes_differ(network: Network) -> None:
    """He answers under his own key to the one and begins with the other: the operators see two codes, and no link."""
    acme, globex = await two(network)
    mallory = network.add("mallory")
    before = stored(acme), stored(globex)
    here = await globex.use.pairing.start(mallory.url, TAKE, who=WHO)
    there = await Stranger(network, acme, mallory.key, name="globex").begin()
    shown_here, shown_there = held(globex, here.id).code, held(acme, there.id).code
    assert shown_here != shown_there
    # Each operator types what he is read from the other node.
    with pytest.raises(PairingError):
        await confirm(globex, here.id, code=shown_there)
    with pytest.raises(PairingError):
        await confirm(acme, there.id, code=shown_here, profile="public")
    await globex.use.pairing.step()
    assert (stored(acme), stored(globex)) == before


async def test_a_middle_that_passes_everything_on_learns_and_changes_nothing(network: Network) -> None:
    """Who relays the messages unchanged links the two nodes that meant each other, by their own keys."""
    acme, globex = await two(network)
    seen: list[bytes] = []

    def listen(_path: str, content: bytes) -> bytes:
        seen.append(content)
        return content

    network.tampers["globex", "acme"] = listen
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    await confirm(acme, begun.id, profile="public")
    await confirm(globex, begun.id)
    await globex.use.pairing.step()
    assert (await globex.use.links.provider(NodeName("acme"))).key == acme.key.public
    assert seen
    # All that he has seen opens no door: his own key is unknown at both.
    for member in (acme, globex):
        assert await refused(Stranger(network, member, MALLORY).peer.get(f"{PATH}/{begun.id}", most_bytes=1000))


def _forged_answer(mallory: PrivateKey) -> Callable[[str, bytes], bytes]:
    def forge(path: str, content: bytes) -> bytes:
        if path != PATH:
            return content
        from federation.envelope import Envelope

        answer = codec.decode(Envelope.from_bytes(content).payload, Answer)
        return replace(answer, nonce=new_nonce()).sign(mallory)

    return forge


async def test_an_answer_changed_on_the_way_is_refused(network: Network) -> None:
    """It is signed by the responder; the nonce of the initiator is not revealed then."""
    acme, globex = await two(network)
    network.tampers["globex", "acme"] = _forged_answer(MALLORY)
    with pytest.raises(TamperedError):
        await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    assert globex.use.pairing.all() == acme.use.pairing.all() == []


@pytest.mark.parametrize("wish", [TAKE, GIVE])
async def test_a_forged_word_of_the_responder_makes_no_link(network: Network, wish: Wish) -> None:
    """Whoever stands in between says that it confirmed, or that the link is made: it is not signed by its key."""
    acme, globex = await two(network)
    begun = await acme.use.pairing.start(globex.url, wish, who=WHO)
    await confirm(acme, begun.id)
    transcript = held(acme, begun.id).transcript
    assert transcript is not None
    accepted = await statement(globex, acme)
    forged = State(
        id=begun.id,
        stage=Stage.LINKED,
        confirmed=True,
        transcript=transcript.digest,
        accepted=accepted.sign(MALLORY).decode(),
    )
    network.tampers["acme", "globex"] = lambda _path, _content: forged.sign(MALLORY)
    await acme.use.pairing.step()
    assert held(acme, begun.id).stage is Stage.FAILED
    assert await links(acme) == await links(globex) == ([], [])


@pytest.mark.parametrize("wish", [TAKE, GIVE])
async def test_a_lying_responder_can_not_link_without_the_operator(network: Network, wish: Wish) -> None:
    """It says that all is confirmed and made, and signs it; the operator here has confirmed nothing."""
    acme, globex = await two(network)
    begun = await acme.use.pairing.start(globex.url, wish, who=WHO)
    transcript = held(acme, begun.id).transcript
    assert transcript is not None
    accepted = await statement(globex, acme)
    lie = State(
        id=begun.id,
        stage=Stage.LINKED,
        confirmed=True,
        transcript=transcript.digest,
        accepted=accepted.sign(globex.key).decode(),
    )
    network.tampers["acme", "globex"] = lambda _path, _content: lie.sign(globex.key)
    for _ in range(3):
        await acme.use.pairing.step()
    assert await links(acme) == ([], [])


async def test_an_initiator_can_not_link_without_the_operator(network: Network) -> None:
    """It confirms, hands over its statement and asks again and again; the operator here has confirmed nothing."""
    acme, globex = await two(network)
    for wish in (TAKE, GIVE):
        stranger = Stranger(network, acme, globex.key, name="globex", wish=wish)
        transcript = await stranger.begin()
        await stranger.say(transcript.id, "confirm", Confirm(transcript=transcript.digest))
        handover = Handover(accepted=(await statement(globex, acme)).sign(stranger.key).decode())
        assert await refused(stranger.say(transcript.id, "link", handover)) == "pairing"
        state = await stranger.state(transcript)
        assert (state.stage, state.confirmed, state.accepted) == (Stage.COMPARING, False, None)
    assert await links(acme) == ([], [])


LIES: dict[str, Callable[[LinkAccepted, PrivateKey], bytes]] = {
    "another signer": lambda good, _: good.sign(PrivateKey.generate()),
    "another consumer": lambda good, key: replace(good, consumer=MALLORY.id).sign(key),
    "another profile": lambda good, key: replace(good, profile=ProfileName("secret")).sign(key),
    "another name": lambda good, key: replace(good, provider=NodeName("acme-labs")).sign(key),
    "no statement": lambda _, __: b"{}",
}


@pytest.mark.parametrize("lie", [*LIES, None])
async def test_a_statement_that_is_not_the_one_agreed_on_makes_no_link(network: Network, lie: str | None) -> None:
    """Both operators confirmed; what the giving side then hands over has to be its own word, for this node."""
    acme, globex = await two(network)
    stranger = Stranger(network, acme, globex.key, name="globex", wish=GIVE)
    transcript = await stranger.begin()
    await stranger.say(transcript.id, "confirm", Confirm(transcript=transcript.digest))
    await confirm(acme, transcript.id)
    good = await statement(globex, acme)
    honest = Handover(accepted=good.sign(globex.key).decode())
    if lie is None:
        await stranger.say(transcript.id, "link", honest)
        assert await links(acme) == (["globex"], [])
        return
    forged = Handover(accepted=LIES[lie](good, globex.key).decode())
    assert await refused(stranger.say(transcript.id, "link", forged))
    assert held(acme, transcript.id).stage is Stage.FAILED
    assert await refused(stranger.say(transcript.id, "link", honest)) == "pairing"
    assert await links(acme) == ([], [])


async def test_a_reveal_that_does_not_match_ends_the_pairing(network: Network) -> None:
    """He has seen the other nonce and would like another one of his own; the right one comes too late then."""
    acme, _ = await two(network)
    stranger = Stranger(network, acme, MALLORY)
    asked, _, nonce = await stranger.propose()
    assert await refused(stranger.say(asked.id, "reveal", Reveal(nonce=new_nonce()))) == "pairing"
    assert await refused(stranger.say(asked.id, "reveal", Reveal(nonce=nonce))) == "pairing"
    assert acme.use.pairing.all() == []


async def test_a_commitment_is_opened_once(network: Network) -> None:
    """A second reveal, also of the same nonce, neither changes the code nor begins anew."""
    acme, _ = await two(network)
    stranger = Stranger(network, acme, MALLORY)
    asked, _, nonce = await stranger.propose()
    await stranger.say(asked.id, "reveal", Reveal(nonce=nonce))
    code = held(acme, asked.id).code
    assert await refused(stranger.say(asked.id, "reveal", Reveal(nonce=nonce))) == "pairing"
    assert held(acme, asked.id).code == code


async def test_nothing_can_be_done_out_of_order(network: Network) -> None:
    """Before the commitment is opened there is nothing to confirm and nothing to hand over."""
    acme, _ = await two(network)
    stranger = Stranger(network, acme, MALLORY, wish=GIVE)
    asked, _, _ = await stranger.propose()
    await stranger.say(asked.id, "confirm", Confirm(transcript=Digest.of(b"x")))
    assert await refused(stranger.say(asked.id, "link", Handover(accepted="{}"))) == "pairing"
    assert await links(acme) == ([], [])


async def test_a_third_party_learns_and_does_nothing(network: Network) -> None:
    """Neither a stranger, nor one with a pairing of his own, nor a linked consumer gets at another one's pairing."""
    acme, globex = await two(network)
    initech = network.add("initech")
    await network.link(acme, initech, "public")
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    transcript = held(globex, begun.id).transcript
    assert transcript is not None
    own = Stranger(network, acme, MALLORY)
    await own.begin()
    others = [own, Stranger(network, acme, PrivateKey.generate()), Stranger(network, acme, initech.key)]
    messages = {
        "confirm": Confirm(transcript=transcript.digest),
        "reject": {},
        "reveal": Reveal(nonce=new_nonce()),
        "link": Handover(accepted="{}"),
    }
    for other in others:
        codes = {await refused(other.peer.get(f"{PATH}/{begun.id}", most_bytes=1000))}
        codes |= {await refused(other.say(begun.id, what, message)) for what, message in messages.items()}
        assert codes == ({"not-found"} if other is own else {"unknown-signer"})
    present = held(acme, begun.id)
    assert (present.stage, present.confirmed_there) == (Stage.COMPARING, False)


async def test_a_proposal_in_anothers_name_is_refused(network: Network) -> None:
    """Signed by another key than the one it brings."""
    acme, globex = await two(network)
    asked, _, _ = await Stranger(network, globex, acme.key, name="x").propose()
    stranger = Stranger(network, acme, MALLORY)
    forged = replace(asked, initiator=replace(asked.initiator, key=globex.key.public))
    assert await refused(stranger.peer.post(PATH, codec.encode(forged))) == "denied"
    assert acme.use.pairing.responder.key_of(globex.key.id) is None


async def test_a_recorded_request_is_not_taken_twice(network: Network) -> None:
    """Neither the first message nor a confirmation."""
    acme, _ = await two(network)
    stranger = Stranger(network, acme, MALLORY)
    transcript = await stranger.begin()
    body = codec.encode(Confirm(transcript=transcript.digest))
    request = HttpRequest(method="POST", path=f"{PATH}/{transcript.id}/confirm", body=body)
    headers = signed_headers(request, key=MALLORY, audience=acme.key.id, now=network.clock.now())
    client = acme.app.test_client()
    assert (await client.post(request.path, headers=headers, data=body)).status_code == 200
    again = await client.post(request.path, headers=headers, data=body)
    assert (again.status_code, (await again.get_json())["code"]) == (403, "replayed")


async def test_a_pairing_does_not_survive_its_node(network: Network) -> None:
    """What stood in memory is gone after a restart; the other side learns it and makes no link."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    await confirm(globex, begun.id)
    acme = network.restart("acme")
    await globex.use.pairing.step()
    assert held(globex, begun.id).stage is Stage.FAILED
    assert acme.use.pairing.all() == []
    assert await links(acme) == await links(globex) == ([], [])


async def test_a_flood_takes_a_few_places_and_no_one_elses(network: Network) -> None:
    """A pairing in progress is not disturbed, and who only knocks is not even shown."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    outcomes = []
    for number in range(50):
        stranger = Stranger(network, acme, PrivateKey(number.to_bytes(32, "big")), name=f"n{number}")
        try:
            await stranger.propose()
            outcomes.append("let in")
        except PeerRefusalError as error:
            outcomes.append(error.remote_code)
    assert outcomes.count("let in") == limits.PAIRINGS_OPEN - 1
    assert set(outcomes) == {"let in", "busy"}
    assert [one.id for one in acme.use.pairing.all()] == [begun.id]
    await confirm(acme, begun.id, profile="public")
    await confirm(globex, begun.id)
    await globex.use.pairing.step()
    assert await links(acme) == ([], ["globex"])


async def test_who_only_knocks_is_gone_after_half_a_minute(network: Network) -> None:
    """His place is free for others then."""
    acme, globex = await two(network)
    for number in range(limits.PAIRINGS_OPEN):
        await Stranger(network, acme, PrivateKey(number.to_bytes(32, "big")), name=f"n{number}").propose()
    with pytest.raises(VUpdateError, match="too many pairings"):
        await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    network.later(seconds=REVEAL_SECONDS)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    assert held(acme, begun.id).code == begun.code


async def test_codes_can_not_be_tried_out(network: Network) -> None:
    """He drops each pairing whose code does not suit him and begins anew: a day gives him some seven hundred tries."""
    acme, _ = await two(network)
    stranger, tries = Stranger(network, acme, MALLORY), 0
    for _ in range(24 * 12):
        for _ in range(4):
            try:
                await stranger.propose()
            except PeerRefusalError:
                break
            tries += 1
        network.later(minutes=5)
    assert 600 < tries < 750


CONFIRM = 'mutation { confirmPairing(id: "x", code: "123456") { id } }'
REJECT = 'mutation { rejectPairing(id: "x") { id } }'
START = 'mutation { startPairing(target: "acme", wish: TAKE) { id } }'


@pytest.mark.parametrize("role", [None, AccountRole.VIEWER, AccountRole.DEVELOPER])
@pytest.mark.parametrize("document", [CONFIRM, REJECT, START])
async def test_only_an_administrator_pairs(network: Network, role: AccountRole | None, document: str) -> None:
    """A viewer or a developer sees pairings, and can't begin, confirm or end one."""
    acme, globex = await two(network)
    begun = await globex.use.pairing.start(acme.url, TAKE, who=WHO)
    asked = document.replace('"x"', f'"{begun.id}"').replace("123456", begun.code or "")
    result = await schema().execute(asked, context_value=context(acme.use, role))
    assert result.errors
    assert (result.errors[0].extensions or {})["code"] == DeniedError.code
    present = held(acme, begun.id)
    assert (present.stage, present.confirmed_here) == (Stage.COMPARING, False)


async def test_a_stranger_announcing_anothers_node_gets_nowhere(network: Network) -> None:
    """Its id with his key, its key without its signature, its name and address under his own id."""
    acme, globex = await two(network)
    real = heard(acme)
    announcement = Announcement.from_txt(real.txt)
    lies = [
        replace(announcement, url="http://mallory.test:7420").to_txt(MALLORY),
        real.txt.replace(b"acme.test", b"evil.test"),
        real.txt.replace(acme.key.id.encode(), MALLORY.id.encode()),
    ]
    for txt in lies:
        await globex.use.nearby.hear(Heard(instance=real.instance, txt=txt))
    assert await globex.use.nearby.all() == []
    with pytest.raises(AbsentError):
        await globex.use.pairing.start("acme", TAKE, who=WHO)
    await globex.use.nearby.hear(real)
    await globex.use.nearby.hear(heard(acme, key=MALLORY))
    assert globex.use.nearby.urls_of(acme.key.id) == [acme.url]
    assert {one.id for one in await globex.use.nearby.all()} == {acme.key.id, MALLORY.id}
    with pytest.raises(ConflictError, match="2 nodes"):
        await globex.use.pairing.start("acme", TAKE, who=WHO)
    # His own id leads to the address that he named, where another key answers.
    with pytest.raises(TamperedError):
        await globex.use.pairing.start(str(MALLORY.id), TAKE, who=WHO)
    assert globex.use.pairing.all() == acme.use.pairing.all() == []


async def test_a_forged_goodbye_hides_a_node_until_it_is_heard_again(network: Network) -> None:
    """Goodbyes can't be signed in mDNS; announcements are repeated every minute, and links don't depend on them."""
    acme, globex = await two(network)
    await network.link(acme, globex, "public")
    await globex.use.nearby.hear(heard(acme))
    await globex.use.nearby.hear(Heard(instance=heard(acme).instance, gone=True))
    assert await globex.use.nearby.all() == []
    await globex.use.nearby.hear(heard(acme))
    assert [one.name for one in await globex.use.nearby.all()] == ["acme"]
    assert await links(globex) == (["acme"], [])


@pytest.mark.parametrize("role", list(Role))
async def test_nothing_is_stored_before_both_confirmed(network: Network, role: Role) -> None:
    """Neither on disk nor in the links, on either side, however far the talk has come."""
    acme, globex = await two(network)
    before = stored(acme), stored(globex)
    begun = await acme.use.pairing.start(globex.url, TAKE if role is Role.TAKE else GIVE, who=WHO)
    await confirm(acme, begun.id)
    for _ in range(3):
        await acme.use.pairing.step()
    assert (stored(acme), stored(globex)) == before
