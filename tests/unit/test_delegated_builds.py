"""Builds at peers: taken, followed, verified, lost and found again; and what a lying builder gets."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from build.developer import Built, DeveloperBuild, build_developer
from federation.keys import PrivateKey
from federation.link.answers import PeerAbsentError
from federation.link.builds import LEASE_SECONDS, BuildOrder, OrderedSource
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import NodeName
from federation.provenance import SignedProvenance
from federation.transfer.pack import make_pack
from federation.transfer.tree import TreeSource, scan_tree
from federation.versions import DeveloperVersion
from node.model.building import BuilderPolicy
from node.model.desired import ListKind
from node.model.orders import forbidden_source, pressure
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource
from node.usecases import delegation, ordered_build
from node.usecases.builder_lines import DialledBuilder
from node.usecases.witness import Witness
from tests.support.ordering import BUSY, GLOBEX, IDLE, SHOP, WHO, asker, scene, until


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delegation, "_LOADED_SECONDS", 0.05)
    monkeypatch.setattr(ordered_build, "RETRY_SECONDS", 0.05)


async def test_a_peer_builds_what_this_node_signs(tmp_path: Path) -> None:
    """The version is globex's own, the provenance acme's; the log came along, and acme keeps nothing of it."""
    found = await scene(tmp_path, "acme")
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
        stored = await found.globex.use.versions.get(ListKind.DEVELOPER, SHOP, "globex-1.0.0")
        made = stored.signed.manifest
        assert (made.maker.node, made.sources[0].commit) == ("globex", found.repo.git("rev-parse", "HEAD").strip())
        assert (await found.globex.use.desired.current(ListKind.DEVELOPER)).versions == {SHOP: "globex-1.0.0"}
        (said,) = await found.globex.use.provenances.of(SHOP, DeveloperVersion("globex-1.0.0"))
        assert (said.node, said.image) == ("acme", stored.image)
        assert "acme: building" in await found.log(task)
        assert found.leftovers() == []


async def test_a_peer_says_what_the_commits_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those since the version before, without what could steer a terminal; a comment that was given comes first."""
    found = await scene(tmp_path, "acme")
    globex = found.globex
    seen: list[str] = []
    async with found.network.running():
        await found.built("acme")
        found.repo.commit("Sells shoes")
        found.repo.commit("Sells \x1b[31mhats")
        await found.built("acme")
        task = await globex.use.builds.start(SHOP, version=None, comment="Mine", on=[NodeName("acme")], who=WHO)
        await globex.use.tasks.wait(task.id)
        for number in range(3):
            stored = await globex.use.versions.get(ListKind.DEVELOPER, SHOP, f"globex-1.0.{number}")
            seen.append(stored.signed.manifest.comment)
    assert seen == ["A change", "Sells hats\nSells shoes", "Mine"]


async def test_sources_of_what_a_peer_built_are_tagged(tmp_path: Path) -> None:
    """At the commit that was built, by the node that wants them tagged; what can't be fetched is a warning."""
    found = await scene(tmp_path, "acme")
    source = GitSource(name="shop", url=found.repo.url)
    await found.globex.use.services.add(DevelopedService(name=SHOP, sources=(source,), tag=True), who=WHO)
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
    assert found.repo.git("rev-parse", "shop-globex-1.0.0") == found.repo.git("rev-parse", "HEAD")
    assert "shop is tagged as shop-globex-1.0.0" in await found.log(task)


async def test_without_the_right_nothing_is_built(tmp_path: Path) -> None:
    """A peer that granted nothing is named, and so is one that says it builds for nobody."""
    found = await scene(tmp_path, "acme", "beta")
    acme, beta = found.builders
    await acme.use.links.set_rights(GLOBEX, USUAL_RIGHTS, who=WHO)
    beta.use.workshop._most = 0
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.FAILED
        assert "acme: it has not granted this node to have builds run" in task.error
        states = {one.name: one for one in await found.globex.use.delegation.builders()}
        assert states[NodeName("acme")].error.startswith("it has not granted")
        assert states[NodeName("beta")].state is not None
        assert states[NodeName("beta")].state.refusal == "it builds for nobody"  # type: ignore[union-attr]


async def test_a_loaded_builder_is_waited_for_and_the_wait_is_explained(tmp_path: Path) -> None:
    """While acme is busy the task says so; once it is free again, it builds."""
    found = await scene(tmp_path, "acme")
    shop = found.builders[0].use.workshop
    shop._load = lambda _: BUSY
    async with found.network.running():
        task = await found.build("acme")
        await until(lambda: "processors are busy" in found.globex.use.tasks.waits_for(task))
        assert found.globex.use.tasks.waits_for(task).startswith("waits for a builder: acme: ")
        shop._load = lambda _: IDLE
        ended = await found.globex.use.tasks.wait(task.id)
        assert ended.state is TaskState.SUCCEEDED, ended.error


