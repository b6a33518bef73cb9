"""Stories of a consumer that is after the secrets of its provider, by every way on which versions are given away."""

import base64
import json
from pathlib import Path

import pytest

from federation.catalog.filenames import prefixed
from federation.catalog.listing import manifest_target
from federation.digest import Digest
from federation.link.answers import PeerAbsentError, PeerDeniedError
from federation.names import InstanceName, NodeName, ProfileName, ServiceName
from federation.profile import SELF, Profile
from federation.transfer.format import BASE_FIELD
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.task import TaskState
from node.model.version import StoredVersion
from node.usecases.catalogs import WITHHELD, NoCatalogError
from tests.support.nodes import WHO, Member, Network, WirePeer, chain
from tests.support.trees import noise

SHOP = ServiceName("shop")
MOST = 10**7
SECRET = noise(5000, 3)
OPEN = {"vupdate.toml": b'[services.shop.run]\ncommand = ["./run"]\n', "run": noise(20_000, 1)}
PRIVATE = {**OPEN, "conf/tls.key": SECRET}


async def secretive(tmp_path: Path) -> tuple[Network, Member, Member, StoredVersion, StoredVersion]:
    """acme shares shop with globex, which has version 1.0.0; acme made a second one, which holds a private file."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    first = await acme.develop("shop", "acme-1.0.0", OPEN)
    async with network.running():
        await globex.update_from("acme")
    network.later(seconds=1)
    second = await acme.develop("shop", "acme-1.0.1", PRIVATE, private=("conf/tls.key",))
    return network, acme, globex, first, second


async def refused(peer: WirePeer, path: str, query: dict[str, str] | None = None) -> None:
    """``peer`` is answered as if there was no such thing."""
    with pytest.raises((PeerAbsentError, PeerDeniedError)):
        await peer.get(path, query or {}, most_bytes=MOST)


async def published(member: Member, profile: str = "public") -> bytes:
    """All that stands in a catalogue, what is inside of envelopes too."""
    await member.use.catalogs.root(ProfileName(profile))
    found = [path.read_bytes() for path in sorted((member.folder / "tuf" / profile).rglob("*.json"))]
    signed = [envelope for content in found if "payload" in (envelope := json.loads(content))]
    return b"".join([*found, *(base64.b64decode(envelope["payload"]) for envelope in signed)])


def target_of(version: StoredVersion) -> str:
    """The path of the version's manifest in a catalogue, where it would be if it was in it."""
    return f"/catalogs/public/targets/{prefixed(manifest_target(version.manifest), Digest.of(version.envelope))}"


async def test_a_consumer_gets_nothing_of_a_version_with_a_private_file(tmp_path: Path) -> None:
    """Not by its profile, not by digest: no entry, no manifest, no pack, no content, nor who built it."""
    network, acme, globex, first, second = await secretive(tmp_path)
    peer = network.between(globex, acme)
    assert await peer.get(target_of(first), most_bytes=MOST) == first.envelope
    before = await globex.use.versions.find(ListKind.DEVELOPER, SHOP, first=10)
    async with network.running():
        ended = await globex.update_from("acme")
    assert ended.state is TaskState.SUCCEEDED
    offered = (await globex.provider("acme")).catalog
    assert offered is not None
    assert offered.listing.entries == ()
    image = await acme.use.images.load(second.image)
    await refused(peer, f"/federation/v1/packs/{second.image}")
    await refused(peer, f"/federation/v1/packs/{second.image}", {"from": first.image})
    for content in image.contents:
        for of in (second.image, first.image):
            await refused(peer, f"/federation/v1/images/{of}/contents/{content}")
    await refused(peer, f"/federation/v1/manifests/{second.manifest}")
    await refused(peer, f"/federation/v1/provenance/shop/{second.version}")
    await refused(peer, target_of(second))
    await refused(peer, f"/agent/v1/packs/{second.image}")
    assert await globex.use.versions.find(ListKind.DEVELOPER, SHOP, first=10) == before
    assert not list(globex.folder.rglob(f"*{Digest.of(SECRET)}*"))


async def test_the_catalogue_does_not_speak_of_it(tmp_path: Path) -> None:
    """No file of it holds the version, its image or its manifest; withdrawn, it is not told of either."""
    network, acme, _, _, second = await secretive(tmp_path)
    await acme.use.profiles.set(Profile(name=ProfileName("all"), services=frozenset({SHOP}), public=True), who=WHO)
    await acme.use.withdrawals.yank(SHOP, DeveloperVersion(second.version), reason="leaked", who=WHO)
    for profile in ("all", "public"):
        everything = await published(acme, profile)
        assert b"timestamp" in everything
        for told in (second.version, second.image, second.manifest, "leaked"):
            assert told.encode() not in everything
    network.later(seconds=1)
    third = await acme.develop("shop", "acme-1.0.2", OPEN)
    assert third.manifest.encode() in await published(acme)


async def test_a_base_with_a_private_file_counts_as_unknown(tmp_path: Path) -> None:
    """A delta from it would tell what it has in common with the secret: the full pack is given."""
    network, acme, globex, first, second = await secretive(tmp_path)
    third = await acme.develop("shop", "acme-1.0.2", {**OPEN, "guess": SECRET[:2500]})
    peer = network.between(globex, acme)
    for base, used in ((first.image, first.image), (second.image, ""), (Digest.of(b"unknown"), "")):
        got = await peer.download(
            f"/federation/v1/packs/{third.image}", {"from": base}, tmp_path / "pack", most_bytes=MOST
        )
        assert got.headers.get(BASE_FIELD, "") == used


