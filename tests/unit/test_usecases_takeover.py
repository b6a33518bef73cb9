"""Providers that are lost, change, or lie about what they made: who takes over, and what is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from federation.catalog.listing import manifest_target
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, LocalError, UnreachableError
from federation.names import NodeName, ProfileName, ServiceName
from federation.transfer.packstore import Pack
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.following import Reason
from node.model.peer import AutoUpdate, Provider
from node.usecases.changes import Topic
from node.usecases.contents import Content
from tests.support.evil import other_manifest, publishing
from tests.support.nodes import WHO, chain

SHOP = ServiceName("shop")
ACME, GLOBEX = NodeName("acme"), NodeName("globex")
FILES = {"app.py": b"print('hello')\n" * 50}


def newer(number: int) -> dict[str, bytes]:
    return {"app.py": b"print(%d)\n" % number * 50}


async def test_another_provider_takes_over_from_one_that_is_away_too_long(tmp_path: Path) -> None:
    """initech takes from both; acme's catalogue runs out after a day, and globex has a newer version by then."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await network.link(acme, initech, "public")
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.auto_update("acme")
        for provider in ("acme", "globex"):
            await initech.auto_update(provider)
        followed = await initech.use.following.followed(SHOP)
        assert followed is not None
        assert followed.choice is not None
        assert followed.choice.provider == "acme"
        await acme.develop("shop", "acme-1.0.1", newer(1))
        await globex.auto_update("acme")
        acme.away = True
        await initech.auto_update("globex")
        assert await initech.desired() == {"shop": "acme-1.0.0"}
        network.later(hours=25)
        with pytest.raises(Exception, match="does not answer"):
            await initech.use.updates.check(ACME)
        await initech.auto_update("globex")
        assert await initech.desired() == {"shop": "acme-1.0.1"}
        assert (await initech.verdict("shop", "acme")).reason is Reason.EXPIRED


async def test_another_provider_takes_over_from_one_that_ended_the_link_or_lies(tmp_path: Path) -> None:
    """An ended link at once; a catalogue that can't be believed after ten minutes of it."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await network.link(acme, initech, "public")
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.auto_update("acme")
        for provider in ("acme", "globex"):
            await initech.auto_update(provider)
        network.tampers["initech", "acme"] = lambda path, content: content[:-1] if "timestamp" in path else content
        for minutes, reason in ((0, Reason.OTHER_PROVIDER), (10, Reason.CURRENT)):
            network.later(minutes=minutes)
            with pytest.raises(Exception, match="timestamp"):
                await initech.use.updates.check(ACME)
            assert (await initech.verdict("shop", "globex")).reason is reason
        await initech.use.following.judge()
        network.tampers.clear()
        await initech.auto_update("acme")
        # Who took over stays: nothing swings back and forth.
        assert (await initech.verdict("shop", "acme")).reason is Reason.OTHER_PROVIDER
        await globex.use.links.remove_consumer(NodeName("initech"), who=WHO)
        with pytest.raises(Exception, match="not linked"):
            await initech.use.updates.check(GLOBEX)
        assert (await initech.verdict("shop", "acme")).reason is Reason.CURRENT


async def test_another_provider_takes_over_from_one_that_lists_a_forged_version(tmp_path: Path) -> None:
    """evil's catalogue is in order, but what it lists was not made by acme: initech takes acme's own from globex."""
    network = await chain(tmp_path, "acme", "evil", "initech")
    acme, evil, initech = network.members.values()
    globex = network.add("globex")
    await globex.share("public", "shop")
    await network.link(acme, globex, "public")
    await network.link(globex, initech, "public")
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        for member in (evil, globex):
            await member.auto_update("acme")
        for provider in ("evil", "globex"):
            await initech.auto_update(provider)
        followed = await initech.use.following.followed(SHOP)
        assert followed is not None
        assert followed.choice is not None
        assert followed.choice.provider == "evil"
        await acme.develop("shop", "acme-1.0.1", newer(1))
        for member in (evil, globex):
            await member.auto_update("acme")
        with publishing(evil, other_manifest(evil)):
            for provider in ("globex", "evil", "globex"):
                await initech.auto_update(provider)
            assert (await initech.verdict("shop", "evil")).reason is Reason.PENALISED
    assert await initech.desired() == {"shop": "acme-1.0.1"}
    taken = await initech.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.1")
    genuine = await acme.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.1")
    assert (taken.manifest, taken.received_from) == (genuine.manifest, "globex")


async def test_another_provider_gives_what_the_one_followed_lists_and_does_not_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """acme's packs can't be had any more, and globex has the same version: initech takes it there after some tries."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await network.link(acme, initech, "public")
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.auto_update("acme")
        for provider in ("acme", "globex"):
            await initech.auto_update(provider)
        await acme.develop("shop", "acme-1.0.1", newer(1))
        await globex.auto_update("acme")

        async def lost(_base: Digest | None, _image: Digest) -> Pack:
            raise CorruptError("a disk is failing")

        monkeypatch.setattr(acme.use.images, "pack", lost)
        for _ in range(3):
            assert await initech.desired() == {"shop": "acme-1.0.0"}
            for provider in ("acme", "globex"):
                await initech.auto_update(provider)
            network.later(minutes=1)
        await initech.auto_update("globex")
    assert await initech.desired() == {"shop": "acme-1.0.1"}


