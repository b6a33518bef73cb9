"""A repository whose recipe, links or submodules try to get at the machine that builds it."""

from pathlib import Path

import pytest

from build.developer import Built, DeveloperBuild, build_developer
from build.errors import BuildFailedError, SourceError
from build.recipe import RecipeError
from build.source import SourceRequest
from federation.errors import VUpdateError
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from tests.support.git_repo import GitRepo

SECRET = "the node's own secret"
RUN = '[services.shop.run]\ncommand = ["./run"]\n'


class Victim:
    """A node's folders around a build: a secret beside it, and what a refusal must leave unchanged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        (folder / "keys").mkdir()
        (folder / "keys/node.pem").write_text(SECRET)
        self.repo = GitRepo(folder / "shop")
        self.repo.write("run", "#!/bin/sh\n", executable=True)

    async def build(self, recipe: str, *, url: str = "", name: str = "shop") -> Built:
        self.repo.write("vupdate.toml", recipe)
        self.repo.commit()
        request = DeveloperBuild(
            service=ServiceName("shop"),
            version=DeveloperVersion("acme-1.0.0"),
            sources=(SourceRequest(name=name, url=url or self.repo.url),),
            work=self.folder / "work",
            cache=self.folder / "cache",
            host={"PATH": "/usr/local/bin:/usr/bin:/bin", "VUPDATE_TOKEN": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET},
        )
        return await build_developer(request, self.log.append)

    def assert_unharmed(self) -> None:
        """Nothing secret got into the image or the log, and nothing was written beside the build's own folders."""
        assert (self.folder / "keys/node.pem").read_text() == SECRET
        assert {path.name for path in self.folder.iterdir()} <= {"keys", "shop", "lib", "work", "cache"}
        tree = self.folder / "work/tree"
        found = [path for path in tree.rglob("*") if path.is_file() and SECRET in path.read_text(errors="replace")]
        assert found == []
        assert not any(SECRET in line for line in self.log)


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    """A node about to build a hostile repository."""
    return Victim(tmp_path)


async def test_no_secret_is_in_the_environment(victim: Victim) -> None:
    """A build that prints all it can see of the node's environment sees nothing of it."""
    await victim.build(
        '[services.shop.build]\nnetwork = true\ncommands = [{ run = ["sh", "-c", "env; cat /proc/$PPID/cmdline"] }]\n'
        + RUN
    )
    victim.assert_unharmed()
    assert any(line.startswith("PATH=") for line in victim.log)


@pytest.mark.parametrize(
    "rule",
    [
        '{ from = "../../../keys" }',
        '{ from = "/etc" }',
        '{ from = ".", to = "../../.." }',
        '{ from = ".", to = "/tmp" }',
        '{ from = "a/../../b" }',
    ],
)
async def test_copy_rules_can_t_leave_by_their_paths(victim: Victim, rule: str) -> None:
    """A path that leads out is refused when the recipe is read, before anything runs."""
    with pytest.raises(RecipeError, match=r"leads out of the root|absolute path"):
        await victim.build(f'[services.shop.build]\ncommands = [{{ run = ["touch", "ran"] }}]\ncopy = [{rule}]\n{RUN}')
    assert not list(victim.folder.rglob("ran"))
    victim.assert_unharmed()


@pytest.mark.parametrize(
    ("link", "target", "rule"),
    [
        ("out", "../../../keys", '{ from = "out" }'),
        ("out", "../../../keys", '{ from = "out/node.pem" }'),
        ("out", "../../../keys", '{ from = "out/*" }'),
        ("out", "/etc", '{ from = "out/hostname" }'),
        ("node.pem", "../../../keys/node.pem", '{ from = "node.pem" }'),
    ],
)
async def test_copy_rules_can_t_leave_by_links(victim: Victim, link: str, target: str, rule: str) -> None:
    """A link in the repository that leads to the node's files is not followed."""
    (victim.repo.folder / link).symlink_to(target)
    with pytest.raises(BuildFailedError, match="leads out of the build's folder by a link"):
        await victim.build(f"[services.shop.build]\ncopy = [{rule}]\n{RUN}")
    victim.assert_unharmed()


@pytest.mark.parametrize("target", ["../../../keys/node.pem", "/etc/passwd", "../up"])
async def test_a_link_out_can_t_be_part_of_an_image(victim: Victim, target: str) -> None:
    """A link that would lead out of the image where it is installed makes the build fail."""
    (victim.repo.folder / "link").symlink_to(target)
    with pytest.raises(BuildFailedError, match="can't be an image"):
        await victim.build(RUN)
    victim.assert_unharmed()


