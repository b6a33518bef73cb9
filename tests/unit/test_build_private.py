"""Private files in builds: what a recipe may name, where they land, and that nothing else of a build sees them."""

import re
from pathlib import Path

import pytest

from build.client import ClientBuild, ClientBuilt, build_client, client_overlay
from build.developer import Built, DeveloperBuild, build_developer
from build.errors import BuildFailedError, OverlayError
from build.private import PrivatePart, PrivateRule, PrivateSource, write_private
from build.recipe import RecipeError, recipe_of
from build.recipe_words import explain
from build.source import SourceRequest
from build.threads import Halt, HaltedError
from federation.errors import AbsentError
from federation.image import Kind
from federation.names import NodeName, PrivateFileName, ServiceName
from federation.servicefile import read_service
from federation.transfer.tree import TreeSource, scan_tree, write_tree
from federation.versions import ClientVersion, DeveloperVersion
from tests.support.git_repo import GitRepo

SHOP = ServiceName("shop")
SECRET = b"-----BEGIN %%version%% KEY-----\x00\xff"
RUN = '[services.shop.run]\ncommand = ["./run"]\n'


def recipe(build: str) -> str:
    return f"[services.shop.build]\n{build}\n{RUN}"


# The recipe's key.


def test_a_recipe_names_private_files() -> None:
    """With the name that the node knows and the path in the image; it is told in words, too."""
    found = recipe_of(recipe('private = [{ name = "db/pw", to = "conf/pw" }]').encode(), SHOP)
    assert found.private == (PrivateRule(name=PrivateFileName("db/pw"), target="conf/pw"),)
    (told,) = [passage for passage in explain(found) if passage.heading == "private files"]
    assert told.sentences[0] == "The private file `db/pw`, kept by the node, becomes `conf/pw` in the image."
    assert not [one for one in explain(recipe_of(RUN.encode(), SHOP)) if one.heading == "private files"]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ('{ name = "a" }', "'to' is missing"),
        ('{ to = "a" }', "'name' is missing"),
        ('{ name = "../a", to = "a" }', "name: path '../a' leaves its tree"),
        (f'{{ name = "{"a" * 201}", to = "a" }}', "name: the name of a private file is longer than 200 characters"),
        ('{ name = "a", to = "/etc/passwd" }', "to: path '/etc/passwd' leaves its tree"),
        ('{ name = "a", to = "." }', "to: path '.' leaves its tree"),
        ('{ name = "a", to = "vupdate.toml" }', "vupdate.toml is the service file"),
        ('{ name = "a", to = "x" }, { name = "b", to = "x" }', "two private files are to stand at 'x'"),
        ('{ name = "a", to = "x" }, { name = "b", to = "x/y" }', "'x' would be a file and hold 'x/y'"),
        (", ".join(f'{{ name = "a", to = "{n}" }}' for n in range(65)), "must have 0 to 64 private files, not 65"),
        ('{ name = "a", to = "b", mode = "0600" }', "unknown key"),
    ],
)
def test_mistakes_are_told(rules: str, message: str) -> None:
    """Before anything is built."""
    with pytest.raises(RecipeError, match=re.escape(message)):
        recipe_of(recipe(f"private = [{rules}]").encode(), SHOP)


# Developer builds.


