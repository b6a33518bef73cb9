"""Nodes that follow each other by themselves, over real streams: what passes, what is held, what comes to rest."""

from datetime import timedelta
from pathlib import Path

import pytest

from federation.errors import InvalidValueError
from federation.limits import MIB
from federation.link.answers import PeerAbsentError
from federation.names import NodeName, ServiceName
from node.model.desired import ListKind
from node.model.following import Action, Reason
from node.model.peer import AutoUpdate
from node.model.task import TaskState
from tests.support.limited import files_up_to
from tests.support.nodes import WHO, Network, chain

SHOP = ServiceName("shop")
ACME, GLOBEX = NodeName("acme"), NodeName("globex")
FILES = {"app.py": b"print('hello')\n" * 50}


def newer(number: int) -> dict[str, bytes]:
    return {"app.py": b"print(%d)\n" % number * 50}


async def number(network: Network, name: str) -> int:
    """How often the desired developer versions of a node have changed."""
    return (await network.members[name].use.desired.current(ListKind.DEVELOPER)).number


async def test_a_change_and_a_rollback_pass_down_a_chain_by_themselves(tmp_path: Path) -> None:
    """Each hop hears it on its stream, reads, takes, and passes it on."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme = network.members["acme"]
    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await network.agree("shop", "acme-1.0.0")
        await acme.develop("shop", "acme-1.0.1", newer(1))
        await network.agree("shop", "acme-1.0.1")
        await acme.set("shop", "acme-1.0.0")
        await network.agree("shop", "acme-1.0.0")
    for name in ("globex", "initech"):
        assert await number(network, name) == 3


@pytest.mark.parametrize("links", [(("acme", "globex"), ("globex", "acme")), ()])
async def test_two_nodes_and_a_ring_come_to_rest(tmp_path: Path, links: tuple[tuple[str, str], ...]) -> None:
    """acme ↔ globex, and acme → globex → initech → acme: nobody takes his own choice back as somebody else's."""
    names = ("acme", "globex") if links else ("acme", "globex", "initech")
    network = await chain(tmp_path, *names)
    await network.link(network.members[names[-1]], network.members["acme"], "public")
    acme = network.members["acme"]
    async with network.living():
        for build in range(3):
            await acme.develop("shop", f"acme-1.0.{build}", newer(build))
            await network.agree("shop", f"acme-1.0.{build}")
        await acme.use.updates.check(NodeName(names[-1]))
        assert (await acme.verdict("shop", names[-1])).reason is Reason.CIRCLE
    assert [await number(network, name) for name in names] == [3] * len(names)


async def test_an_operators_choice_is_held_and_passed_on_as_his_own(tmp_path: Path) -> None:
    """globex goes back to 1.0.0; initech follows globex; acme's next version is taken by both again."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, _ = network.members.values()
    async with network.living():
        for build in range(2):
            await acme.develop("shop", f"acme-1.0.{build}", newer(build))
            await network.agree("shop", f"acme-1.0.{build}")
        await globex.set("shop", "acme-1.0.0", who="ann")
        await network.agree("shop", "acme-1.0.0", "globex", "initech")
        held = await globex.verdict("shop", "acme")
        assert (held.action, held.reason) == (Action.KEEP, Reason.OPERATOR)
        assert "ann set acme-1.0.0 on 2026-03-01" in held.why
        await acme.develop("shop", "acme-1.0.2", newer(2))
        await network.agree("shop", "acme-1.0.2")
        await globex.set("shop", "acme-1.0.0", who="ann")
        await network.agree("shop", "acme-1.0.0", "globex", "initech")
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
        await network.agree("shop", "acme-1.0.2")


async def test_a_window_holds_an_update_until_it_opens(tmp_path: Path) -> None:
    """It is Sunday noon: the version comes on Monday at nine, without anybody's doing."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await globex.use.following.set_window(ACME, "Mon-Fri 09:00-17:00", who=WHO)
    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)

        async def held() -> bool:
            provider = await globex.provider("acme")
            return provider.catalog is not None and bool(provider.catalog.listing.entries)

        await network.until(held)
        verdict = await globex.verdict("shop", "acme")
        assert (verdict.reason, verdict.until) == (Reason.WINDOW, network.clock.now() + timedelta(hours=21))
        assert await globex.desired() == {}
        network.later(hours=21)
        await network.agree("shop", "acme-1.0.0")


async def test_settings_of_a_link_are_checked_and_kept(tmp_path: Path) -> None:
    """A window that is none is refused; off is no window; the provider can't be its own tester."""
    network = await chain(tmp_path, "acme", "globex")
    following = network.members["globex"].use.following
    with pytest.raises(InvalidValueError, match="not a time window"):
        await following.set_window(ACME, "at night", who=WHO)
    assert (await following.set_window(ACME, " Mon  09:00-17:00; ", who=WHO)).window == "Mon 09:00-17:00"
    assert (await following.set_window(ACME, "", who=WHO)).window == ""
    with pytest.raises(InvalidValueError, match="another consumer"):
        await following.require_tested(ACME, ACME, who=WHO)
    assert (await following.require_tested(ACME, GLOBEX, who=WHO)).tested_by == GLOBEX
    assert (await following.require_tested(ACME, None, who=WHO)).tested_by is None


