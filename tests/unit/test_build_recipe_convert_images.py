"""Images that converted recipes build: each file where the earlier system put it, with what it had in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from build.developer import DeveloperBuild, build_developer
from build.earlier import convert
from build.earlier.copies import Sort
from build.source import SourceRequest
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from tests.support.git_repo import GitRepo

FILES = {
    "bin/start.sh": "#!/bin/sh\n",
    "conf/a.conf": "port = %%port%%\nv = %%v%%\nrole = %%role%%\n",
    "conf/sub/b.conf": "%%po.t%%\n",
    "lib/core/x": "x",
    "lib/skip": "no",
    "lib/core/skip": "yes",
    "odd [1]/n*": "odd",
}
MAKE = {
    "command": "sh",
    "args": ["-c", 'mkdir out && echo "$V" > out/app-$1.txt && echo made', "sh", "%%version%%"],
    "env": {"V": "it's %%version%%"},
    "exitCode": 0,
    "outputMatch": "made\n",
}


def copy(source: str, destination: str, **more: object) -> dict[str, Any]:
    return {"sourceFile": source, "destinationFile": destination, **more}


async def image(tmp_path: Path, *copies: dict[str, Any], seen: bool = False) -> dict[str, str]:
    """The files of what is built from the sources above; ``seen``: whether the converter may look at them."""
    repo = GitRepo(tmp_path / "shop")
    for path, content in FILES.items():
        repo.write(path, content, executable=path.endswith(".sh"))
    other = GitRepo(tmp_path / "other")
    other.write("part", "a part")
    other.commit()
    old = {"service": "shop", "build": {"buildCommands": [MAKE], "copyFiles": list(copies)}}

    def look(path: str) -> Sort | None:
        place = repo.folder / path
        return None if not seen or not place.exists() else "folder" if place.is_dir() else "file"

    repo.write("vupdate.toml", convert(json.dumps({"update": [old]}).encode(), look).text)
    repo.commit()
    request = DeveloperBuild(
        service=ServiceName("shop"),
        version=DeveloperVersion("acme-1.4.2"),
        sources=tuple(SourceRequest(name=one.folder.name, url=one.url) for one in (repo, other)),
        work=tmp_path / "work",
        cache=tmp_path / "cache",
        host={"PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    built = await build_developer(request, lambda _: None)
    found = {str(path.relative_to(built.tree)): path for path in built.tree.rglob("*") if path.is_file()}
    assert (found.pop("vupdate.toml").stat().st_mode & 0o777) == 0o644
    assert all(path.stat().st_mode & 0o111 for name, path in found.items() if name.endswith(".sh"))
    return {name: path.read_text() for name, path in found.items()}


@pytest.mark.parametrize("seen", [False, True])
async def test_files_and_folders_land_under_their_new_paths(tmp_path: Path, seen: bool) -> None:
    """A rename, a move and a copy under the same name are right for files and folders, seen beforehand or not."""
    found = await image(
        tmp_path,
        copy("bin/start.sh", "run.sh"),
        copy("bin/start.sh", "tools/start.sh"),
        copy("bin", "programs"),
        copy("lib/core", "jars/core"),
        copy("lib/core/x", "y/z"),
        copy("out/app-%%version%%.txt", "app/%%version%%/app.txt"),
        copy("odd [1]/n*", "plain"),
        copy("../other/part", "part"),
        seen=seen,
    )
    assert found == {
        "run.sh": "#!/bin/sh\n",
        "tools/start.sh": "#!/bin/sh\n",
        "programs/start.sh": "#!/bin/sh\n",
        "jars/core/x": "x",
        "jars/core/skip": "yes",
        "y/z": "x",
        "app/acme-1.4.2/app.txt": "it's acme-1.4.2\n",
        "plain": "odd",
        "part": "a part",
    }


async def test_settings_are_filled_in_while_building(tmp_path: Path) -> None:
    """Only in the copy that they belong to, and only the macros that they name; the files' other text stays."""
    settings = {"port": r"80&/\1", "v": "of %%version%%", "po.t": "dot"}
    found = await image(
        tmp_path,
        copy("conf", ".", settings=settings),
        copy("conf/a.conf", "raw.conf"),
        copy("conf", "etc", settings={"port": "1\n2"}, **{"except": ["sub"]}),
    )
    assert found == {
        "a.conf": "port = 80&/\\1\nv = of acme-1.4.2\nrole = %%role%%\n",
        "sub/b.conf": "dot\n",
        "raw.conf": FILES["conf/a.conf"],
        "etc/a.conf": "port = 1\n2\nv = %%v%%\nrole = %%role%%\n",
    }


async def test_what_was_left_out_is_left_out(tmp_path: Path) -> None:
    """A name is left out at the top alone where a copy is put aside, and no copy put aside is in the image."""
    found = await image(
        tmp_path,
        copy("lib", "l", settings={"a": "b"}, **{"except": ["skip"]}),
        copy(".", "all", settings={"port": "1"}, **{"except": ["odd [1]/n*", "lib/skip", "vupdate.toml"]}),
        copy(
            ".", "raw", **{"except": ["conf/a.conf", "out", "lib/core", "bin/start.sh", "odd [1]/n*", "vupdate.toml"]}
        ),
    )
    assert found == {
        "l/core/x": "x",
        "l/core/skip": "yes",
        "all/bin/start.sh": "#!/bin/sh\n",
        "all/conf/a.conf": FILES["conf/a.conf"].replace("%%port%%", "1"),
        "all/conf/sub/b.conf": "%%po.t%%\n",
        "all/lib/core/x": "x",
        "all/lib/core/skip": "yes",
        "all/out/app-acme-1.4.2.txt": "it's acme-1.4.2\n",
        "raw/conf/sub/b.conf": "%%po.t%%\n",
        "raw/lib/skip": "no",
    }


async def test_an_image_of_nothing_stays_one(tmp_path: Path) -> None:
    """Without files to copy the image holds the service file alone."""
    assert await image(tmp_path) == {}