class Kept(PrivateSource):
    """A node's private files."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.read_by_build: list[str] = []

    async def missing(self, wanted: frozenset[PrivateFileName]) -> frozenset[PrivateFileName]:
        return wanted - set(self.files)

    async def read(self, name: PrivateFileName) -> bytes:
        self.read_by_build.append(name)
        try:
            return self.files[name]
        except KeyError as error:
            raise AbsentError("gone") from error


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    made = GitRepo(tmp_path / "shop")
    made.write("run", "#!/bin/sh\n", executable=True)
    made.write("conf/key", "a placeholder")
    return made


async def build(tmp_path: Path, repo: GitRepo, text: str, kept: PrivateSource) -> tuple[Built, str]:
    """What is built by the recipe ``text``, and all lines of the log."""
    repo.write("vupdate.toml", text)
    repo.commit()
    lines: list[str] = []
    request = DeveloperBuild(
        service=SHOP,
        version=DeveloperVersion("acme-1.0.0"),
        sources=(SourceRequest(name="shop", url=repo.url),),
        work=tmp_path / f"work{len(list(tmp_path.iterdir()))}",
        cache=tmp_path / "cache",
        private=kept,
        host={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    return await build_developer(request, lines.append), "\n".join(lines)


async def test_a_private_file_is_placed_after_all_else(tmp_path: Path, repo: GitRepo) -> None:
    """In place of what the copy rules brought there, as a plain file; commands saw the placeholder only."""
    kept = Kept(key=SECRET, unused=b"not named")
    text = recipe(
        'commands = [{ run = ["cp", "conf/key", "seen"] }]\n'
        'private = [{ name = "key", to = "conf/key" }, { name = "key", to = "new/folder/key" }]'
    )
    built, log = await build(tmp_path, repo, text, kept)
    for path in ("conf/key", "new/folder/key"):
        assert (built.tree / path).read_bytes() == SECRET
        assert (built.tree / path).stat().st_mode & 0o777 == 0o600
        assert built.image.by_path[path].kind is Kind.FILE
    assert (built.tree / "seen").read_text() == "a placeholder"
    assert built.private == ("conf/key", "new/folder/key")
    assert set(kept.read_by_build) == {"key"}
    assert scan_tree(built.tree) == built.image
    assert "BEGIN" not in log + repr(built)


async def test_without_the_key_nothing_is_private(tmp_path: Path, repo: GitRepo) -> None:
    """What the node keeps and no recipe names stays with it."""
    kept = Kept(key=SECRET)
    built, _ = await build(tmp_path, repo, RUN, kept)
    assert built.private == ()
    assert kept.read_by_build == []


async def test_a_missing_private_file_fails_the_build_before_its_commands(tmp_path: Path, repo: GitRepo) -> None:
    """The message is the command that helps, for each."""
    text = recipe(
        f'commands = [{{ run = ["touch", "{tmp_path}/ran"] }}]\n'
        'private = [{ name = "key", to = "a" }, { name = "db/pw", to = "b" }, { name = "here", to = "c" }]'
    )
    with pytest.raises(BuildFailedError) as caught:
        await build(tmp_path, repo, text, Kept(here=b"x"))
    for name in ("db/pw", "key"):
        assert f"vupdate service secret put shop {name} FILE" in str(caught.value)
    assert "put shop here" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("make", "to", "message"),
    [
        ("ln -s /tmp out", "out/key", "'out/key': out is a file or a link"),
        ("ln -s conf out", "out/key", "'out/key': out is a file or a link"),
        ("touch out", "out/key", "'out/key': out is a file or a link"),
        ("mkdir out && touch out/x", "out", "'out': a folder of the image stands there"),
    ],
)
async def test_nothing_is_written_where_it_does_not_belong(
    tmp_path: Path, repo: GitRepo, make: str, to: str, message: str
) -> None:
    """Least of all through a link that a command made."""
    text = recipe(f'commands = [{{ run = ["sh", "-c", "{make}"] }}]\nprivate = [{{ name = "key", to = "{to}" }}]')
    with pytest.raises(BuildFailedError, match=re.escape(message)):
        await build(tmp_path, repo, text, Kept(key=SECRET))


async def test_a_link_at_its_very_place_is_replaced(tmp_path: Path, repo: GitRepo) -> None:
    """And what it pointed to stays as it was."""
    text = recipe('commands = [{ run = ["ln", "-s", "conf/key", "link"] }]\nprivate = [{ name = "key", to = "link" }]')
    built, _ = await build(tmp_path, repo, text, Kept(key=SECRET))
    assert not (built.tree / "link").is_symlink()
    assert (built.tree / "conf/key").read_text() == "a placeholder"


async def test_no_macro_is_filled_in_in_a_private_file(tmp_path: Path, repo: GitRepo) -> None:
    """A recipe that asks for both is refused: a client build would read the secret, and could quote it."""
    text = recipe(
        'copy = [{ from = "conf", to = "conf", expand = ["*"] }]\nprivate = [{ name = "key", to = "conf/key" }]'
    )
    with pytest.raises(BuildFailedError, match=r"take conf/key out of expand"):
        await build(tmp_path, repo, text, Kept(key=SECRET))


def test_placing_is_stopped_by_a_cancel(tmp_path: Path) -> None:
    """As each step of a build is."""
    halt = Halt()
    halt.tell()
    with pytest.raises(HaltedError):
        write_private(tmp_path, {"a": b"x"}, (), halt)
    assert list(tmp_path.iterdir()) == []


# Client builds.

BASE = {
    "vupdate.toml": b'[services.shop]\nexpand = ["app.toml"]\n[services.shop.run]\ncommand = ["./run"]\n',
    "app.toml": b"version = '%%version%%'\n",
    "conf/key.json": b'{"token": "hunter2"',
    "link": b"",
}


def part(target: str, content: bytes = SECRET, fingerprint: str = "f1") -> PrivatePart:
    return PrivatePart(target=target, fingerprint=fingerprint, content=content)


class Site:
    """A base on disk, and what a site adds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.write("base", BASE)

    def write(self, where: str, files: dict[str, bytes]) -> Path:
        for path, content in files.items():
            (self.folder / where / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / where / path).write_bytes(content)
        return self.folder / where

    async def build(
        self, *private: PrivatePart, sealed: tuple[str, ...] = (), overlay: dict[str, bytes] | None = None
    ) -> tuple[ClientBuilt, Path]:
        """The client version, and its files."""
        image, number = scan_tree(self.folder / "base"), len(list(self.folder.iterdir()))
        request = ClientBuild(
            service=SHOP,
            version=ClientVersion("acme-1.0.0"),
            node=NodeName("globex"),
            base=image,
            contents=TreeSource(self.folder / "base", image),
            overlays=(self.write(f"overlay{number}", overlay),) if overlay else (),
            macros={},
            work=self.folder / f"work{number}",
            private=private,
            sealed=frozenset(sealed),
        )
        assert b"BEGIN" not in repr(request).encode()
        built = await build_client(request, self.log.append)
        target = self.folder / f"out{number}"
        write_tree(built.image, built.contents, target)
        return built, target


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_sites_private_files_are_placed_last(site: Site) -> None:
    """Over the base and over the overlays, as they are: no macro in them is filled in."""
    built, files = await site.build(part("conf/key"), part("app.toml", b"%%unknown%%"), overlay={"conf/key": b"public"})
    assert (files / "conf/key").read_bytes() == SECRET
    assert (files / "app.toml").read_bytes() == b"%%unknown%%"
    assert built.private == ("app.toml", "conf/key")
    assert read_service((files / "vupdate.toml").read_bytes(), SHOP).run.command == ("./run",)
    assert "BEGIN" not in "".join(site.log) + repr(built)