async def test_a_builder_that_forgets_the_order_loses_it_to_another(tmp_path: Path) -> None:
    """acme is started anew in the middle; beta builds it."""
    found = await scene(tmp_path, "acme", "beta")
    gate = tmp_path / "gate"
    found.write("echo begun; test -e $PWD/../../../nothing; sleep 0.1; cp vupdate.toml shop; chmod +x shop")
    acme, beta = found.builders
    release = asyncio.Event()

    async def held(request: DeveloperBuild, log: Callable[[str], None]) -> Built:
        gate.touch()
        await release.wait()
        return await build_developer(request, log)

    acme.use.workshop._build = held
    async with found.network.running():
        task = await found.build("acme", "beta")
        await until(gate.exists)
        acme.use.workshop._orders.clear()
        ended = await found.globex.use.tasks.wait(task.id)
        release.set()
        assert ended.state is TaskState.SUCCEEDED, ended.error
        assert "the order goes elsewhere" in await found.log(ended)
        (said,) = await found.globex.use.provenances.of(SHOP, DeveloperVersion("globex-1.0.0"))
        assert said.node == "beta"
    assert beta.use.workshop._orders == {}


async def test_a_cancel_reaches_the_builder(tmp_path: Path) -> None:
    """What runs at acme for a task that globex cancels is stopped, and its folder is gone."""
    found = await scene(tmp_path, "acme")
    found.write("echo begun; sleep 600")
    acme = found.builders[0]
    async with found.network.running():
        task = await found.build("acme")
        async with asyncio.timeout(20):
            while "begun" not in await found.log(task):
                await asyncio.sleep(0.02)
        ended = await found.globex.use.tasks.cancel(task.id, who=WHO)
        assert ended.state is TaskState.CANCELLED
        (there,) = await acme.use.tasks.find(10)
        assert there.state is TaskState.CANCELLED
        assert acme.use.workshop._orders == {}
        assert found.leftovers() == []


async def test_nobody_works_for_an_asker_that_is_gone(tmp_path: Path) -> None:
    """An order that nobody asks about any more ends with its lease."""
    found = await scene(tmp_path, "acme")
    found.write("sleep 600")
    acme = found.builders[0]
    consumer = await asker(acme, "globex")
    async with found.network.running():
        order = found.order()
        await acme.use.workshop.take(consumer, order)
        await acme.use.workshop.sweep()
        assert len(acme.use.workshop._orders) == 1
        found.network.later(seconds=LEASE_SECONDS + 1)
        await acme.use.workshop.sweep()
        assert acme.use.workshop._orders == {}
        assert (await acme.use.tasks.find(10))[0].state is TaskState.CANCELLED


async def test_one_consumers_order_is_nothing_to_another(tmp_path: Path) -> None:
    """Neither its log nor its image, nor that it is there."""
    found = await scene(tmp_path, "acme")
    acme = found.builders[0]
    initech = found.network.add("initech")
    await found.network.link(acme, initech, "public")
    await acme.use.links.set_rights(NodeName("initech"), USUAL_RIGHTS | {Right.BUILDS}, who=WHO)
    consumer, other = await asker(acme, "globex"), await asker(acme, "initech")
    async with found.network.running():
        order = found.order()
        await acme.use.workshop.take(consumer, order)
        for path in ("", "/pack"):
            with pytest.raises(Exception, match="no such order"):
                await found.network.between(initech, acme).get(
                    f"/federation/v1/builds/{order.id}{path}", most_bytes=10**6
                )
        with pytest.raises(Exception, match="no such order"):
            await acme.use.workshop.cancel(other, order.id)
        await acme.use.workshop.cancel(consumer, order.id)


