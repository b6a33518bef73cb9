"""Links: what each consumer may, how both sides learn of a change, and how a link ends."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from federation import codec
from federation.errors import AbsentError, ConflictError, DeniedError, InvalidValueError, StaleError, TamperedError
from federation.keys import PrivateKey
from federation.link.messages import LinkAccepted, LinkState
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import NodeName, ProfileName
from node.model.peer import AutoUpdate, Provider
from node.usecases.consumers import LEFT, InvitationError
from node.usecases.farewells import KEPT
from node.usecases.providers import ENDED, following
from tests.support.nodes import WHO, Member, Network, chain

ACME, GLOBEX = NodeName("acme"), NodeName("globex")
PUBLIC, OTHER = ProfileName("public"), ProfileName("other")


async def two(tmp_path: Path) -> tuple[Network, Member, Member]:
    network = await chain(tmp_path, "acme", "globex")
    return network, network.members["acme"], network.members["globex"]


async def provider_of(member: Member) -> Provider:
    return await member.use.links.provider(ACME)


async def test_an_invitation_gives_the_rights_that_were_chosen(tmp_path: Path) -> None:
    """Both sides know them, and the link's catalogue is trusted from the first moment."""
    network = Network(tmp_path)
    acme, globex = network.add("acme"), network.add("globex")
    await acme.share("public", "shop")
    rights = USUAL_RIGHTS - {Right.STATES}
    invitation = await acme.use.links.invite(PUBLIC, who=WHO, rights=rights)
    provider = await globex.use.links.accept(invitation.text, auto_update=AutoUpdate.OFF, who=WHO)
    assert provider.rights == rights
    consumer = await acme.use.links.consumer(GLOBEX)
    assert consumer.rights == rights
    assert await acme.use.links.consumer_of_id(globex.key.id) == consumer
    assert (globex.folder / "trusted" / "acme").exists()


async def test_an_invitation_is_used_once_and_not_for_a_profile_that_is_gone(tmp_path: Path) -> None:
    """What can't be redeemed stays unused, so that a passing trouble costs nothing."""
    network, acme, _ = await two(tmp_path)
    initech = network.add("initech")
    invitation = await acme.use.links.invite(PUBLIC, who=WHO)
    await acme.use.profiles.remove(PUBLIC, who=WHO)
    with pytest.raises(AbsentError):
        await initech.use.links.accept(invitation.text, auto_update=AutoUpdate.OFF, who=WHO)
    assert [one.name for one in await acme.use.links.consumers()] == [GLOBEX]


async def test_one_key_is_one_consumer(tmp_path: Path) -> None:
    """A node that is linked already does not come in a second time under another name."""
    _, acme, globex = await two(tmp_path)
    with pytest.raises(ConflictError, match="linked here as globex"):
        await acme.use.links.add_consumer(name=NodeName("twin"), key=globex.key.public, profile=PUBLIC, who=WHO)
    with pytest.raises(ConflictError, match="another consumer is called"):
        await acme.use.links.add_consumer(name=GLOBEX, key=PrivateKey.generate().public, profile=PUBLIC, who=WHO)


async def test_changed_rights_and_profile_are_followed(tmp_path: Path) -> None:
    """The consumer asks, verifies, and has the same word of the link as the provider."""
    _, acme, globex = await two(tmp_path)
    await acme.share("other", "forum")
    await acme.use.links.set_rights(GLOBEX, {Right.TAKE}, who=WHO)
    await acme.use.links.set_profile(GLOBEX, OTHER, who=WHO)
    changed = await globex.use.links.refresh_state(ACME)
    assert (changed.profile, changed.rights, changed.catalog) == (OTHER, frozenset({Right.TAKE}), None)
    consumer = await acme.use.links.consumer(GLOBEX)
    assert changed.revision == consumer.revision
    assert (await globex.use.updates.check(ACME)).profile == OTHER


async def test_what_does_not_exist_changes_no_link(tmp_path: Path) -> None:
    """An unknown consumer or profile is refused, and nothing is different."""
    _, acme, _ = await two(tmp_path)
    before = await acme.use.links.consumers()
    with pytest.raises(AbsentError):
        await acme.use.links.set_profile(GLOBEX, ProfileName("nowhere"), who=WHO)
    with pytest.raises(AbsentError):
        await acme.use.links.set_rights(NodeName("nobody"), set(), who=WHO)
    assert await acme.use.links.consumers() == before


