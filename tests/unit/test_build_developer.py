"""Developer builds from real repositories, whole."""

import asyncio
from pathlib import Path

import pytest

from build.developer import Built, DeveloperBuild, build_developer
from build.errors import BuildFailedError, SourceError
from build.recipe import RecipeError
from build.source import SourceRequest
from federation.digest import Digest
from federation.names import ServiceName
from federation.servicefile import read_service
from federation.transfer.tree import scan_tree
from federation.versions import DeveloperVersion
from tests.support.git_repo import GitRepo

SHOP = ServiceName("shop")
RECIPE = """
[services.shop.build]
commands = [
    { run = ["sh", "./make.sh"], env = { GREETING = "hello" } },
]
copy = [{ from = "out", expand = ["*.toml"] }]
[services.shop.run]
command = ["./run"]
"""
SCRIPT = """set -e
mkdir out
echo "$GREETING $SOURCE_DATE_EPOCH $VUPDATE_SERVICE" > out/made
echo 'v = "%%version%%"' > out/c.toml
cp ../lib/part out/part
echo '#!/bin/sh' > out/run
chmod +x out/run
ln -s made out/link
mktemp > /dev/null
echo > "$HOME/.rc"
"""


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    """The service's repository."""
    made = GitRepo(tmp_path / "shop")
    made.write("vupdate.toml", RECIPE)
    made.write("make.sh", SCRIPT)
    made.commit("The shop opens\n\nWith a long story.")
    return made


@pytest.fixture
def lib(tmp_path: Path) -> GitRepo:
    """A second source."""
    made = GitRepo(tmp_path / "lib")
    made.write("part", "a part")
    made.commit()
    return made


async def build(tmp_path: Path, *repos: GitRepo, work: str = "work", comment: str = "") -> Built:
    request = DeveloperBuild(
        service=SHOP,
        version=DeveloperVersion("acme-1.0.0"),
        sources=tuple(SourceRequest(name=repo.folder.name, url=repo.url) for repo in repos),
        work=tmp_path / work,
        cache=tmp_path / "cache",
        comment=comment,
        host={"PATH": "/usr/local/bin:/usr/bin:/bin", "VUPDATE_TOKEN": "secret"},
    )
    return await build_developer(request, lambda _: None)


async def test_a_build_makes_an_image_and_says_from_what(tmp_path: Path, repo: GitRepo, lib: GitRepo) -> None:
    """Commands run in the first source beside the others; the copy rules' files are the image; all is recorded."""
    built = await build(tmp_path, repo, lib)
    assert [entry.path for entry in built.image] == ["c.toml", "link", "made", "part", "run", "vupdate.toml"]
    assert (built.tree / "made").read_text() == "hello 1767323045 shop\n"
    assert scan_tree(built.tree) == built.image
    service = read_service((built.tree / "vupdate.toml").read_bytes(), SHOP)
    assert (service.run.command, service.expand) == (("./run",), ("c.toml",))
    assert [source.commit for source in built.sources] == [repo.git("rev-parse", "HEAD"), lib.git("rev-parse", "HEAD")]
    assert built.comment == "The shop opens"
    assert built.recipe == Digest.of(RECIPE.encode())


async def test_two_builds_of_one_commit_give_one_image(tmp_path: Path, repo: GitRepo, lib: GitRepo) -> None:
    """The image does not depend on where and when it was built."""
    first = await build(tmp_path, repo, lib)
    second = await build(tmp_path, repo, lib, work="elsewhere/deeper", comment="Again")
    assert first.image.digest == second.image.digest
    assert second.comment == "Again"


async def test_what_fails_is_told(tmp_path: Path, repo: GitRepo, lib: GitRepo) -> None:
    """A failing command, a missing or broken recipe, something that can't be an image: each its own error."""
    with pytest.raises(BuildFailedError, match=r"command `sh ./make.sh` ended with status 1"):
        await build(tmp_path, repo, work="without-lib")
    with pytest.raises(RecipeError, match=r"has no file vupdate.toml"):
        await build(tmp_path, lib, work="no-recipe")
    with pytest.raises(SourceError, match="each with a name of its own"):
        await build(tmp_path, lib, lib, work="twice")
    repo.write("make.sh", "mkdir out && ln -s ../../up out/link && echo > out/a.toml")
    repo.commit()
    with pytest.raises(BuildFailedError, match=r"can't be an image: .*link"):
        await build(tmp_path, repo, work="link")
    repo.write("vupdate.toml", RECIPE.replace("commands", "comands"))
    repo.commit()
    with pytest.raises(RecipeError, match=r"line 3: services\.shop\.build\.comands: unknown key; did you"):
        await build(tmp_path, repo, work="recipe")


async def test_a_cancelled_build_leaves_no_process(tmp_path: Path, repo: GitRepo) -> None:
    """Cancelling ends the command under way and passes the cancel on."""
    repo.write("make.sh", "sleep 600 & echo started; sleep 600")
    repo.commit()
    started = asyncio.Event()
    request = DeveloperBuild(
        service=SHOP,
        version=DeveloperVersion("acme-1.0.0"),
        sources=(SourceRequest(name="shop", url=repo.url),),
        work=tmp_path / "work",
        cache=tmp_path / "cache",
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(build_developer(request, lambda line: started.set() if line == "started" else None))
        async with asyncio.timeout(20):
            await started.wait()
        task.cancel()
    assert task.cancelled()
    marked = f"VUPDATE_BUILD_ROOT={tmp_path}".encode()
    assert not any(marked in environ for environ in environments())


def environments() -> list[bytes]:
    """What each process of this machine was started with."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return found
