"""Client builds: settings over a base, and macros."""

from pathlib import Path

import pytest

from build.client import ClientBuild, ClientBuilt, build_client, client_overlay
from build.errors import OverlayConflictError, OverlayError
from federation.errors import CorruptError, InvalidValueError
from federation.image import Image, Kind
from federation.macros import UnknownMacroError
from federation.names import NodeName, ServiceName
from federation.servicefile import ServiceFileError, read_service
from federation.transfer.tree import TreeSource, scan_tree, write_tree
from federation.versions import ClientVersion

SHOP = ServiceName("shop")
SERVICE_FILE = """[services.shop]
expand = ["config.toml"]

[services.shop.run]
command = ["./shop", "--role", "%%role%%"]
health = { http = "http://127.0.0.1:%%port%%/" }
"""
BASE = {
    "vupdate.toml": SERVICE_FILE,
    "config.toml": '# kept\nport = "%%port%%"\nversion = "%%service%% %%version%% %%node%%"\n',
    "settings.json": '{"a": 1, "macro": "%%stays%%"}\n',
    "shop": "#!/bin/sh\n",
    "lib/code": "code",
}


class Site:
    """A base and a site's overlays on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.base_folder = folder / "base"
        self.macros = {"port": "8101"}
        self.overlays: list[Path] = []
        self.builds = 0
        self.write("base", BASE)
        (self.base_folder / "shop").chmod(0o755)

    def write(self, where: str, files: dict[str, str]) -> Path:
        for path, content in files.items():
            file = self.folder / where / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return self.folder / where

    def lay(self, files: dict[str, str]) -> Path:
        """Add an overlay of ``files``."""
        self.overlays.append(self.write(f"overlay{len(self.overlays)}", files))
        return self.overlays[-1]

    @property
    def image(self) -> Image:
        return scan_tree(self.base_folder)

    async def build(self, version: str = "acme-1.0.0_1") -> ClientBuilt:
        self.builds += 1
        image = self.image
        request = ClientBuild(
            service=SHOP,
            version=ClientVersion(version),
            node=NodeName("globex"),
            base=image,
            contents=TreeSource(self.base_folder, image),
            overlays=tuple(self.overlays),
            macros=self.macros,
            work=self.folder / f"work{self.builds}",
        )
        return await build_client(request, lambda _: None)

    async def files(self) -> dict[str, str]:
        """The text of each file of the client image."""
        built = await self.build()
        target = self.folder / f"out{self.builds}"
        write_tree(built.image, built.contents, target)
        return {entry.path: (target / entry.path).read_text() for entry in built.image if entry.digest}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site without overlays."""
    return Site(tmp_path)


async def test_without_overlays_only_macros_change(site: Site) -> None:
    """The files named in expand get their values, and the service file those that no agent knows; no other file."""
    built = await site.build()
    files = await site.files()
    assert files["config.toml"] == '# kept\nport = "8101"\nversion = "shop acme-1.0.0_1 globex"\n'
    assert files["settings.json"] == BASE["settings.json"]
    run = read_service(files["vupdate.toml"].encode(), SHOP).run
    assert run.health.http == "http://127.0.0.1:8101/"
    assert run.command == ("./shop", "--role", "%%role%%")
    changed = {entry.path for entry in built.image if entry != site.image.by_path[entry.path]}
    assert changed == {"config.toml", "vupdate.toml"}
    assert built.new == {built.image.by_path[path].digest for path in changed}


async def test_overlays_merge_replace_and_add(site: Site) -> None:
    """Settings merge into the base's, other files replace or are added, and modes come with them."""
    overlay = site.lay({"settings.json": '{"b": 2}', "shop": "#!/bin/sh\nexec other\n", "new/logo.svg": "<svg/>"})
    (overlay / "new/logo.svg").chmod(0o755)
    built = await site.build()
    files = await site.files()
    assert files["settings.json"] == '{"a": 1, "macro": "%%stays%%", "b": 2}\n'
    assert files["shop"].endswith("other\n")
    assert files["new/logo.svg"] == "<svg/>"
    assert built.image.by_path["new/logo.svg"].kind is Kind.EXECUTABLE
    assert built.image.by_path["shop"].kind is Kind.FILE
    assert built.image.by_path["new"].kind is Kind.DIRECTORY