async def test_a_profile_without_a_catalogue_is_not_taken_up_yet(tmp_path: Path) -> None:
    """Its root has to be trusted first: until there is one, the consumer stays with what it has."""
    _, _, globex = await two(tmp_path)
    provider = await provider_of(globex)
    assert following(provider, state_of(provider, profile=OTHER)).profile == PUBLIC
    assert following(provider, state_of(provider, profile=OTHER, root="{}")).profile == OTHER


def state_of(of: Provider, /, **changes: object) -> LinkState:
    state = LinkState(
        provider=of.name,
        consumer=of.id,
        profile=of.profile,
        rights=of.rights,
        url=of.url,
        root="",
        revision=of.revision,
        issued=of.linked,
    )
    return replace(state, **changes)  # type: ignore[arg-type]  # each is of its field's type


async def test_an_older_word_of_the_link_is_refused(tmp_path: Path) -> None:
    """A recorded statement can't give back a right, nor another node's name pass for the provider's."""
    _, _, globex = await two(tmp_path)
    provider = replace(await provider_of(globex), revision=7)
    assert following(provider, state_of(provider, revision=8)).revision == 8
    with pytest.raises(StaleError, match="newer"):
        following(provider, state_of(provider, revision=6))
    with pytest.raises(TamperedError, match="calls itself"):
        following(provider, state_of(provider, provider=NodeName("evil")))


async def test_an_address_that_the_provider_gives_is_not_taken_on_its_word(tmp_path: Path) -> None:
    """It is remembered beside the one in use; who is there is for others to check."""
    _, _, globex = await two(tmp_path)
    provider = await provider_of(globex)
    moved = following(provider, state_of(provider, url="http://elsewhere.test:1"))
    assert (moved.url, moved.offered_url) == (provider.url, "http://elsewhere.test:1")
    assert following(moved, state_of(provider)).offered_url == ""


async def test_a_link_that_the_provider_ended_is_marked_and_told(tmp_path: Path) -> None:
    """The consumer says since when and what to do; linked anew, all is well again."""
    network, acme, globex = await two(tmp_path)
    await acme.use.links.remove_consumer(GLOBEX, who=WHO)
    with pytest.raises(DeniedError):
        await globex.use.links.refresh_state(ACME)
    provider = await provider_of(globex)
    assert provider.ended == network.clock.now()
    (alarm,) = [one for one in await globex.use.alarms.all() if one.kind == ENDED]
    assert (alarm.subject, "vupdate provider remove acme" in alarm.message) == ("acme", True)
    network.later(hours=1)
    with pytest.raises(DeniedError):
        await globex.use.links.refresh_state(ACME)
    assert (await provider_of(globex)).ended == provider.ended
    await network.link(acme, globex, "public")
    assert (await provider_of(globex)).ended is None
    assert [one for one in await globex.use.alarms.all() if one.kind == ENDED] == []


async def test_a_link_that_the_consumer_ended_vanishes_at_the_provider(tmp_path: Path) -> None:
    """It is told at once, audited under the consumer's name, and shown; what it reported is forgotten."""
    _, acme, globex = await two(tmp_path)
    await globex.use.links.remove_provider(ACME, who=WHO)
    await globex.use.farewells.say_due()
    assert await acme.use.links.consumers() == []
    assert await globex.use.farewells.waiting() == []
    (entry,) = [one for one in await acme.use.audit.find(first=50) if one.action == "remove-consumer"]
    assert entry.who == "globex"
    assert [one.subject for one in await acme.use.alarms.all() if one.kind == LEFT] == ["globex"]


async def test_a_farewell_waits_for_a_provider_that_is_away(tmp_path: Path) -> None:
    """It is tried again and again, and heard when the provider is back."""
    network, acme, globex = await two(tmp_path)
    acme.away = True
    await globex.use.links.remove_provider(ACME, who=WHO)
    for _ in range(5):
        await globex.use.farewells.say_due()
        network.later(minutes=30)
    assert [one.attempts for one in await globex.use.farewells.waiting()] == [5]
    acme.away = False
    await globex.use.farewells.say_due()
    assert (await acme.use.links.consumers(), await globex.use.farewells.waiting()) == ([], [])


