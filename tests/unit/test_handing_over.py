"""What a build at a peer is handed of this node's secrets: only what it needs, only where it may have it, sealed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import codec
from federation.errors import AbsentError, ConflictError, InvalidValueError, TamperedError, UnreachableError
from federation.link.builds import BuildOrder, HandedCredential, HandedFile, HandOver, Sealed
from federation.link.sealing import Purpose, SealingKey, seal
from federation.names import NodeName, PrivateFileName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.orders import Asker
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource
from node.usecases import handed_over, ordered_build
from node.usecases.builder_lines import DialledBuilder
from tests.support.git_server import PASSWORD, USER, GitServer, serving
from tests.support.nodes import Member
from tests.support.ordering import SHOP, WHO, Scene, asker, scene

ACME = NodeName("acme")
KEY = PrivateFileName("tls.key")
SECRET = b"-----the secret of globex-----"
PRIVATE = """
[services.shop.run]
command = ["./shop"]
[services.shop.build]
commands = [ { run = ["sh", "-c", "cp vupdate.toml shop; chmod +x shop"] } ]
copy = [ { from = "shop" } ]
private = [ { name = "tls.key", to = "conf/tls.key" } ]
"""


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordered_build, "RETRY_SECONDS", 0.05)


async def placing(folder: Path) -> Scene:
    """globex, whose recipe places a private file that it keeps, and acme, which builds for it."""
    found = await scene(folder, "acme")
    found.repo.write("vupdate.toml", PRIVATE)
    found.repo.commit()
    await found.globex.use.private_files.put(SHOP, KEY, SECRET, who=WHO)
    await found.globex.use.private_files.put(SHOP, PrivateFileName("site.key"), b"of the site", into="x", who=WHO)
    return found


def holding(folder: Path, secret: bytes) -> list[Path]:
    """The files below ``folder`` that hold ``secret``."""
    return [path for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


def heard(member: Member) -> list[bytes]:
    """What the workshop of ``member`` is handed, as it arrives."""
    bodies: list[bytes] = []
    take = member.use.workshop.take_over

    def listening(asker: Asker, order_id: str, sealed: bytes) -> None:
        bodies.append(sealed)
        take(asker, order_id, sealed)

    member.use.workshop.take_over = listening  # type: ignore[method-assign]
    return bodies


async def test_a_private_file_goes_to_nobody_unless_allowed(tmp_path: Path) -> None:
    """The build ends, and says what to do; nothing was sent."""
    found = await placing(tmp_path)
    bodies = heard(found.builders[0])
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.FAILED
        assert "private files (tls.key), which acme is not given" in task.error
        assert "vupdate service entrust shop acme" in task.error
        assert bodies == []
        assert found.leftovers() == []


async def test_an_entrusted_builder_places_a_private_file(tmp_path: Path) -> None:
    """It travels sealed, the version counts as private, the builder keeps nothing, and no log holds the content."""
    found = await placing(tmp_path)
    globex, acme = found.globex, found.builders[0]
    bodies = heard(acme)
    await globex.use.handing_over.entrust(SHOP, [ACME], who=WHO)
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
        stored = await globex.use.versions.get(ListKind.DEVELOPER, SHOP, "globex-1.0.0")
        assert stored.private_files == ("conf/tls.key",)
        assert stored.private
        image = await globex.use.images.load(stored.image)
        assert {entry.path for entry in image.entries} >= {"conf/tls.key", "shop"}
        log = await found.log(task)
        assert "private files (tls.key) were handed to acme, sealed to its key" in log
        assert len(bodies) == 1
        assert SECRET not in bodies[0]
        (theirs,) = await acme.use.tasks.find(10)
        log += "\n".join(one.message for one in await acme.use.tasks.log(theirs.id, 0, 500))
        assert SECRET.decode() not in log
        assert found.leftovers() == []
        assert holding(acme.folder, SECRET) == []
        assert [one.service for one in await globex.use.handing_over.all()] == [SHOP]


async def test_the_same_image_comes_out_as_at_home(tmp_path: Path) -> None:
    """A version that places private files can be proved by a builder that may have them."""
    found = await placing(tmp_path)
    globex = found.globex
    await globex.use.handing_over.entrust(SHOP, [ACME], who=WHO)
    async with found.network.running():
        task = await globex.use.builds.start(SHOP, version=None, comment="", who=WHO)
        assert (await globex.use.tasks.wait(task.id)).state is TaskState.SUCCEEDED
        version = DeveloperVersion("globex-1.0.0")
        for here, on in ((True, ()), (False, (ACME,))):
            again = await globex.use.rebuilds.start(SHOP, version, on=on, here=here, who=WHO)
            ended = await globex.use.tasks.wait(again.id)
            assert (ended.state, ended.error) == (TaskState.SUCCEEDED, "")
        image = (await globex.use.versions.get(ListKind.DEVELOPER, SHOP, version)).image
        assert {(one.node, one.image) for one in await globex.use.provenances.of(SHOP, version)} == {
            ("globex", image),
            ("acme", image),
        }


async def test_what_is_not_kept_is_said(tmp_path: Path) -> None:
    """Before the builder's commands have run; a file of the site is none that a recipe may have."""
    found = await placing(tmp_path)
    await found.globex.use.handing_over.entrust(SHOP, [ACME], who=WHO)
    bodies = heard(found.builders[0])
    async with found.network.running():
        for name in ("other.key", "site.key"):
            found.repo.write("vupdate.toml", PRIVATE.replace("tls.key", name))
            found.repo.commit()
            task = await found.built("acme")
            assert task.state is TaskState.FAILED
            assert f"vupdate service secret put shop {name} FILE" in task.error
        assert bodies == []