async def test_only_what_is_new_is_in_the_work_folder(site: Site) -> None:
    """The base's contents are neither read nor copied: those that a build does not need may even be damaged."""
    image = site.image
    (site.base_folder / "lib/code").write_text("xxxx")
    request = ClientBuild(
        service=SHOP,
        version=ClientVersion("acme-1.0.0"),
        node=NodeName("globex"),
        base=image,
        contents=TreeSource(site.base_folder, image),
        overlays=(),
        macros=site.macros,
        work=site.folder / "work",
    )
    built = await build_client(request, lambda _: None)
    assert {path.name for path in (site.folder / "work/contents").iterdir()} == set(built.new)
    (site.base_folder / "config.toml").write_text("damaged")
    with pytest.raises(CorruptError):
        await build_client(request, lambda _: None)


async def test_overlays_apply_in_order(site: Site) -> None:
    """A later folder wins over an earlier one, and in one folder the numbers count, as numbers."""
    site.lay({"settings.json": '{"a": 2, "b": 2}', "settings.json.10": '{"d": 10}', "settings.json.9": '{"d": 9}'})
    site.lay({"settings.json": '{"b": 3}'})
    assert (await site.files())["settings.json"] == '{"a": 2, "macro": "%%stays%%", "b": 3, "d": 10}\n'


async def test_a_number_means_an_order_only_where_files_merge(site: Site) -> None:
    """A file whose own name ends in a number is just a file."""
    site.lay({"lib/code.so.1": "binary", "man.1": "manual"})
    files = await site.files()
    assert (files["lib/code.so.1"], files["man.1"]) == ("binary", "manual")


async def test_defines_give_values_for_one_file(site: Site) -> None:
    """A .defines wins over the site's macros, for its file alone, and a later one over an earlier."""
    site.lay({"config.toml.defines": "port = 1\n", "config.toml.defines.2": "port = 2\n"})
    files = await site.files()
    assert 'port = "2"' in files["config.toml"]
    assert "127.0.0.1:8101/" in files["vupdate.toml"]
    site.lay({"vupdate.toml.defines": "port = 7\n"})
    assert "127.0.0.1:7/" in (await site.files())["vupdate.toml"]


async def test_the_service_file_merges_and_is_checked(site: Site) -> None:
    """A site changes how a service runs; what it writes wrong is told by key."""
    overlay = site.lay({"vupdate.toml": "[services.shop.run]\nstop = { grace = '1m' }\n"})
    run = read_service((await site.files())["vupdate.toml"].encode(), SHOP).run
    assert run.stop.grace_seconds == 60
    (overlay / "vupdate.toml").write_text("[services.shop.run]\ncomand = ['x']\n")
    with pytest.raises(
        OverlayError, match=r"with this site's settings over it: services\.shop\.run\.comand: unknown key; did you mean"
    ):
        await site.build()


async def test_a_value_can_t_break_out_of_its_quotes(site: Site) -> None:
    """A macro's value is a text in the service file, whatever signs it holds."""
    site.write("base", {"vupdate.toml": SERVICE_FILE.replace("%%role%%", "%%who%%")})
    site.macros["who"] = '"]\nenv = { EVIL = "1" } #'
    run = read_service((await site.files())["vupdate.toml"].encode(), SHOP).run
    assert run.command == ("./shop", "--role", site.macros["who"])
    assert run.env == {}