async def test_a_farewell_is_given_up_after_thirty_days(tmp_path: Path) -> None:
    """A provider that is gone for good is not asked for ever."""
    network, acme, globex = await two(tmp_path)
    acme.away = True
    await globex.use.links.remove_provider(ACME, who=WHO)
    await globex.use.farewells.say_due()
    network.later(seconds=KEPT.total_seconds() + 1)
    await globex.use.farewells.say_due()
    assert await globex.use.farewells.waiting() == []


async def test_a_link_made_anew_is_not_ended_by_the_old_farewell(tmp_path: Path) -> None:
    """Neither is it sent any more, nor would the provider take one of before the new link."""
    network, acme, globex = await two(tmp_path)
    acme.away = True
    await globex.use.links.remove_provider(ACME, who=WHO)
    await globex.use.farewells.say_due()
    (farewell,) = await globex.use.farewells.waiting()
    network.later(hours=1)
    acme.away = False
    await network.link(acme, globex, "public")
    assert await globex.use.farewells.waiting() == []
    old = codec.encode({"at": farewell.at})
    await network.between(globex, acme).post("/federation/v1/link/end", old)
    assert [one.name for one in await acme.use.links.consumers()] == [GLOBEX]


async def test_a_consumer_that_was_removed_before_needs_no_farewell_heard(tmp_path: Path) -> None:
    """The provider knows the node no more: there is nothing left to tell."""
    _, acme, globex = await two(tmp_path)
    await acme.use.links.remove_consumer(GLOBEX, who=WHO)
    await globex.use.links.remove_provider(ACME, who=WHO)
    await globex.use.farewells.say_due()
    assert await globex.use.farewells.waiting() == []


async def test_the_word_of_a_link_is_of_now(tmp_path: Path) -> None:
    """One that was recorded, or is of another reader, is refused."""
    network, acme, globex = await two(tmp_path)
    consumer = await acme.use.links.consumer(GLOBEX)
    content = await acme.use.links.link_state(consumer)
    now = network.clock.now()
    key, reader = acme.key.public, globex.key.id
    assert LinkState.read(content, provider=key, reader=reader, now=now).revision == consumer.revision
    with pytest.raises(StaleError):
        LinkState.read(content, provider=key, reader=reader, now=now + timedelta(minutes=11))
    with pytest.raises(TamperedError):
        LinkState.read(content, provider=key, reader=acme.key.id, now=now)
    with pytest.raises(TamperedError):
        LinkState.read(content, provider=globex.key.public, reader=reader, now=now)


async def test_a_provider_is_known_by_the_name_it_accepted_under(tmp_path: Path) -> None:
    """A link accepted by another name, or with a root that is none, makes no provider."""
    _, acme, globex = await two(tmp_path)
    await globex.use.links.remove_provider(ACME, who=WHO)
    content = await acme.use.links.add_consumer(name=GLOBEX, key=globex.key.public, profile=PUBLIC, who=WHO)
    accepted = LinkAccepted.read(content, provider=acme.key.public, reader=globex.key.id)
    for wrong in (replace(accepted, provider=NodeName("evil")), replace(accepted, root="{}")):
        with pytest.raises(TamperedError):
            await globex.use.links.add_provider(
                name=ACME,
                key=acme.key.public,
                url=acme.url,
                accepted=wrong,
                auto_update=AutoUpdate.OFF,
                who=WHO,
            )
    assert await globex.use.links.providers() == []


async def test_a_used_invitation_says_so(tmp_path: Path) -> None:
    """One sentence that says what to do."""
    network, acme, globex = await two(tmp_path)
    invitation = await acme.use.links.invite(PUBLIC, who=WHO)
    initech = network.add("initech")
    await initech.use.links.accept(invitation.text, auto_update=AutoUpdate.OFF, who=WHO)
    with pytest.raises((InvitationError, DeniedError), match="ask the provider for a new one"):
        await globex.use.links.accept(invitation.text, auto_update=AutoUpdate.OFF, who=WHO)


@pytest.mark.parametrize("url", ["https://0.0.0.0:7420", "http://[::]:7420"])
async def test_a_node_that_is_nowhere_by_its_own_word_invites_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """An invitation to 0.0.0.0 would lead every consumer to itself; the message says what to set."""
    _, acme, _ = await two(tmp_path)
    monkeypatch.setattr(acme.use.links, "_station", replace(acme.use.links._station, url=url))
    with pytest.raises(InvalidValueError, match=r"config\.toml"):
        await acme.use.links.invite(PUBLIC, who=WHO)
