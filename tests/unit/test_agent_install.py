"""Which manifests are accepted, and how versions and their data stand on disk."""

import io
from dataclasses import replace
from pathlib import Path

import pytest

from agent import slots
from agent.errors import UnfitError
from agent.home import Home, Unit
from agent.install import Fetched, Installer
from agent.plan import Slot
from agent.settings import Place
from federation.digest import Digest
from federation.errors import CorruptError, InvalidValueError, TamperedError
from federation.image import Entry, Image, Kind
from federation.keys import PrivateKey, PublicKey
from federation.manifest import SignedManifest
from federation.names import InstanceName, NodeName, ServiceKey
from federation.state import Moved
from federation.transfer import LocalBlobs, make_pack
from federation.versions import ClientVersion
from tests.support.agent_manifests import made_manifest
from tests.support.clock import FakeClock

ONE, TWO, THREE = (ClientVersion(f"acme-1.0.{build}") for build in range(3))


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Home(tmp_path).unit(ServiceKey("web"))


def staged(unit: Unit, *paths: str) -> Path:
    for path in paths:
        (unit.staging / path).parent.mkdir(parents=True, exist_ok=True)
        (unit.staging / path).write_text(path)
    return unit.staging


IMAGE = Image.of([Entry("a", Kind.DIRECTORY)])


def install(unit: Unit, version: ClientVersion) -> None:
    staged(unit, "a/b")
    slots.adopt(unit, version, IMAGE)


def test_a_version_is_adopted_and_found(unit: Unit) -> None:
    """An adopted version has its tree and its index; without either it is no base of a delta."""
    install(unit, ONE)
    assert slots.installed_image(unit, ONE) == IMAGE
    assert not unit.staging.exists()
    install(unit, ONE)
    unit.index(ONE).write_text("damaged")
    assert slots.installed_image(unit, ONE) is None
    assert slots.installed_image(unit, TWO) is None


def test_the_switch(unit: Unit) -> None:
    """``current`` leads to one version or is absent, also when it is switched twice."""
    install(unit, ONE)
    install(unit, TWO)
    assert slots.current_version(unit) is None
    for version in (ONE, TWO, TWO):
        slots.switch(unit, version)
        assert slots.current_version(unit) == version
        assert (unit.current / "a" / "b").is_file()
    slots.switch(unit, None)
    slots.switch(unit, None)
    assert slots.current_version(unit) is None
    unit.current.symlink_to("elsewhere")
    with pytest.raises(CorruptError):
        slots.current_version(unit)


def test_cleaning_keeps_what_it_is_told(unit: Unit) -> None:
    """All but the versions to keep go, half-made ones too; data and logs are never touched."""
    for version in (ONE, TWO, THREE):
        install(unit, version)
    staged(unit, "half")
    (unit.packs / "x").mkdir(parents=True)
    (unit.data / "d").mkdir(parents=True)
    slots.clean(unit, [ONE, THREE])
    slots.clean(unit, [ONE, THREE])
    assert sorted(path.name for path in unit.versions.iterdir()) == [ONE, THREE]
    assert slots.installed_image(unit, ONE) == IMAGE
    assert slots.installed_image(unit, TWO) is None
    assert not unit.packs.exists()
    assert (unit.data / "d").is_dir()


def test_data_is_linked(unit: Unit) -> None:
    """Each data folder is a link out of the version to a folder that outlives it."""
    tree = staged(unit, "a/b")
    slots.link_data(unit, tree, ["data", "a/deep/er"])
    slots.adopt(unit, ONE, IMAGE)
    (unit.version(ONE) / "data" / "x").write_text("1")
    (unit.version(ONE) / "a/deep/er" / "y").write_text("2")
    assert (unit.data / "data" / "x").read_text() == "1"
    assert (unit.data / "a/deep/er" / "y").read_text() == "2"


def test_data_gives_way_to_nothing(unit: Unit) -> None:
    """An empty folder of the image becomes the link; files of the image in that place are an error."""
    tree = staged(unit, "full/file")
    (tree / "empty").mkdir()
    slots.link_data(unit, tree, ["empty"])
    assert (tree / "empty").is_symlink()
    for name in ("full", "full/file", "empty"):
        with pytest.raises(UnfitError, match="data"):
            slots.link_data(unit, tree, [name])


def test_data_never_leads_through_a_link_of_the_image(unit: Unit, tmp_path: Path) -> None:
    """A link in the image can't make the agent write elsewhere."""
    tree = staged(unit, "x")
    outside = tmp_path / "outside"
    outside.mkdir()
    (tree / "way").symlink_to(outside)
    with pytest.raises(UnfitError, match="link"):
        slots.link_data(unit, tree, ["way/data"])
    assert list(outside.iterdir()) == []