async def test_a_link_without_auto_update_shows_what_is_new_and_takes_it_when_told(tmp_path: Path) -> None:
    """And one that only downloads has it here before."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await globex.use.links.set_auto_update(ACME, AutoUpdate.DOWNLOAD, who=WHO)
    await initech.use.links.set_auto_update(GLOBEX, AutoUpdate.OFF, who=WHO)
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.auto_update("acme")
        assert await globex.use.versions.has(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
        assert await globex.desired() == {}
        assert (await globex.verdict("shop", "acme")).reason is Reason.DOWNLOADED
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
        await initech.auto_update("globex")
        assert (await initech.verdict("shop", "globex")).reason is Reason.OFF
        assert await initech.use.versions.find(ListKind.DEVELOPER, SHOP, first=10) == []
        assert (await initech.update_from("globex")).state is TaskState.SUCCEEDED
    assert await initech.desired() == {"shop": "acme-1.0.0"}


async def test_an_update_waits_for_the_mark_of_the_tester(tmp_path: Path) -> None:
    """globex tests, initech waits for it; the mark travels by acme's catalogue."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    initech = network.add("initech")
    await network.link(acme, initech, "public")
    await acme.use.links.set_tester(GLOBEX, True, who=WHO)
    await initech.use.following.require_tested(ACME, GLOBEX, who=WHO)
    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await network.agree("shop", "acme-1.0.0", "globex")

        async def held() -> bool:
            provider = await initech.provider("acme")
            return provider.catalog is not None and bool(provider.catalog.listing.entries)

        await network.until(held)
        verdict = await initech.verdict("shop", "acme")
        assert (verdict.reason, verdict.why) == (Reason.UNTESTED, "held until globex marks acme-1.0.0 as tested")
        await globex.use.marks.give({SHOP}, comment="", who=WHO)
        await network.agree("shop", "acme-1.0.0")


async def test_one_bad_service_does_not_hold_the_others(tmp_path: Path) -> None:
    """The good one is desired, the bad one is held with its error and tried again later."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.share("public", "shop", "till")
    async with network.running():
        await acme.develop("till", "acme-1.0.0", {"till.py": b"print(1)\n"})
        big = await acme.develop("shop", "acme-1.0.0", FILES)
        network.tampers["globex", "acme"] = lambda path, content: b"" if str(big.manifest) in path else content
        await globex.auto_update("acme")
        assert await globex.desired() == {"till": "acme-1.0.0"}
        held = await globex.verdict("shop", "acme")
        assert held.reason is Reason.FAILED
        assert held.until is not None
        network.tampers.clear()
        await globex.auto_update("acme")
        assert "shop" not in await globex.desired()
        network.later(minutes=1)
        await globex.auto_update("acme")
    assert await globex.desired() == {"shop": "acme-1.0.0", "till": "acme-1.0.0"}


async def test_a_failed_update_is_tried_again_with_growing_pauses_and_at_once_when_the_offer_changes(
    tmp_path: Path,
) -> None:
    """No room on the disk, three times; a smaller version fits."""
    import random

    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", {"noise.bin": random.Random(1).randbytes(300_000)})
    async with network.running():
        with files_up_to(100_000):
            for times in ("once", "2 times", "3 times"):
                await globex.auto_update("acme")
                held = await globex.verdict("shop", "acme")
                assert held.why.startswith(f"failed {times}")
                assert "no room" in held.why
                network.later(hours=1)
            await acme.develop("shop", "acme-1.0.1", FILES)
            await globex.auto_update("acme")
    assert await globex.desired() == {"shop": "acme-1.0.1"}


async def test_a_service_taken_out_of_the_profile_vanishes_and_what_runs_stays(tmp_path: Path) -> None:
    """Neither its entry, nor its manifest, nor its image are to be had any more; the version here is not touched."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    async with network.living():
        made = await acme.develop("shop", "acme-1.0.0", FILES)
        await network.agree("shop", "acme-1.0.0")
        await acme.share("public")

        async def gone() -> bool:
            provider = await globex.provider("acme")
            return provider.catalog is not None and provider.catalog.listing.entries == ()

        await network.until(gone)
        peer = network.between(globex, acme)
        for path in (f"/federation/v1/packs/{made.image}", f"/catalogs/public/targets/manifests/{made.manifest}.json"):
            with pytest.raises(PeerAbsentError):
                await peer.get(path, most_bytes=MIB)
        assert await globex.desired() == {"shop": "acme-1.0.0"}
        verdict = await globex.verdict("shop", "acme")
        assert verdict.why == "no longer offered by acme: acme-1.0.0 stays as it is"


async def test_missed_events_are_made_up_when_the_provider_is_back(tmp_path: Path) -> None:
    """acme changes twice while nobody hears it; the first event after it is back tells the serial."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await network.agree("shop", "acme-1.0.0")
        acme.away = True
        for build in (1, 2):
            await acme.develop("shop", f"acme-1.0.{build}", newer(build))
        acme.away = False
        await network.agree("shop", "acme-1.0.2")
    assert await number(network, "globex") == 2


async def test_what_is_known_already_is_not_read_again(tmp_path: Path) -> None:
    """A reconnected stream that tells the serial that was read costs one request and no reading."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await network.agree("shop", "acme-1.0.0")
        network.wire.asked.clear()
        network.wire.cut(lambda of, to: (of, to) == ("globex", "acme"))

        async def reconnected() -> bool:
            network.wire.moved()
            return (
                "globex",
                "acme",
                "/federation/v1/events",
            ) in network.wire.asked and await globex.use.links.connected(ACME)

        await network.until(reconnected)
    assert [path for _, _, path in network.wire.asked if path.startswith("/catalogs/")] == []


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was followed, what was trusted and what was read stand on the disk."""
    network = await chain(tmp_path, "acme", "globex")
    acme = network.members["acme"]
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await network.members["globex"].auto_update("acme")
    globex = network.restart("globex")
    assert (await globex.verdict("shop", "acme")).reason is Reason.CURRENT
    async with network.living():
        await acme.develop("shop", "acme-1.0.1", newer(1))
        await network.agree("shop", "acme-1.0.1")