async def test_nothing_is_written_through_a_copied_link(victim: Victim) -> None:
    """A rule that copies a link and one that writes below it are seen before anything is written."""
    (victim.repo.folder / "sub").symlink_to("../../../keys")
    victim.repo.write("payload/node.pem", "changed")
    with pytest.raises(BuildFailedError, match="copy rules clash"):
        await victim.build(
            f'[services.shop.build]\ncopy = [{{ from = "." }}, {{ from = "payload", to = "sub" }}]\n{RUN}'
        )
    victim.assert_unharmed()


async def test_a_recipe_that_is_a_link_is_not_read(victim: Victim) -> None:
    """The recipe is a file of the repository, not whatever it points at: no error quotes the node's files."""
    await victim.build(RUN)
    (victim.repo.folder / "vupdate.toml").unlink()
    (victim.repo.folder / "vupdate.toml").symlink_to("../../../../keys/node.pem")
    victim.repo.commit()
    request = DeveloperBuild(
        service=ServiceName("shop"),
        version=DeveloperVersion("acme-1.0.1"),
        sources=(SourceRequest(name="shop", url=victim.repo.url),),
        work=victim.folder / "work" / "second",
        cache=victim.folder / "cache",
    )
    with pytest.raises(RecipeError, match=r"has no file vupdate.toml") as caught:
        await build_developer(request, victim.log.append)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c touch% /tmp/vupdate-attack", "--upload-pack=touch vupdate-attack", "ssh://-oProxyCommand=touch/x"],
)
async def test_a_url_can_t_run_a_program(victim: Victim, url: str) -> None:
    """A URL that Git would hand to a program or take for an option is refused before Git sees it."""
    with pytest.raises(SourceError):
        await victim.build(RUN, url=url)
    assert not (victim.folder / "cache").exists()
    victim.assert_unharmed()


async def test_a_source_s_name_can_t_be_a_path(victim: Victim) -> None:
    """The folder of a source stays inside the build's."""
    with pytest.raises(SourceError):
        await victim.build(RUN, name="../../keys")
    assert not (victim.folder / "cache").exists()
    victim.assert_unharmed()


async def test_a_submodule_can_t_run_a_program(victim: Victim) -> None:
    """A submodule with a transport that starts programs, or one that looks like an option, makes the build fail."""
    commit = victim.repo.commit()
    for number, url in enumerate(("ext::sh -c touch% ran", "-u./evil")):
        victim.repo.write(".gitmodules", f'[submodule "x"]\n\tpath = x\n\turl = {url}\n')
        victim.repo.git("update-index", "--add", "--cacheinfo", f"160000,{commit},x")
        victim.repo.git("add", ".gitmodules")
        victim.repo.write("vupdate.toml", RUN)
        victim.repo.git("add", "vupdate.toml")
        victim.repo.git("commit", "--quiet", "--message", "hostile")
        request = DeveloperBuild(
            service=ServiceName("shop"),
            version=DeveloperVersion("acme-1.0.0"),
            sources=(SourceRequest(name="shop", url=victim.repo.url),),
            work=victim.folder / "work" / str(number),
            cache=victim.folder / "cache",
        )
        with pytest.raises(VUpdateError):
            await build_developer(request, victim.log.append)
    assert not list(victim.folder.rglob("ran"))
    victim.assert_unharmed()


async def test_a_build_can_t_swap_its_folder_for_a_link(victim: Victim) -> None:
    """A command that replaces what is copied by a link to the node's files gets a refusal, not the files."""
    command = '{ run = ["ln", "-s", "../../../keys", "dist"] }'
    recipe = f'[services.shop.build]\ncommands = [{command}]\ncopy = [{{ from = "dist" }}]\n'
    with pytest.raises(BuildFailedError, match="leads out of the build's folder by a link"):
        await victim.build(recipe + RUN)
    victim.assert_unharmed()


async def test_a_flood_of_output_is_bounded(victim: Victim) -> None:
    """A command that prints without end fills neither the log nor the memory, and is stopped in time."""
    recipe = '[services.shop.build]\ncommands = [{ run = ["sh", "-c", "yes | head -c 5000000"] }]\n'
    await victim.build(recipe + RUN)
    assert len(victim.log) < 20_100
    assert any("left out of the log" in line for line in victim.log)
