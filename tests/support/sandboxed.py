"""A node whose recipes are hostile: its folder with its keys, and builds in a sandbox by a shell script."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from build.bounds import Bounds
from build.confinement import Confinement
from build.developer import Built, DeveloperBuild, build_developer
from build.process import MARK
from build.source import SourceRequest
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from tests.support.git_repo import GitRepo

SECRET = "the node's own secret"


class Node:
    """A node's folder with its keys, and a repository whose commands are a shell script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        self.told_line: Callable[[str], None] = self.log.append
        self.confinement = Confinement(sandbox=True)
        (folder / "keys").mkdir()
        (folder / "keys/node.pem").write_text(SECRET)
        self.repo = GitRepo(folder / "repo")
        self.repo.write("run", "#!/bin/sh\n", executable=True)

    async def build(
        self, script: str, *, bounds: Bounds | None = None, network: bool = False, seconds: int = 30
    ) -> Built:
        """Build a version by ``script``; what it leaves in ``out`` becomes the image."""
        words = json.dumps(["sh", "-c", f"mkdir -p out; cp run out; {script}"])
        self.repo.write(
            "vupdate.toml",
            f'[services.shop.run]\ncommand = ["./run"]\n[services.shop.build]\n'
            f'commands = [ {{ run = {words}, timeout = "{seconds}s" }} ]\ncopy = [ {{ from = "out" }} ]\n'
            f"network = {str(network).lower()}\n",
        )
        self.repo.commit()
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        request = DeveloperBuild(
            service=ServiceName("shop"),
            version=DeveloperVersion("acme-1.0.0"),
            sources=(SourceRequest(name="shop", url=self.repo.url),),
            work=self.folder / "work",
            cache=self.folder / "cache",
            confinement=replace(self.confinement, bounds=bounds or Bounds()),
        )
        return await build_developer(request, self.told_line)

    async def told(self, script: str, **options: bool) -> str:
        """What ``script`` wrote into the image's file ``told``."""
        await self.build(f"( {script} ) > out/told 2>&1; true", **options)  # type: ignore[arg-type]
        return (self.folder / "work/tree/told").read_text()

    def processes(self) -> list[str]:
        """The command lines of all processes that work below this folder or came from its sandbox."""
        found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return [line for line in found.splitlines() if "hostile-" in line or str(self.folder) in line]

    def marked(self) -> list[int]:
        """The processes, in the sandbox or beside it, whose environment names this folder."""
        found, name = [], str(self.folder).encode()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and MARK.encode() + b"=" + name in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found