async def test_a_builder_that_does_not_place_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it may have done with the secret instead is nobody's guess: its name is told, and nothing is stored."""
    found = await placing(tmp_path)
    await found.globex.use.handing_over.entrust(SHOP, [ACME], who=WHO)

    read = handed_over.HandedOver.read

    async def altering(given: handed_over.HandedOver, name: PrivateFileName) -> bytes:
        return b"something else" + await read(given, name)

    monkeypatch.setattr(handed_over.HandedOver, "read", altering)
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.FAILED
        assert "acme was handed 'tls.key', which is not in its image: refused" in task.error
        assert await found.globex.use.versions.find(ListKind.DEVELOPER, SHOP, first=5) == []


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_lost_answer_does_not_make_a_version_public(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    """Whether what was sent came to the builder or not: it is sent again where it is still wanted."""
    found = await placing(tmp_path)
    await found.globex.use.handing_over.entrust(SHOP, [ACME], who=WHO)
    hand_over, times = DialledBuilder.hand_over, 0

    async def cut_off(line: DialledBuilder, order: str, sealed: bytes) -> None:
        nonlocal times
        times += 1
        if arrives or times > 1:
            await hand_over(line, order, sealed)
        if times == 1:
            raise UnreachableError("the connection broke")

    monkeypatch.setattr(DialledBuilder, "hand_over", cut_off)
    async with found.network.running():
        task = await found.built("acme")
        assert task.state is TaskState.SUCCEEDED, task.error
        stored = await found.globex.use.versions.get(ListKind.DEVELOPER, SHOP, "globex-1.0.0")
        assert stored.private_files == ("conf/tls.key",)
        assert times == (1 if arrives else 2)


async def test_consent_is_given_to_named_peers_and_taken_back(tmp_path: Path) -> None:
    """By the peer's key; a name that builds for nobody here is refused, and what was taken back is gone."""
    found = await placing(tmp_path)
    use = found.globex.use.handing_over
    with pytest.raises(AbsentError, match="initech: no such peer"):
        await use.entrust(SHOP, [NodeName("initech")], who=WHO)
    with pytest.raises(InvalidValueError, match="each named once"):
        await use.entrust(SHOP, [ACME, ACME], who=WHO)
    given = await use.entrust(SHOP, [ACME], who=WHO)
    assert given.builders == ((await found.globex.use.links.provider(ACME)).key.id,)
    await use.withdraw(SHOP, who=WHO)
    with pytest.raises(AbsentError):
        await use.withdraw(SHOP, who=WHO)
    async with found.network.running():
        assert "is not given" in (await found.built("acme")).error


# Credentials.


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    """A Git server behind a password that has ``shop``."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(tmp_path, monkeypatch) as found:
        yield found


async def closed(folder: Path, server: GitServer) -> Scene:
    """globex, whose shop lies behind a password that it keeps, and acme, which builds for it."""
    found = await scene(folder, "acme", sources=f"{server.url}/")
    url = f"{server.url}/repo"
    await found.globex.use.services.remove(SHOP, who=WHO)
    shop = DevelopedService(name=SHOP, sources=(GitSource(name="shop", url=url),))
    await found.globex.use.services.add(shop, who=WHO)
    await found.globex.use.credentials.put(f"{server.url}/", PASSWORD.encode(), user=USER, who=WHO)
    await found.globex.use.credentials.put("https://other.example/", b"not asked for", user=USER, who=WHO)
    return found


async def test_a_credential_goes_to_nobody_unless_allowed(tmp_path: Path, server: GitServer) -> None:
    """The builder is not let in, and the failure says why and what to do."""
    found = await closed(tmp_path, server)
    bodies = heard(found.builders[0])
    async with found.network.running():
        task = await found.built("acme")
    assert task.state is TaskState.FAILED
    assert "by a credential, which that peer is not given" in task.error
    assert "vupdate service entrust" in task.error
    assert bodies == []
    assert {who for _, who in server.asked} == {""}


async def test_a_builder_uses_none_of_its_own_credentials(tmp_path: Path, server: GitServer) -> None:
    """Whoever orders a build reaches what everybody does: what the builder keeps for that address is not even sent."""
    found = await closed(tmp_path, server)
    acme = found.builders[0]
    await acme.use.credentials.put(f"{server.url}/", PASSWORD.encode(), user=USER, who=WHO)
    async with found.network.running():
        task = await found.built("acme")
    assert task.state is TaskState.FAILED
    assert {who for _, who in server.asked} == {""}


async def test_an_entrusted_builder_fetches_with_the_credential(tmp_path: Path, server: GitServer) -> None:
    """That of the source alone; neither it nor what it opened stays at the builder."""
    found = await closed(tmp_path, server)
    acme = found.builders[0]
    bodies = heard(acme)
    opened: list[HandOver] = []
    unseal = SealingKey.open

    def listening(key: SealingKey, sealed: bytes) -> bytes:
        content = unseal(key, sealed)
        opened.append(codec.decode(content, HandOver))
        return content

    await found.globex.use.handing_over.entrust(SHOP, [ACME], who=WHO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SealingKey, "open", listening)
        async with found.network.running():
            task = await found.built("acme")
            log = await found.log(task)
    assert task.state is TaskState.SUCCEEDED, task.error
    assert [one.reach for handed in opened for one in handed.credentials] == [f"{server.url}/"]
    assert f"{USER}:{PASSWORD}" in {who for _, who in server.asked}
    assert len(bodies) == 1
    assert PASSWORD.encode() not in bodies[0]
    assert PASSWORD not in log
    assert found.leftovers() == []
    assert holding(acme.folder, PASSWORD.encode()) == []
    assert not list((acme.folder / "work/peers").rglob("*.git"))


# At the builder.


async def handed(found: Scene, *, credentials: bool = False) -> tuple[BuildOrder, bytes, Purpose]:
    """An order of globex that acme has taken, acme's statement of its key, and what that is for."""
    acme = found.builders[0]
    order = found.order(credentials=credentials)
    who = await asker(acme, "globex")
    report = await acme.use.workshop.take(who, order)
    provider = await found.globex.use.links.provider(ACME)
    return order, report.sealing, Purpose(order=order.id, asker=who.id, builder=provider.key.id)


async def test_what_is_not_wanted_is_not_taken(tmp_path: Path) -> None:
    """Nor what is sealed for another order, is no hand-over, or has a credential of no allowed form."""
    found = await placing(tmp_path)
    acme = found.builders[0]
    key = (await found.globex.use.links.provider(ACME)).key
    async with found.network.running():
        order, said, purpose = await handed(found, credentials=True)
        who = await asker(acme, "globex")
        take = acme.use.workshop.take_over
        sneaky = HandedCredential(reach="https://git.example/", user="a\nb", secret=b"hush")
        for content in (b"{}x", codec.encode(HandOver(credentials=(sneaky,)))):
            with pytest.raises(TamperedError) as caught:
                take(who, order.id, seal(content, said, purpose, key))
            assert "hush" not in str(caught.value)
        with pytest.raises(TamperedError):
            take(who, order.id, b"not sealed")
        with pytest.raises(AbsentError):
            take(who, "1" * 32, b"")
        good = seal(codec.encode(HandOver()), said, purpose, key)
        take(who, order.id, good)
        files = HandOver(files=(HandedFile(name=KEY, content=SECRET),))
        with pytest.raises(ConflictError):
            take(who, order.id, seal(codec.encode(files), said, purpose, key))
        await acme.use.workshop.cancel(who, order.id)


async def test_a_build_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An asker that goes on asking and hands nothing over is told that."""
    monkeypatch.setattr(handed_over, "WAIT_SECONDS", 0.05)
    found = await placing(tmp_path)
    acme = found.builders[0]
    async with found.network.running():
        order, _, _ = await handed(found)
        who = await asker(acme, "globex")
        (task,) = await acme.use.tasks.find(10)
        ended = await acme.use.tasks.wait(task.id)
        assert "private files that this build needs were not handed over in time" in ended.error
        await acme.use.workshop.cancel(who, order.id)


async def test_nobody_hands_over_for_anothers_order(tmp_path: Path) -> None:
    """A consumer of the builder finds no order but its own."""
    found = await placing(tmp_path)
    acme = found.builders[0]
    other = found.network.add("initech")
    await found.network.link(acme, other, "public")
    async with found.network.running():
        order, _, _ = await handed(found)
        with pytest.raises(Exception, match="right"):
            await found.network.between(other, acme).post(
                f"/federation/v1/builds/{order.id}/sealed", codec.encode(Sealed(content=b"x"))
            )
        await acme.use.workshop.cancel(await asker(acme, "globex"), order.id)


def test_a_secret_is_in_no_repr() -> None:
    """What is handed over can't get into a log by way of its description."""
    what = HandOver(
        files=(HandedFile(name=KEY, content=SECRET),),
        credentials=(HandedCredential(reach="https://git.example/", user="u", secret=SECRET, known_hosts=SECRET),),
    )
    assert "secret of globex" not in repr(what)
