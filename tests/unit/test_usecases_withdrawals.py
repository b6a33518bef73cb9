"""A withdrawal holds where it should, for as long as whoever made it says so, and no further."""

from pathlib import Path

import pytest

from federation.catalog.listing import marker
from federation.errors import AbsentError, ConflictError, ExistsError, VUpdateError
from federation.names import NodeName
from federation.versions import DeveloperVersion
from federation.withdrawal import SignedWithdrawal, Withdrawal
from node.model.desired import Delta, ListKind
from node.model.peer import Provider
from node.usecases.withdrawals import WithdrawnError
from tests.support.publishing import PUBLIC, SHOP, WHO, Publisher, key_of

GOOD, BAD = DeveloperVersion("acme-1.0.0"), DeveloperVersion("acme-1.0.1")


async def node(folder: Path, name: str = "acme", *, gives: str | None = None) -> Publisher:
    """A node with both versions of acme's shop, the bad one desired; ``gives``: the provider it has them from."""
    made = Publisher(folder / name, name)
    made.origins[NodeName("acme")] = key_of("acme").public
    await made.share("public", "shop")
    for version in (GOOD, BAD):
        await made.develop("shop", version, by="acme", received_from=gives)
    return made


def linked(consumer: Publisher, provider: Publisher) -> Provider:
    """``provider`` as its consumer knows it from now on."""
    known = provider.as_provider()
    consumer.providers[provider.name] = known
    return known


async def tell(provider: Publisher, consumer: Publisher) -> None:
    """What the catalogue of ``provider`` says of withdrawals reaches its consumer."""
    reader = await provider.reader(consumer.folder / "trusted" / provider.name)
    asker = provider.consumer(consumer.name)
    catalogue = await provider.read(reader, asker)
    envelopes = []
    for digest in catalogue.listing.withdrawals:
        content = await provider.answer(asker, "public", catalogue.url_path(f"withdrawals/{digest}.json"))
        assert content is not None
        envelopes.append(content)
    await consumer.withdrawals.received(
        consumer.providers[provider.name], envelopes, catalogue.listing.withdrawal_trails
    )


async def told(publisher: Publisher) -> list[tuple[str, str]]:
    return [(str(one.version), one.told) for one in await publisher.withdrawals.in_force()]


async def test_a_version_yanked_here_cannot_become_desired_again(tmp_path: Path) -> None:
    """Neither by hand, nor by a rollback, nor as a client version that rests on it; the refusal gives the reason."""
    acme = await node(tmp_path)
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    current = await acme.desired.current(ListKind.DEVELOPER)
    assert current.versions == {SHOP: BAD}
    await acme.want("shop", GOOD)
    with pytest.raises(WithdrawnError, match=r"shop acme-1\.0\.1 was withdrawn by acme: eats data"):
        await acme.want("shop", BAD)
    with pytest.raises(WithdrawnError, match="eats data"):
        await acme.desired.rollback(ListKind.DEVELOPER, current.number, who=WHO, why="")
    with pytest.raises(WithdrawnError, match="eats data"):
        await acme.withdrawals.refuse(ListKind.CLIENT, SHOP, "acme-1.0.1_3")
    await acme.withdrawals.refuse(ListKind.CLIENT, SHOP, "acme-1.0.0_3")
    assert (await acme.desired.current(ListKind.DEVELOPER)).versions == {SHOP: GOOD}
    await acme.withdrawals.unyank(SHOP, BAD, who=WHO)
    await acme.want("shop", BAD)


async def test_other_services_can_still_be_changed_beside_a_withdrawn_one(tmp_path: Path) -> None:
    """A version that was desired before it was withdrawn blocks no change of the list."""
    acme = await node(tmp_path)
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    await acme.develop("forum", "acme-1.0.0")
    delta = Delta(service=SHOP, version=None)
    assert (await acme.desired.set_now(ListKind.DEVELOPER, (delta,), who=WHO, why="")).versions == {"forum": GOOD}


async def test_a_withdrawal_names_what_is_here_and_why(tmp_path: Path) -> None:
    """No version, no reason, or a second time: refused, and nothing is kept."""
    acme = await node(tmp_path)
    with pytest.raises(AbsentError, match=r"acme-9\.9"):
        await acme.withdrawals.yank(SHOP, DeveloperVersion("acme-9.9"), reason="x", who=WHO)
    for reason in ("", "  ", "\x1b[2J", "x" * 1001):
        with pytest.raises(VUpdateError, match="reason"):
            await acme.withdrawals.yank(SHOP, BAD, reason=reason, who=WHO)
    assert await told(acme) == []
    with pytest.raises(AbsentError, match="is not withdrawn"):
        await acme.withdrawals.unyank(SHOP, BAD, who=WHO)
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    with pytest.raises(ExistsError, match="withdrawn already"):
        await acme.withdrawals.yank(SHOP, BAD, reason="another", who=WHO)
    assert await told(acme) == [("acme-1.0.1", "withdrawn by acme: eats data")]