async def test_a_builder_that_has_no_image_any_more_loses_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was started anew between its last word and the fetch: the next one builds."""
    found = await scene(tmp_path, "acme", "beta")
    fetch = DialledBuilder.fetch

    async def forgotten(line: DialledBuilder, order: str, target: Path) -> None:
        if line.name == "acme":
            raise PeerAbsentError("there is no such order of yours here", remote_code="absent")
        await fetch(line, order, target)

    monkeypatch.setattr(DialledBuilder, "fetch", forgotten)
    async with found.network.running():
        task = await found.built("acme", "beta")
        assert task.state is TaskState.SUCCEEDED, task.error
        assert "it does not have what it built any more" in await found.log(task)
        (said,) = await found.globex.use.provenances.of(SHOP, DeveloperVersion("globex-1.0.0"))
        assert said.node == "beta"


def altered(request: DeveloperBuild, built: Built) -> Built:
    """What a builder gives that puts something of its own into the image."""
    (built.tree / "backdoor").write_text("evil")
    return replace(built, image=scan_tree(built.tree))


async def evil_build(request: DeveloperBuild, log: Callable[[str], None]) -> Built:
    return altered(request, await build_developer(request, log))


async def test_three_builders_one_of_them_malicious(tmp_path: Path) -> None:
    """globex asks each to rebuild its version: the liar is named, its difference kept, and two honest ones suffice."""
    found = await scene(tmp_path, "alpha", "beta", "gamma")
    found.builders[2].use.workshop._build = evil_build
    ids = tuple(one.key.id for one in found.builders)
    version = DeveloperVersion("globex-1.0.0")
    use = found.globex.use
    async with found.network.running():
        await use.provenances.require(BuilderPolicy(service=SHOP, builders=ids, require=2), who=WHO)
        assert (await found.built("alpha")).state is TaskState.SUCCEEDED
        assert (await use.desired.current(ListKind.DEVELOPER)).versions == {}
        for name in ("gamma", "beta"):
            task = await use.rebuilds.start(SHOP, version, on=(NodeName(name),), here=False, who=WHO)
            ended = await use.tasks.wait(task.id)
            assert ended.state is TaskState.SUCCEEDED, ended.error
            expected = "another image: 1 paths differ" if name == "gamma" else "the same image"
            assert ended.result == expected
        by_name = {one.node: one for one in await use.provenances.of(SHOP, version)}
        assert by_name[NodeName("gamma")].difference == ("backdoor is not in the version",)
        judgement = await use.provenances.judgement(SHOP, version)
        assert judgement is not None
        assert judgement.is_met
        assert [one.node for one in judgement.differing] == ["gamma"]


@pytest.mark.parametrize("lie", ["signer", "order", "source", "pack"])
async def test_what_is_not_the_builders_own_true_word_is_refused(
    lie: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's signature, the word about another order, an image that is not the one told of: nothing is kept."""
    found = await scene(tmp_path, "acme")
    shop = found.builders[0].use.workshop
    if lie == "signer":
        shop._witness = Witness(node=NodeName("acme"), key=PrivateKey.generate(), clock=found.network.clock)
    elif lie == "order":
        honest = shop._witness.state
        monkeypatch.setattr(shop._witness, "state", lambda *args, **more: honest(*args, **{**more, "invocation": "x"}))
    elif lie == "source":
        attest = shop._witness.state

        def elsewhere(request: DeveloperBuild, built: Built, **more: Any) -> SignedProvenance:
            sources = tuple(replace(one, url="https://elsewhere.example/shop") for one in built.sources)
            return attest(request, replace(built, sources=sources), **more)

        monkeypatch.setattr(shop._witness, "state", elsewhere)
    else:

        def other(**given: Any) -> int:
            tree = tmp_path / "other"
            tree.mkdir()
            (tree / "shop").write_text("evil")
            return make_pack(**{**given, "image": scan_tree(tree), "source": TreeSource(tree, scan_tree(tree))})

        monkeypatch.setattr("node.usecases.workshop.make_pack", other)
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.FAILED
        assert "refused" in task.error or "asked for was" in task.error, task.error
        assert not await found.globex.use.versions.has(ListKind.DEVELOPER, SHOP, "globex-1.0.0")
        assert await found.globex.use.provenances.of(SHOP, DeveloperVersion("globex-1.0.0")) == []


@pytest.mark.parametrize(
    ("url", "allowed", "refused"),
    [
        ("https://git.example/shop.git", ["https://"], False),
        ("http://git.example/shop.git", ["https://"], True),
        ("file:///etc", ["https://"], True),
        ("git@git.example:shop.git", ["https://"], True),
        ("https://token:x@git.example/shop.git", ["https://"], True),
        ("https://git.example/team/../other/shop.git", ["https://git.example/team/"], True),
        ("https://git.example/team/%2e%2e/other.git", ["https://git.example/team/"], True),
        ("https://git.example/team/shop.git", ["https://git.example/team/"], False),
    ],
)
def test_a_builder_fetches_only_from_where_its_operator_allows(url: str, allowed: list[str], *, refused: bool) -> None:
    """Else a peer could have the builder's own files, its inner network or another's secrets built."""
    order = BuildOrder(
        id="0" * 32,
        service=SHOP,
        version=DeveloperVersion("globex-1.0.0"),
        sources=(OrderedSource(name="shop", url=url),),
    )
    assert bool(forbidden_source(order, allowed)) == refused


def test_a_machine_under_pressure_takes_nothing_on() -> None:
    """Processors, memory and disk, each named with what is left."""
    assert pressure(IDLE) == ""
    assert "a load of 99.0 on 2" in pressure(BUSY)
    assert pressure(BUSY, 50.0) == ""
    assert "10 MiB of memory left" in pressure(replace(IDLE, free_memory_bytes=10 << 20))
    assert "100 MiB left on the disk" in pressure(replace(IDLE, free_disk_bytes=100 << 20))