async def test_the_same_version_made_twice_is_refused(tmp_path: Path) -> None:
    """acme signs another 1.0.0: who has the first one keeps it, and says that something is wrong."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    async with network.running():
        made = await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.auto_update("acme")
        other, _, _ = acme.signed("shop", "acme-1.0.0", newer(1))

        def lie(content: Content) -> Content:
            (entry,) = content.listing.entries
            forged = replace(entry, image=other.manifest.image, manifest=other.digest)
            documents = {**content.documents, manifest_target(other.digest): other.envelope.to_bytes()}
            return replace(content, listing=replace(content.listing, entries=(forged,)), documents=documents)

        with publishing(acme, lie):
            await globex.auto_update("acme")
            held = await globex.verdict("shop", "acme")
        assert held.reason is Reason.FAILED
        assert "the same version can't be made twice" in held.why
    kept = await globex.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
    assert kept.manifest == made.manifest


async def test_a_change_of_the_link_is_heard_and_followed(tmp_path: Path) -> None:
    """acme gives globex another profile: it reads that one's catalogue from then on, by its own root."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.share("partners", "till")
    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await acme.develop("till", "acme-1.0.0", newer(1))
        await network.agree("shop", "acme-1.0.0")
        await acme.use.links.set_profile(GLOBEX, ProfileName("partners"), who=WHO)

        async def follows() -> bool:
            # The stream ended, and is opened again after a pause.
            network.wire.moved()
            return await globex.desired() == {"shop": "acme-1.0.0", "till": "acme-1.0.0"}

        await network.until(follows)
        assert (await globex.provider("acme")).profile == "partners"
        assert (await globex.verdict("shop", "acme")).reason is Reason.GONE


async def test_a_provider_that_does_not_answer_is_searched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address may have changed; what is known of it stays as it is."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    sought: list[str] = []

    async def search(provider: Provider) -> None:
        sought.append(provider.name)
        globex.use.changes.publish(Topic.NEARBY)

    monkeypatch.setattr(globex.use.followers, "_search", search)

    async def searched() -> bool:
        return sought == ["acme"]

    async with network.living():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await network.agree("shop", "acme-1.0.0")
        acme.away = True

        async def parted() -> bool:
            return not await globex.use.links.connected(ACME)

        await network.until(parted)
        network.later(seconds=6)
        await network.until(searched)
    assert "does not answer" in (await globex.provider("acme")).error
    assert (await globex.verdict("shop", "acme")).reason is Reason.CURRENT


async def test_it_is_explained_why_a_service_is_as_it_is(tmp_path: Path) -> None:
    """What each provider lists, what was decided, what is followed, and by whom the present version was chosen."""
    network = await chain(tmp_path, "acme", "globex", "initech")
    acme, globex, initech = network.members.values()
    await network.link(acme, initech, "public", AutoUpdate.OFF)
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        await globex.auto_update("acme")
        for name in ("acme", "globex"):
            await initech.use.updates.check(NodeName(name))
        await initech.update_from("acme")
        globex.away = True
        with pytest.raises(UnreachableError):
            await initech.use.updates.check(GLOBEX)
    found = await initech.use.explanations.explain(SHOP)
    assert [(one.provider, one.reason) for one in found.verdicts] == [
        ("acme", Reason.CURRENT),
        ("globex", Reason.OTHER_PROVIDER),
    ]
    assert [(one.provider, one.known) for one in found.unheard] == [("globex", True)]
    assert found.followed is not None
    assert found.followed.choice is not None
    assert (found.followed.choice.provider, found.desired) == ("acme", "acme-1.0.0")
    assert found.chosen is not None
    assert (found.chosen.who, found.client, found.build.failed) == (WHO, None, 0)
    with pytest.raises(AbsentError, match="no provider lists"):
        await initech.use.explanations.explain(ServiceName("other"))


async def test_a_node_that_ends_while_it_takes_a_version_passes_it_on_with_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desired version was set, the rest was not written: the trail is there all the same, and is noted later."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()

    async def ended(_taken: object) -> None:
        raise LocalError("the power went")

    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        monkeypatch.setattr(globex.use.following, "finish", ended)
        await globex.update_from("acme")
        assert await globex.desired() == {"shop": "acme-1.0.0"}
    globex = network.restart("globex")
    version = DeveloperVersion("acme-1.0.0")
    listed = (await globex.provider("acme")).catalog
    assert listed is not None
    assert await globex.use.following.trail(SHOP, version) == listed.listing.entries[0].trail
    await globex.use.following.judge()
    followed = await globex.use.following.followed(SHOP)
    assert followed is not None
    assert followed.choice is not None
    assert (followed.choice.provider, followed.taking) == ("acme", None)
