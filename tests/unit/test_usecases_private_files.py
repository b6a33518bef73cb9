"""Private files of a node: who may keep how many, where they end up, when client versions are made again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from federation import limits
from federation.errors import AbsentError, InvalidValueError, OversizedError, VUpdateError
from federation.names import PrivateFileName, ServiceName
from federation.profile import SELF
from federation.transfer.tree import write_tree
from node.graphql.schema import schema
from node.model.desired import ListKind
from node.model.task import TaskState
from node.model.version import DevelopedService, GitSource, StoredVersion
from node.usecases.changes import Topic
from tests.support.git_repo import GitRepo
from tests.support.graphql_usecases import context
from tests.support.nodes import WHO, Member, Network

SHOP = ServiceName("shop")
KEY = PrivateFileName("tls.key")
SECRET = b"-----BEGIN PRIVATE KEY-----"
SERVICE_FILE = b'[services.shop.run]\ncommand = ["./run"]\n'
FILES = {"vupdate.toml": SERVICE_FILE, "run": b"#!/bin/sh\n"}


@pytest.fixture
def acme(tmp_path: Path) -> Member:
    return Network(tmp_path).add("acme")


async def content_of(member: Member, stored: StoredVersion, path: str, folder: Path) -> bytes:
    """The file ``path`` of a version, as an agent would unpack it."""
    image = await member.use.images.load(stored.image)
    write_tree(image, member.use.images.contents, folder)
    return (folder / path).read_bytes()


# Keeping them.


async def test_what_is_put_is_listed_and_removed(acme: Member) -> None:
    """With who, when, how much and a fingerprint; a second content takes the place of the first."""
    use = acme.use.private_files
    first = await use.put(SHOP, KEY, b"first", who=WHO)
    second = await use.put(SHOP, KEY, SECRET, who="ann")
    assert await use.find(SHOP) == [second]
    assert (second.size, second.by, second.at) == (len(SECRET), "ann", acme.clock.now())
    assert first.fingerprint != second.fingerprint
    assert await use.find(ServiceName("till")) == []
    await use.remove(SHOP, KEY, who=WHO)
    assert await use.find(SHOP) == []
    with pytest.raises(AbsentError, match=r"no private file 'tls\.key' for shop"):
        await use.remove(SHOP, KEY, who=WHO)


async def test_a_place_stays_until_another_is_named(acme: Member) -> None:
    """Whoever renews a key need not remember where it goes; a file removed and put again starts anew."""
    use = acme.use.private_files
    await use.put(SHOP, KEY, b"1", into="conf/a", who=WHO)
    assert (await use.put(SHOP, KEY, b"2", who=WHO)).into == "conf/a"
    assert (await use.put(SHOP, KEY, b"3", into="conf/b", who=WHO)).into == "conf/b"
    await use.remove(SHOP, KEY, who=WHO)
    assert (await use.put(SHOP, KEY, b"4", who=WHO)).into is None


async def test_bounds_hold(acme: Member) -> None:
    """Of size, of number, of the places taken together; what is refused changes nothing."""
    use = acme.use.private_files
    for number in range(limits.PRIVATE_FILES):
        await use.put(SHOP, PrivateFileName(f"f{number}"), b"x", into=f"conf/{number}", who=WHO)
    before = await use.find(SHOP)
    with pytest.raises(OversizedError):
        await use.put(SHOP, PrivateFileName("f0"), bytes(limits.PRIVATE_FILE_BYTES + 1), who=WHO)
    for name, content, into, message in (
        ("f64", b"x", None, "has 64 private files"),
        ("f0", b"", None, "not empty"),
        ("f0", b"x", "conf/1", "two private files"),
        ("f0", b"x", "conf/1/deeper", "would be a file and hold"),
        ("f0", b"x", "conf", "would be a file and hold"),
        ("f0", b"x", "vupdate.toml", "service file"),
        ("f0", b"x", "../x", "leaves its tree"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            await use.put(SHOP, PrivateFileName(name), content, into=into, who=WHO)
    assert await use.find(SHOP) == before
    assert (await use.put(ServiceName("till"), PrivateFileName("f0"), b"x", into="conf/1", who=WHO)).size == 1


async def test_two_who_put_at_once_keep_to_the_bound(acme: Member) -> None:
    """The last place is given once."""
    use = acme.use.private_files
    for number in range(limits.PRIVATE_FILES - 1):
        await use.put(SHOP, PrivateFileName(f"f{number}"), b"x", who=WHO)
    kept: list[str] = []

    async def put(name: str) -> None:
        with contextlib.suppress(InvalidValueError):
            kept.append((await use.put(SHOP, PrivateFileName(name), b"x", who=WHO)).name)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(put(f"n{number}"))
    assert len(kept) == 1
    assert len(await use.find(SHOP)) == limits.PRIVATE_FILES


async def test_nothing_tells_a_content(acme: Member) -> None:
    """Neither the audit log, nor the log, nor an answer of the API, nor an error, nor a change that is told."""
    use = acme.use
    encoded = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t"
    put = """mutation ($content: String!, $name: String!) {
      putPrivateFile(service: "shop", name: $name, content: $content) { name size at by fingerprint into } }"""
    told: list[str] = []
    use.changes.watch(lambda change: told.append(repr(change)))
    with capture_logs() as logs:
        for name, content in (("tls.key", encoded), ("../x", encoded), ("tls.key", encoded + "!")):
            given = {"content": content, "name": name}
            told.append(str(await schema().execute(put, context_value=context(use), variable_values=given)))
        listed = '{ privateFiles(service: "shop") { service name into size at by fingerprint } }'
        told.append(str(await schema().execute(listed, context_value=context(use))))
    told += map(str, await use.audit.find(first=100))
    told.append(str(logs))
    everything = "\n".join(told)
    assert "put-private-file" in everything
    assert "shop/tls.key" in everything
    for hidden in (SECRET.decode(), encoded, encoded[:16]):
        assert hidden not in everything


# Building with them.


@contextlib.asynccontextmanager
async def loops(*members: Member) -> AsyncIterator[None]:
    """The background loops that build."""
    async with contextlib.AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        running = []
        for member in members:
            await stack.enter_async_context(member.use.tasks.running())
            running.append(group.create_task(member.use.adaptation.run()))
        yield
        for one in running:
            one.cancel()


async def until_client(member: Member, version: str) -> StoredVersion:
    async with asyncio.timeout(20), member.use.changes.subscribe(frozenset({Topic.DESIRED})) as changes:
        while (await member.use.desired.current(ListKind.CLIENT)).versions.get(SHOP) != version:
            await anext(changes)
    return await member.use.versions.get(ListKind.CLIENT, SHOP, version)


async def test_a_version_with_a_private_file_is_built_and_runs_here(acme: Member, tmp_path: Path) -> None:
    """From Git to the client version: the secret is in both, both are private, and no line of a log tells of it."""
    repo = GitRepo(tmp_path / "repo")
    repo.write("vupdate.toml", '[services.shop.build]\nprivate = [{ name = "tls.key", to = "conf/tls.key" }]\n')
    repo.write("vupdate.toml", (repo.folder / "vupdate.toml").read_bytes() + SERVICE_FILE)
    repo.write("run", "#!/bin/sh\n", executable=True)
    repo.commit()
    await acme.share(SELF, "shop")
    source = GitSource(name="shop", url=repo.url)
    await acme.use.services.add(DevelopedService(name=SHOP, sources=(source,)), who=WHO)
    async with loops(acme):
        failed = await acme.use.tasks.wait((await acme.use.builds.start(SHOP, version=None, comment="", who=WHO)).id)
        assert failed.state is TaskState.FAILED
        assert "vupdate service secret put shop tls.key FILE" in failed.error
        await acme.use.private_files.put(SHOP, KEY, SECRET, who=WHO)
        task = await acme.use.tasks.wait((await acme.use.builds.start(SHOP, version=None, comment="", who=WHO)).id)
        assert task.state is TaskState.SUCCEEDED, task.error
        client = await until_client(acme, task.result)
        log = await acme.use.tasks.log(task.id, after=0, first=1000)
    made = await acme.use.versions.get(ListKind.DEVELOPER, SHOP, task.result)
    for number, stored in enumerate((made, client)):
        assert stored.private_files == ("conf/tls.key",)
        assert await content_of(acme, stored, "conf/tls.key", tmp_path / f"out{number}") == SECRET
    lines = " ".join(record.message for record in log)
    assert "no consumer is given anything of it" in lines
    assert SECRET.decode() not in lines
    assert list((acme.folder / "work").rglob("tls.key")) == []


async def test_a_sites_secret_is_not_for_recipes(acme: Member, tmp_path: Path) -> None:
    """What was put with a place is not among the files that a recipe may name, and the other way round."""
    await acme.use.private_files.put(SHOP, KEY, SECRET, into="conf/key", who=WHO)
    await acme.use.private_files.put(SHOP, PrivateFileName("other"), b"x", who=WHO)
    source = acme.use.private_files.of_recipe(SHOP)
    assert await source.missing(frozenset({KEY, PrivateFileName("other")})) == {KEY}
    assert await source.read(PrivateFileName("other")) == b"x"
    assert [one.target for one in await acme.use.private_files.of_site(SHOP)] == ["conf/key"]


async def test_a_client_version_is_made_again_when_a_secret_changed_and_only_then(acme: Member, tmp_path: Path) -> None:
    """Put, changed, put as it was, moved, removed; a secret for recipes, or of another service, makes none."""
    await acme.share(SELF, "shop")
    await acme.develop("shop", "acme-1.0.0", FILES)
    use = acme.use.private_files
    async with loops(acme):
        plain = await until_client(acme, "acme-1.0.0")
        await use.put(SHOP, KEY, b"one", into="conf/key", who=WHO)
        first = await until_client(acme, "acme-1.0.0_1")
        await use.put(SHOP, KEY, b"two", who=WHO)
        second = await until_client(acme, "acme-1.0.0_2")
        for service, name, into in (
            (SHOP, "recipe", None),
            (ServiceName("till"), "key", "conf/key"),
            (SHOP, KEY, None),
        ):
            await use.put(service, PrivateFileName(name), b"two", into=into, who=WHO)
        again = await acme.use.tasks.wait((await acme.use.client_builds.start(SHOP, who=WHO)).id)
        assert again.result == "acme-1.0.0_2"
        await use.put(SHOP, KEY, b"two", into="conf/moved", who=WHO)
        moved = await until_client(acme, "acme-1.0.0_3")
        await use.remove(SHOP, KEY, who=WHO)
        last = await until_client(acme, "acme-1.0.0_4")
    assert [one.private_files for one in (plain, first, moved, last)] == [(), ("conf/key",), ("conf/moved",), ()]
    assert await content_of(acme, first, "conf/key", tmp_path / "first") == b"one"
    assert await content_of(acme, second, "conf/key", tmp_path / "second") == b"two"
    assert last.image == plain.image
    assert len(await acme.use.versions.find(ListKind.CLIENT, SHOP, first=10)) == 5


async def test_after_a_restart_nothing_is_made_again(tmp_path: Path) -> None:
    """The inputs of the last build are kept, with the fingerprints."""
    network = Network(tmp_path)
    acme = network.add("acme")
    await acme.share(SELF, "shop")
    await acme.develop("shop", "acme-1.0.0", FILES)
    await acme.use.private_files.put(SHOP, KEY, SECRET, into="conf/key", who=WHO)
    async with loops(acme):
        async with asyncio.timeout(60):
            while await acme.use.adaptation._wanted():
                # Not without a pause: the build's thread would hardly get to run beside it.
                await asyncio.sleep(0.01)
    again = network.restart("acme")
    assert await again.use.adaptation._wanted() == []
    assert [part.content for part in await again.use.private_files.of_site(SHOP)] == [SECRET]


async def test_a_secret_that_cannot_be_opened_fails_the_build(acme: Member) -> None:
    """The client version is not made without it."""
    await acme.share(SELF, "shop")
    await acme.develop("shop", "acme-1.0.0", FILES)
    await acme.use.private_files.put(SHOP, KEY, SECRET, into="conf/key", who=WHO)
    (acme.folder / "keys" / "private-files.key").unlink()
    async with acme.use.tasks.running():
        ended = await acme.use.tasks.wait((await acme.use.client_builds.start(SHOP, who=WHO)).id)
    assert ended.state is TaskState.FAILED
    assert "private-files.key is gone" in ended.error
    with pytest.raises(VUpdateError, match="is gone"):
        await acme.use.private_files.of_site(SHOP)
    assert await acme.use.versions.find(ListKind.CLIENT, SHOP, first=1) == []