async def test_no_pack_of_it_is_made_for_consumers(tmp_path: Path) -> None:
    """Neither to it nor from it, so none lies about that a mistake could hand out; of open versions they are made."""
    _, acme, _, first, second = await secretive(tmp_path)
    await acme.use.packs.make()
    third = await acme.develop("shop", "acme-1.0.2", {**OPEN, "new": b"x"})
    await acme.use.packs.make()
    made = acme.use.images._packs.present
    assert made(first.image, second.image) is None
    assert made(None, second.image) is None
    assert made(second.image, third.image) is None
    assert made(first.image, third.image) is not None


async def test_a_consumers_right_profile_and_a_public_one_make_no_difference(tmp_path: Path) -> None:
    """Whatever it is allowed besides: it is what the version holds that counts."""
    network, acme, globex, _, second = await secretive(tmp_path)
    consumer = await acme.use.links.consumer(NodeName("globex"))
    for name in ("public", "all"):
        await acme.use.profiles.set(Profile(name=ProfileName(name), services=frozenset({SHOP}), public=True), who=WHO)
        await acme.use.links.set_profile(NodeName("globex"), ProfileName(name), who=WHO)
        reader = await acme.use.links.consumer(NodeName("globex"))
        with pytest.raises(PeerAbsentError):
            await network.between(globex, acme).get(f"/federation/v1/packs/{second.image}", most_bytes=MOST)
        assert await acme.use.catalogs.allowed_base(reader, second.image) is None
    with pytest.raises(NoCatalogError):
        await acme.use.catalogs.target(consumer, ProfileName("none"), "x")


async def test_a_client_version_made_of_it_is_no_way_round(tmp_path: Path) -> None:
    """It is private as its base is, and no client version is given to a consumer at all; the agent gets it."""
    network, acme, globex, _, second = await secretive(tmp_path)
    await acme.share(SELF, "shop")
    async with network.running():
        made = await acme.use.tasks.wait((await acme.use.client_builds.start(SHOP, who=WHO)).id)
    client = await acme.use.versions.get(ListKind.CLIENT, SHOP, made.result)
    assert client.private_files == second.private_files == ("conf/tls.key",)
    peer = network.between(globex, acme)
    await refused(peer, f"/federation/v1/packs/{client.image}")
    await refused(peer, f"/federation/v1/images/{client.image}/contents/{Digest.of(SECRET)}")
    await refused(peer, f"/agent/v1/manifests/{client.manifest}")
    key = await network.attach(acme, "host-1")
    await acme.use.instances.assign(InstanceName("host-1"), None, who=WHO)
    agent = network.agent_of(acme, key)
    got = await agent.get(f"/agent/v1/images/{client.image}/contents/{Digest.of(SECRET)}", most_bytes=MOST)
    assert len(got) >= len(SECRET)
    assert await agent.get(f"/agent/v1/manifests/{client.manifest}", most_bytes=MOST) == client.envelope
    assert await agent.get(f"/agent/v1/packs/{client.image}", most_bytes=MOST)


async def test_a_provider_learns_nothing_of_it_by_what_is_asked_of_it(tmp_path: Path) -> None:
    """A node that takes its own service from another one does not name an image with a secret as what it has."""
    network = await chain(tmp_path, "acme", "globex")
    acme, globex = network.members.values()
    await acme.develop("shop", "acme-1.0.0", OPEN)
    async with network.running():
        await globex.update_from("acme")
        own = await globex.make("shop", "globex-1.0.0", PRIVATE, private=("conf/tls.key",))
        provider, catalog = await globex.provider("acme"), (await globex.provider("acme")).catalog
        assert catalog is not None
        (entry,) = catalog.listing.entries
        fetcher = globex.use.updates._fetcher
        mine = type(entry)(
            service=SHOP,
            version=DeveloperVersion("globex-1.0.1"),
            image=entry.image,
            manifest=entry.manifest,
            trail=entry.trail,
        )
        assert await fetcher._base(provider, mine) is None
        await globex.make("shop", "globex-0.9.0", OPEN)
        base = await fetcher._base(provider, mine)
    assert base is not None
    assert base.version == "globex-0.9.0"
    assert own.private


async def test_it_runs_where_it_was_made_and_what_is_open_is_given_again(tmp_path: Path) -> None:
    """The version is desired here; once an open one is, consumers get that, and the secret still not."""
    network, acme, globex, _, second = await secretive(tmp_path)
    assert await acme.desired() == {"shop": second.version}
    network.later(seconds=1)
    await acme.develop("shop", "acme-1.0.2", {**OPEN, "new": b"x"})
    async with network.running():
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
    assert await globex.desired() == {"shop": "acme-1.0.2"}
    assert (
        Digest.of(SECRET)
        not in (
            await globex.use.images.load((await globex.use.versions.get(ListKind.DEVELOPER, SHOP, "acme-1.0.2")).image)
        ).contents
    )


async def test_the_operator_is_told_that_consumers_get_nothing(tmp_path: Path) -> None:
    """An alarm names what is withheld and what to do, for as long as it is desired."""
    network, acme, _, _, second = await secretive(tmp_path)
    await acme.use.catalogs._publish_all()
    (alarm,) = await acme.use.alarms.open()
    assert (alarm.kind, alarm.subject) == (WITHHELD, "public")
    assert f"shop {second.version}" in alarm.message
    network.later(seconds=1)
    await acme.develop("shop", "acme-1.0.2", OPEN)
    await acme.use.catalogs._publish_all()
    assert await acme.use.alarms.open() == []
