"""acme → evil → initech, where evil tampers with each thing that passes through it, in turn.

Each story: refused, told, nothing at initech has changed, and the next honest update goes through.
"""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from federation.digest import Digest
from federation.errors import RemoteError, VUpdateError
from federation.keychange import KeyChange, to_document
from federation.keys import PrivateKey
from federation.names import NodeName, ProfileName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.task import TaskState
from tests.support import evil as lies
from tests.support.evil import SHOP, Lie, files, flipped, publishing, state_of, swapped
from tests.support.nodes import WHO, Member, Network, chain

WORDS = b"".join(b"%d words\n" % number for number in range(3000))
FILES = {"app.py": b"print('hello')\n" * 50, "words.txt": WORDS}
NEWER = {"app.py": b"print('hello again')\n" * 50, "words.txt": WORDS + b"one more\n", "more.txt": b"new\n" * 200}
EVIL = NodeName("evil")


@contextlib.asynccontextmanager
async def story(folder: Path) -> AsyncIterator[Network]:
    """initech runs 1.0.0 by way of evil, and evil has 1.0.1 already."""
    network = await chain(folder, "acme", "evil", "initech")
    acme, evil, initech = network.members.values()
    async with network.running():
        await acme.develop("shop", "acme-1.0.0", FILES)
        assert (await evil.update_from("acme")).state is TaskState.SUCCEEDED
        assert (await initech.update_from("evil")).state is TaskState.SUCCEEDED
        await acme.develop("shop", "acme-1.0.1", NEWER)
        await evil.update_from("acme")
        yield network


async def refused(initech: Member) -> str:
    """An update that ends in an error, and leaves all as it was; what is said."""
    before = await state_of(initech)
    task = await initech.update_from("evil")
    assert task.state is TaskState.FAILED
    assert await state_of(initech) == before
    assert task.error
    return task.error


async def honest_again(network: Network) -> None:
    network.tampers.clear()
    initech = network.members["initech"]
    assert (await initech.update_from("evil")).state is TaskState.SUCCEEDED
    assert await initech.desired() == {"shop": "acme-1.0.1"}
    provider = await initech.provider("evil")
    assert (provider.error, provider.refused) == ("", None)
    assert "catalog-refused" not in await initech.alarms()


@pytest.mark.parametrize(
    ("artefact", "told"),
    [
        ("timestamp.json", "catalog-refused"),
        ("snapshot.json", "catalog-refused"),
        (".targets.json", "catalog-refused"),
        ("listing.json", "catalog-refused"),
        ("targets/manifests/", ""),
    ],
)
@pytest.mark.parametrize("at", [0.02, 0.5, 0.97])
async def test_a_changed_bit_in_anything_that_is_fetched(tmp_path: Path, artefact: str, told: str, at: float) -> None:
    """Metadata, listing, manifest, pack: the alarm names evil, where there is one."""
    async with story(tmp_path) as network:
        initech = network.members["initech"]
        network.tampers["initech", "evil"] = flipped(artefact, at)
        await refused(initech)
        if told:
            assert (await initech.alarms())[told] == "evil"
        await honest_again(network)


@pytest.mark.parametrize("at", [0.02, 0.5, 0.97])
async def test_a_changed_bit_in_a_pack_is_made_good_or_refused(tmp_path: Path, at: float) -> None:
    """What the signed index names comes here or nothing; and it is remembered who sent something else."""
    async with story(tmp_path) as network:
        acme, _, initech = network.members.values()
        before = await state_of(initech)
        network.tampers["initech", "evil"] = flipped("/packs/", at)
        if (await initech.update_from("evil")).state is TaskState.FAILED:
            assert await state_of(initech) == before
        else:
            genuine = await acme.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.1")
            image = await initech.use.images.load(genuine.image)
            for digest in image.contents:
                with initech.use.images.contents.open(digest) as content:
                    assert Digest.of(content.read()) == digest
        assert (await initech.alarms())["lying-provider"] == "evil"
        await honest_again(network)


async def test_bytes_without_end_and_none_at_all(tmp_path: Path) -> None:
    """Each answer of the catalogue is bounded, and an empty one is no catalogue."""
    async with story(tmp_path) as network:
        initech = network.members["initech"]
        for artefact in ("timestamp.json", "snapshot.json", ".targets.json", "listing.json", "targets/manifests/"):
            for other in (b"", b"{" * 20_000_000):
                network.tampers["initech", "evil"] = swapped(artefact, other)
                await refused(initech)
        await honest_again(network)


async def test_a_root_that_the_known_root_did_not_sign(tmp_path: Path) -> None:
    """evil can't give its catalogue to another key than those that the link began with."""
    async with story(tmp_path) as network:
        initech, evil = network.members["initech"], network.members["evil"]
        metadata = evil.folder / "tuf" / "public" / "metadata"
        other = network.add("other")
        await other.share("public", "shop")
        await other.use.catalogs.root(ProfileName("public"))
        forged = (other.folder / "tuf" / "public" / "metadata" / "1.root.json").read_bytes()
        (metadata / "2.root.json").write_bytes(forged.replace(b'"version": 1', b'"version": 2'))
        await refused(initech)
        assert (await initech.alarms())["catalog-refused"] == "evil"
        (metadata / "2.root.json").unlink()
        await honest_again(network)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        (lies.other_image, "another manifest than the one that it lists"),
        (lies.other_manifest, "no statement by the old key"),
        (lies.client_version, "lists a client version as a developer version"),
        (lies.forged_key_change, "made by the known key"),
        (lies.other_node, "shows the catalogue of acme"),
        (lies.missing_manifest, "no target"),
        (lies.huge_manifest, "are the bound"),
    ],
)
async def test_a_lie_that_evil_signs_with_all_its_keys(tmp_path: Path, lie: Callable[[Member], Lie], said: str) -> None:
    """evil may sign its catalogue, and yet it can't say what acme's version is."""
    async with story(tmp_path) as network:
        initech, evil = network.members["initech"], network.members["evil"]
        with publishing(evil, lie(evil)):
            assert said in await refused(initech)
            pin = await initech.use.pins.get(NodeName("acme"))
            assert pin is not None
            assert pin.key == network.members["acme"].key.public
            # What was decided is told where an operator asks.
            trouble = (await initech.provider("evil")).error or (await initech.verdict("shop", "evil")).why
            assert said in trouble
        await honest_again(network)