async def test_what_is_private_in_the_base_is_private_in_the_client_version(site: Site) -> None:
    """Also where nothing is added."""
    built, _ = await site.build(sealed=("conf/key.json",))
    assert built.private == ("conf/key.json",)


async def test_a_changed_private_file_is_another_overlay(site: Site) -> None:
    """By its fingerprint and its place; without private files the digest is what it always was."""
    built, _ = await site.build(part("conf/key"))
    again, _ = await site.build(part("conf/key"))
    others = [
        (await site.build(*one))[0].overlay
        for one in ([], [part("conf/key", fingerprint="f2")], [part("conf/other")], [part("a"), part("conf/key")])
    ]
    assert built.overlay == again.overlay
    assert len({built.overlay, *others}) == 5
    globex = NodeName("globex")
    assert others[0] == await client_overlay([], node=globex, macros={})
    assert built.overlay == await client_overlay([], node=globex, macros={}, private={"conf/key": "f1"})


@pytest.mark.parametrize(
    "overlay",
    [
        {"conf/key.json": b'{"more": 1}'},
        {"conf/key.json.2": b'{"more": 1}'},
        {"vupdate.toml": b'[services.shop]\nexpand = ["conf/key.json"]\n'},
    ],
)
async def test_nothing_is_merged_or_filled_in_in_a_private_file_of_the_base(
    site: Site, overlay: dict[str, bytes]
) -> None:
    """What is wrong with such a file would be told with a piece of it."""
    with pytest.raises(OverlayError, match=r"conf/key\.json: a private file of the base") as caught:
        await site.build(sealed=("conf/key.json",), overlay=overlay)
    assert "hunter2" not in str(caught.value) + "".join(site.log)


async def test_a_place_that_is_taken_is_told(site: Site) -> None:
    """A folder of the base, or a file where a folder would have to be."""
    for target, message in (("conf", "a folder of the base"), ("link/key", "as a file or a link")):
        with pytest.raises(OverlayError, match=message):
            await site.build(part(target))