async def test_overlays_without_a_base_file_are_told_together(site: Site) -> None:
    """Each overlay for a file that the base no longer has is named, and nothing is built."""
    site.lay({"gone.toml": "a = 1\n", "x/gone.ini.2": "[a]\nb=1\n", "gone.txt.defines": "a=1\n", "shop": "fine"})
    with pytest.raises(OverlayConflictError) as caught:
        await site.build()
    assert caught.value.files == ("gone.toml", "gone.txt.defines", "x/gone.ini.2")
    assert caught.value.code == "overlay-conflict"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"settings.json": "{"}, "settings.json: the overlay is not JSON"),
        ({"settings.json.2": '{"a": {}}'}, r"settings.json.2: a: the base has a single value here"),
        ({"lib": "x"}, "lib: a file in the overlay, a folder in the base"),
        ({"shop/x": "x"}, "shop/x: the base has 'shop' as a file or a link"),
        ({"settings.json.defines": "a=1"}, "settings.json: has a .defines, but the recipe's 'expand' does not name it"),
        ({"config.toml.defines": "a"}, "config.toml.defines: line 1: not of the form name=value"),
        ({"config.toml": "port = %%port%%\n"}, "config.toml: the overlay is not TOML"),
    ],
)
async def test_overlays_that_can_t_be_used_are_named(site: Site, files: dict[str, str], message: str) -> None:
    """What is wrong with an overlay is told with its path."""
    site.lay(files)
    with pytest.raises(OverlayError, match=message):
        await site.build()


async def test_unknown_macros_are_named_with_their_file(site: Site) -> None:
    """A macro without a value stops the build, in a file or in the service file."""
    site.macros.clear()
    with pytest.raises(UnknownMacroError, match=r"vupdate.toml: unknown macro %%port%%"):
        await site.build()
    site.lay({"vupdate.toml.defines": "port=1"})
    with pytest.raises(UnknownMacroError, match=r"config.toml: unknown macro %%port%%"):
        await site.build()


async def test_sites_can_t_give_vupdate_s_own_names(site: Site) -> None:
    """The version that a file shows is the true one."""
    site.macros["version"] = "acme-9"
    with pytest.raises(InvalidValueError, match="'version' can't be a site's macro"):
        await site.build()


async def test_a_broken_base_is_not_the_site_s_fault(site: Site) -> None:
    """Mistakes in the base's service file are told as such."""
    site.write("base", {"vupdate.toml": "[services.shop.run]\n"})
    with pytest.raises(ServiceFileError, match="'command' is missing"):
        await site.build()


async def test_equal_settings_have_one_digest(site: Site) -> None:
    """The overlay's digest is the same wherever the files lie, and another for any change to them."""
    overlay = site.lay({"settings.json": '{"b": 2}'})
    first = (await site.build("acme-1.0.0_1")).overlay
    assert (await site.build("acme-2.0.0_7")).overlay == first

    async def digest(*folders: Path, node: str = "globex", **macros: str) -> str:
        return await client_overlay(folders, node=NodeName(node), macros={**site.macros, **macros})

    copy = site.write("elsewhere", {"settings.json": '{"b": 2}'})
    assert await digest(overlay) == await digest(copy) == first
    others = [
        await digest(),
        await digest(copy, copy),
        await digest(copy, port="1"),
        await digest(copy, node="initech"),
    ]
    (copy / "settings.json").chmod(0o755)
    others.append(await digest(copy))
    (copy / "settings.json").write_text('{"b": 3}')
    others.append(await digest(copy))
    assert len({first, *others}) == len(others) + 1


async def test_nothing_changed_gives_the_same_image(site: Site) -> None:
    """A second build of the same is the same, bit by bit."""
    site.lay({"settings.json": '{"b": 2}', "config.toml": "x = 1\n"})
    assert (await site.build()).image.digest == (await site.build()).image.digest


async def test_what_git_keeps_is_no_overlay(site: Site) -> None:
    """An overlay may be a Git checkout."""
    overlay = site.lay({".git/config": "[core]\n"})
    assert not any(path.startswith(".git") for path in await site.files())
    (overlay / "link").symlink_to("/etc/passwd")
    with pytest.raises(OverlayError, match="link: an overlay holds plain files only"):
        await site.build()
