"""What a whole build costs over its commands alone: ``python -m tests.bench.builds [runs]``; 7 unless given.

Each round makes a small C program by ``make``: by hand in a plain folder, by hand from a fresh clone, and by a build as
a node does it, sandboxed and as plain processes: sources, recipe, commands, copy rules, image. The ratio counts, of the
medians of one run. A second project whose command does nothing shows the fixed cost.
"""

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from build.confinement import Confinement
from build.developer import DeveloperBuild, build_developer
from build.sandbox import unavailable
from build.source import SourceRequest
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from tests.support.git_repo import GitRepo

SHOP: Final = ServiceName("shop")
_PARTS: Final = 8
_FUNCTIONS: Final = 15
_MAKEFILE: Final = """OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
shop: $(OBJECTS)
\tgcc -o $@ $(OBJECTS)
%.o: %.c
\tgcc -O2 -c -o $@ $<
"""
_RECIPE: Final = """[services.shop.build]
commands = [ {{ run = [{words}] }} ]
copy = [ {{ from = "shop" }} ]
[services.shop.run]
command = ["./shop"]
"""


@dataclass(frozen=True)
class Project:
    """A project in a repository. ``command``: what its recipe runs."""

    name: str
    repo: GitRepo
    command: tuple[str, ...]


def _part(number: int) -> str:
    loop = "int s = 0; for (int i = 0; i < a; i++) s += i % (b + {});  return s ^ b;"
    return "\n".join(f"int f{number}_{one}(int a, int b) {{ {loop.format(one + 1)} }}" for one in range(_FUNCTIONS))


def _project(folder: Path, name: str, command: tuple[str, ...]) -> Project:
    repo = GitRepo(folder / name)
    repo.write("vupdate.toml", _RECIPE.format(words=", ".join(f'"{word}"' for word in command)))
    repo.write("Makefile", _MAKEFILE)
    repo.write("main.c", "int f0_0(int a, int b);\nint main(void) { return f0_0(1, 2) == 99; }\n")
    for number in range(_PARTS):
        repo.write(f"part{number}.c", _part(number))
    if command[0] == "true":
        repo.write("shop", "#!/bin/sh\n", executable=True)
    repo.commit()
    return Project(name, repo, command)


def _run(words: tuple[str, ...], folder: Path) -> None:
    subprocess.run(words, cwd=folder, check=True, stdout=subprocess.DEVNULL)


async def _plain(project: Project, folder: Path) -> None:
    _run(project.command, folder / "plain")


async def _cloned(project: Project, folder: Path) -> None:
    _run(("git", "clone", "--quiet", project.repo.url, str(folder / "clone")), folder)
    _run(project.command, folder / "clone")


async def _built(project: Project, folder: Path, *, cache: Path, sandbox: bool) -> None:
    request = DeveloperBuild(
        service=SHOP,
        version=DeveloperVersion("acme-1.0.0"),
        sources=(SourceRequest(name="shop", url=project.repo.url),),
        work=folder / "work",
        cache=cache,
        confinement=Confinement(sandbox=sandbox),
    )
    await build_developer(request, lambda _line: None)


async def _taken(work: Callable[[Project, Path], Awaitable[None]], project: Project, folder: Path) -> float:
    folder.mkdir()
    shutil.copytree(project.repo.folder, folder / "plain")
    start = time.perf_counter()
    await work(project, folder)
    seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    return seconds


async def measure(project: Project, folder: Path, runs: int) -> None:
    """Print the table of one project."""
    cache = folder / f"cache-{project.name}"
    ways: dict[str, Callable[[Project, Path], Awaitable[None]]] = {
        "by hand, plain folder": _plain,
        "by hand, fresh clone": _cloned,
        "build, processes": partial(_built, cache=cache, sandbox=False),
    }
    if why := await unavailable():
        print(f"no sandbox: {why}")
    else:
        ways["build, sandbox"] = partial(_built, cache=cache, sandbox=True)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, work in ways.items():
            found[name].append(await _taken(work, project, folder / "run"))
    medians = {name: statistics.median(each) for name, each in found.items()}
    hand = medians["by hand, plain folder"]
    print(f"{project.name}: {' '.join(project.command)}, median of {runs}")
    for name, seconds in medians.items():
        print(f"  {name:<26}{seconds:>8.3f} s{seconds - hand:>+9.3f} s{seconds / hand:>9.2f} ×")


async def main() -> None:
    runs = int(sys.argv[1]) if sys.argv[1:] else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await measure(_project(folder, "program", ("make",)), folder, runs)
        await measure(_project(folder, "nothing", ("true",)), folder, runs)


if __name__ == "__main__":
    asyncio.run(main())