class Node:
    """Gives a manifest, and packs that it makes from trees it knows; it may lie about what a pack rests on."""

    def __init__(self, folder: Path, key: PrivateKey) -> None:
        self.folder, self.key = folder, key
        self.blobs = LocalBlobs(folder / "blobs")
        self.images: dict[Digest, Image] = {}
        self.manifests: dict[Digest, SignedManifest] = {}
        self.lie: Digest | None = None
        self.asked: list[Digest | None] = []

    def publish(self, version: ClientVersion, files: dict[str, bytes]) -> Slot:
        entries = []
        for path, content in files.items():
            self.blobs.add(io.BytesIO(content), Digest.of(content))
            entries.append(Entry(path, Kind.FILE, len(content), Digest.of(content)))
        image = Image.of(entries)
        self.images[image.digest] = image
        name = Digest.of(version.encode())
        manifest = replace(made_manifest(self.key), version=version, image=image.digest)
        self.manifests[name] = SignedManifest.make(manifest, self.key)
        return Slot(version=version, image=image.digest, manifest=name)

    @property
    def node_key(self) -> PublicKey:
        return self.key.public

    async def manifest(self, digest: Digest) -> SignedManifest:
        return self.manifests[digest]

    async def pack(self, image: Digest, base: Digest | None, target: Path) -> Fetched:
        self.asked.append(base)
        old = None if base is None else self.images[base]
        size = make_pack(base=old, image=self.images[image], source=self.blobs, target=target)
        return Fetched(base=self.lie or base, moved_bytes=size, full_bytes=1000)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node", PrivateKey.generate())


@pytest.fixture
def installer(node: Node) -> Installer:
    place = Place(node=NodeName("globex"), instance=InstanceName("web-1"))
    return Installer(node, place, FakeClock())


TOML = b'[services.web.run]\ncommand = ["./run"]\ndata = ["data"]\n'


async def installed(installer: Installer, unit: Unit, slot: Slot, committed: Slot | None) -> Moved | None:
    moved = await installer.download(unit, slot, committed)
    return await installer.stage(unit, slot, committed, moved)


async def test_an_update_moves_a_delta(unit: Unit, node: Node, installer: Installer) -> None:
    """The second version is fetched as a change of the first, unpacked beside it, and nothing is left over."""
    one = node.publish(ONE, {"vupdate.toml": TOML, "a": b"1"})
    two = node.publish(TWO, {"vupdate.toml": TOML, "a": b"2"})
    await installed(installer, unit, one, None)
    moved = await installed(installer, unit, two, one)
    assert node.asked == [None, one.image]
    assert moved is not None
    assert (moved.version, moved.base) == (TWO, ONE)
    assert [(unit.version(version) / "a").read_bytes() for version in (ONE, TWO)] == [b"1", b"2"]
    assert (unit.version(TWO) / "data").is_symlink()
    assert not unit.packs.exists()
    assert slots.installed_image(unit, TWO) == node.images[two.image]


async def test_staging_goes_on_with_what_was_fetched(unit: Unit, node: Node, installer: Installer) -> None:
    """An agent that died while unpacking does not fetch again; one whose pack is gone does."""
    slot = node.publish(ONE, {"vupdate.toml": TOML})
    moved = await installer.download(unit, slot, None)
    unit.staging.mkdir(parents=True)
    (unit.staging / "half").write_text("x")
    await installer.stage(unit, slot, None, moved)
    assert len(node.asked) == 1
    assert not (unit.version(ONE) / "half").exists()
    await installer.stage(unit, slot, None, moved)
    assert len(node.asked) == 2


async def test_a_pack_on_an_image_that_is_not_here(unit: Unit, node: Node, installer: Installer) -> None:
    """A pack said to rest on something else than what is installed is refused before it is opened."""
    slot = node.publish(ONE, {"vupdate.toml": TOML})
    node.lie = Digest.of(b"elsewhere")
    with pytest.raises(TamperedError, match="not installed here"):
        await installer.download(unit, slot, None)


async def test_a_version_that_can_not_run_is_not_adopted(unit: Unit, node: Node, installer: Installer) -> None:
    """A version with a bad service file, or with files where its data should be, never gets its name."""
    for files in ({"vupdate.toml": b"x"}, {"vupdate.toml": TOML, "data/x": b"1"}, {"a": b"1"}):
        slot = node.publish(ONE, files)
        with pytest.raises((UnfitError, InvalidValueError)):
            await installed(installer, unit, slot, None)
        assert not unit.version(ONE).exists()
        slots.clean(unit, [])
        assert list(unit.versions.iterdir()) == []