async def test_an_origins_word_goes_down_the_chain_unchanged_and_back(tmp_path: Path) -> None:
    """acme → globex → initech: the same signed statement everywhere; taken back at acme it is gone everywhere."""
    acme = await node(tmp_path)
    globex, initech = await node(tmp_path, "globex", gives="acme"), await node(tmp_path, "initech", gives="globex")
    linked(globex, acme)
    linked(initech, globex)
    yanked = await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    await tell(acme, globex)
    await tell(globex, initech)
    (found,) = await initech.withdrawals.in_force()
    assert found.passed_on == yanked.passed_on
    assert found.trail == (marker(acme.key.id, SHOP), marker(globex.key.id, SHOP))
    assert await initech.withdrawals.reasons() == {yanked.manifest: "withdrawn by acme: eats data"}
    with pytest.raises(ConflictError, match="ask the operator of acme"):
        await initech.withdrawals.unyank(SHOP, BAD, who=WHO)
    await acme.withdrawals.unyank(SHOP, BAD, who=WHO)
    await tell(acme, globex)
    await tell(globex, initech)
    assert (await told(globex), await told(initech)) == ([], [])


async def test_a_providers_own_word_is_said_again_in_our_name(tmp_path: Path) -> None:
    """globex withdraws what acme made: initech believes it for what it has from globex, and passes it on as its own."""
    globex, initech = await node(tmp_path, "globex", gives="acme"), await node(tmp_path, "initech", gives="globex")
    linked(initech, globex)
    await globex.withdrawals.yank(SHOP, BAD, reason="not on our hosts", who=WHO)
    await tell(globex, initech)
    (found,) = await initech.withdrawals.in_force()
    assert (found.by, found.reason) == ("globex", "not on our hosts")
    passed_on = SignedWithdrawal.read(found.passed_on).withdrawal
    assert (passed_on.by, passed_on.key) == ("initech", initech.key.public)
    assert passed_on.reason == "globex withdrew it: not on our hosts"


async def test_a_provider_cannot_withdraw_what_another_one_gave(tmp_path: Path) -> None:
    """mallory lists acme's version as withdrawn; it came from globex, so it stays, and is passed on as it was."""
    initech = await node(tmp_path, "initech", gives="globex")
    mallory = await node(tmp_path, "mallory", gives="acme")
    linked(initech, mallory)
    await mallory.withdrawals.yank(SHOP, BAD, reason="take ours", who=WHO)
    await tell(mallory, initech)
    assert await told(initech) == []
    await initech.withdrawals.refuse(ListKind.DEVELOPER, SHOP, BAD)
    listing = (await initech.read(await initech.reader(tmp_path / "r"), initech.consumer("hooli"))).listing
    assert ([entry.version for entry in listing.entries], listing.withdrawals) == ([BAD], ())


async def test_a_forged_word_is_not_believed_and_the_others_are(tmp_path: Path) -> None:
    """Signed by a stranger in acme's name, torn, or in our own name: left out; what stands beside it counts."""
    acme = await node(tmp_path)
    initech = await node(tmp_path, "initech", gives="globex")
    globex = await node(tmp_path, "globex", gives="acme")
    provider = linked(initech, globex)
    real = await acme.withdrawals.yank(SHOP, GOOD, reason="old", who=WHO)
    manifest = real.manifest

    def forged(by: str, signer: str) -> bytes:
        key = key_of(signer)
        stated = Withdrawal(
            by=NodeName(by),
            key=key.public,
            service=SHOP,
            version=BAD,
            manifest=manifest,
            reason="forged",
            at=acme.clock.now(),
        )
        return stated.sign(key)

    lies = [forged("acme", "mallory"), forged("mallory", "mallory"), forged("initech", "mallory"), b"{", b""]
    await initech.withdrawals.received(provider, [*lies[:2], real.passed_on, *lies[2:]])
    assert await told(initech) == [("acme-1.0.0", "withdrawn by acme: old")]