async def test_a_pack_whose_contents_lie_costs_only_them_and_the_provider_pays(tmp_path: Path) -> None:
    """Delta, full pack and single contents all wrong: refused, evil is penalised; only evil's time is lost."""
    async with story(tmp_path) as network:
        initech = network.members["initech"]

        def tamper(path: str, content: bytes) -> bytes:
            for part in ("/packs/", "/contents/"):
                content = flipped(part, 0.9)(path, content)
            return content

        network.tampers["initech", "evil"] = tamper
        task = await initech.update_from("evil")
        assert task.state is TaskState.FAILED
        assert await initech.desired() == {"shop": "acme-1.0.0"}
        assert not await initech.use.versions.has(ListKind.DEVELOPER, SHOP, "acme-1.0.1")
        assert files(initech.folder / "work") == []
        assert await initech.use.penalties.current(EVIL) is not None
        await honest_again(network)


async def test_a_withdrawal_in_another_nodes_name(tmp_path: Path) -> None:
    """It is left out: the version is not flagged at initech, and the rest of the catalogue is read."""
    async with story(tmp_path) as network:
        initech, evil = network.members["initech"], network.members["evil"]
        running = await initech.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.0")
        with publishing(evil, lies.forged_withdrawal(evil, "acme-1.0.0", running.manifest)):
            before = await state_of(initech)
            await initech.use.updates.check(EVIL)
            assert await initech.use.withdrawals.in_force() == []
            assert await state_of(initech) == before
        await honest_again(network)


async def test_a_changed_bit_in_a_withdrawal(tmp_path: Path) -> None:
    """acme withdraws 1.0.1; evil passes it on spoilt: the catalogue is refused, and heard once it is whole."""
    async with story(tmp_path) as network:
        acme, evil, initech = network.members.values()
        await acme.use.withdrawals.yank(SHOP, DeveloperVersion("acme-1.0.1"), reason="it eats data", who=WHO)
        await evil.use.updates.check(NodeName("acme"))
        network.tampers["initech", "evil"] = flipped("targets/withdrawals/")
        await refused(initech)
        assert (await initech.alarms())["catalog-refused"] == "evil"
        network.tampers.clear()
        await initech.use.updates.check(EVIL)
        assert [one.version for one in await initech.use.withdrawals.in_force()] == ["acme-1.0.1"]
        assert await initech.desired() == {"shop": "acme-1.0.0"}


async def test_a_changed_bit_in_key_changes(tmp_path: Path) -> None:
    """Statements of evil's own, spoilt on the way: the key it is known by stays."""
    async with story(tmp_path) as network:
        initech, evil = network.members["initech"], network.members["evil"]
        newer = PrivateKey.generate()
        change = KeyChange(node=EVIL, old=evil.key.public, new=newer.public, at=network.clock.now(), number=1)
        document = to_document([change.sign(evil.key, newer)])
        with publishing(evil, lies.with_key_changes(EVIL, document)):
            network.tampers["initech", "evil"] = flipped("targets/key-changes/")
            await refused(initech)
            assert (await initech.provider("evil")).key == evil.key.public
        await honest_again(network)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.9])
async def test_a_changed_bit_in_the_word_on_the_link(tmp_path: Path, at: float) -> None:
    """Neither profile, rights nor address of the link change."""
    async with story(tmp_path) as network:
        initech = network.members["initech"]
        before = await initech.provider("evil")
        network.tampers["initech", "evil"] = flipped("/federation/v1/link", at)
        with pytest.raises(VUpdateError) as caught:
            await initech.use.links.refresh_state(EVIL)
        assert isinstance(caught.value, RemoteError)
        assert await initech.provider("evil") == before
        await honest_again(network)


async def test_a_lie_is_tried_again_by_itself_and_ends_with_the_lie(tmp_path: Path) -> None:
    """The back-off is kept over a restart; once evil is honest, the update goes through without an operator."""
    async with story(tmp_path) as network:
        network.tampers["initech", "evil"] = flipped("targets/manifests/")
        await network.members["initech"].auto_update("evil")
        held = await network.members["initech"].verdict("shop", "evil")
        assert held.why.startswith("failed once")
    initech = network.restart("initech")
    async with network.running():
        assert (await initech.verdict("shop", "evil")).why == held.why
        network.tampers.clear()
        await initech.auto_update("evil")
        assert await initech.desired() == {"shop": "acme-1.0.0"}
        network.later(minutes=1)
        await initech.auto_update("evil")
        assert await initech.desired() == {"shop": "acme-1.0.1"}