async def test_it_is_lifted_only_when_no_provider_lists_it_any_more(tmp_path: Path) -> None:
    """Two providers pass acme's word on; one of them forgets it, and it holds until the other one does too."""
    acme = await node(tmp_path)
    initech = await node(tmp_path, "initech", gives="globex")
    first, second = await node(tmp_path, "globex", gives="acme"), await node(tmp_path, "hooli", gives="acme")
    one, two = linked(initech, first), linked(initech, second)
    yanked = await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    await initech.withdrawals.received(one, [yanked.passed_on])
    await initech.withdrawals.received(two, [yanked.passed_on])
    await initech.withdrawals.received(one, [])
    assert len(await told(initech)) == 1
    await initech.withdrawals.received(two, [])
    assert await told(initech) == []


async def test_our_own_word_stays_when_a_provider_takes_its_back(tmp_path: Path) -> None:
    """Both say so; the provider changes its mind, and we did not."""
    globex, initech = await node(tmp_path, "globex", gives="acme"), await node(tmp_path, "initech", gives="globex")
    linked(initech, globex)
    await globex.withdrawals.yank(SHOP, BAD, reason="theirs", who=WHO)
    await tell(globex, initech)
    await initech.withdrawals.yank(SHOP, BAD, reason="ours", who=WHO)
    assert await told(initech) == [("acme-1.0.1", "withdrawn by initech: ours")]
    await globex.withdrawals.unyank(SHOP, BAD, who=WHO)
    await tell(globex, initech)
    assert await told(initech) == [("acme-1.0.1", "withdrawn by initech: ours")]
    await initech.withdrawals.unyank(SHOP, BAD, who=WHO)
    assert await told(initech) == []


async def test_in_a_circle_no_withdrawal_outlives_its_author(tmp_path: Path) -> None:
    """acme → globex ⇄ initech: acme takes it back, and the echo between the two others dies away."""
    acme = await node(tmp_path)
    globex, initech = await node(tmp_path, "globex", gives="acme"), await node(tmp_path, "initech", gives="globex")
    linked(globex, acme)
    linked(initech, globex)
    linked(globex, initech)
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    for _ in range(2):
        await tell(acme, globex)
        await tell(globex, initech)
        await tell(initech, globex)
    assert len(await told(initech)) == 1
    await acme.withdrawals.unyank(SHOP, BAD, who=WHO)
    for _ in range(2):
        await tell(acme, globex)
        await tell(globex, initech)
        await tell(initech, globex)
    assert (await told(globex), await told(initech)) == ([], [])


async def test_what_a_former_provider_said_the_operator_can_take_back(tmp_path: Path) -> None:
    """Nobody else could, once the link is gone."""
    globex, initech = await node(tmp_path, "globex", gives="acme"), await node(tmp_path, "initech", gives="globex")
    linked(initech, globex)
    await globex.withdrawals.yank(SHOP, BAD, reason="theirs", who=WHO)
    await tell(globex, initech)
    with pytest.raises(ConflictError):
        await initech.withdrawals.unyank(SHOP, BAD, who=WHO)
    initech.providers.clear()
    await initech.withdrawals.unyank(SHOP, BAD, who=WHO)
    assert await told(initech) == []


async def test_a_new_key_of_this_node_signs_its_word_again(tmp_path: Path) -> None:
    """What stands in our name is believed by the newest key only; what an origin signed is left as it is."""
    acme = await node(tmp_path)
    globex = await node(tmp_path, "globex", gives="acme")
    provider = linked(globex, acme)
    word = await acme.withdrawals.yank(SHOP, GOOD, reason="old", who=WHO)
    await globex.withdrawals.received(provider, [word.passed_on])
    await globex.withdrawals.yank(SHOP, BAD, reason="ours", who=WHO)
    globex.key = key_of("globex again")
    globex._compose()
    await globex.withdrawals.renew()
    kept = {one.version: SignedWithdrawal.read(one.passed_on) for one in await globex.withdrawals.in_force()}
    assert kept[BAD].withdrawal.key == globex.key.public
    assert kept[BAD].withdrawal.reason == "ours"
    assert kept[GOOD].withdrawal.key == acme.key.public


async def test_a_withdrawal_is_told_to_those_who_listen(tmp_path: Path) -> None:
    """So that it is published at once: the serial has grown when somebody asks."""
    acme = await node(tmp_path)
    before = await acme.catalogs.serial(PUBLIC)
    await acme.withdrawals.yank(SHOP, BAD, reason="eats data", who=WHO)
    assert await acme.catalogs.serial(PUBLIC) == before + 1
