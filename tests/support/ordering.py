"""A node that wants a service built, and the providers that it may ask for that."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from federation.link.builds import BuildOrder, OrderedSource
from federation.link.rights import USUAL_RIGHTS, Right
from federation.names import NodeName, ServiceName
from federation.versions import DeveloperVersion
from node.model.orders import Asker, Load
from node.model.task import Task
from node.model.version import DevelopedService, GitSource
from tests.support.git_repo import GitRepo
from tests.support.nodes import Member, Network

WHO = "ann"
SHOP = ServiceName("shop")
GLOBEX = NodeName("globex")
IDLE = Load(load=0.1, cpus=2, free_memory_bytes=1 << 34, free_disk_bytes=1 << 40)
BUSY = replace(IDLE, load=99.0)
RECIPE = """
[services.shop.run]
command = ["./shop"]
[services.shop.build]
commands = [ { run = ["sh", "-c", "%s"] } ]
copy = [ { from = "shop" } ]
"""


class Scene:
    """globex wants shop built; ``builders`` are its providers, who were granted nothing but that."""

    def __init__(self, folder: Path, network: Network, globex: Member, builders: list[Member]) -> None:
        self.folder = folder
        self.network = network
        self.globex = globex
        self.builders = builders
        self.repo = GitRepo(folder / "repo")
        self.write("echo building; cp vupdate.toml shop; chmod +x shop")

    def write(self, script: str) -> None:
        """Have the recipe's one command be ``script``."""
        self.repo.write("vupdate.toml", RECIPE % script)
        self.repo.commit()

    async def build(self, *on: str) -> Task:
        """A task of globex that has shop built by ``on``, or by anybody."""
        names = tuple(map(NodeName, on))
        return await self.globex.use.builds.start(SHOP, version=None, comment="", on=names, who=WHO)

    async def built(self, *on: str) -> Task:
        return await self.globex.use.tasks.wait((await self.build(*on)).id)

    def order(self, *, credentials: bool = False) -> BuildOrder:
        """An order of globex for its shop, as a builder receives it."""
        source = OrderedSource(name="shop", url=self.repo.url)
        return BuildOrder(
            id="0" * 32,
            service=SHOP,
            version=DeveloperVersion("globex-1.0.0"),
            sources=(source,),
            credentials=credentials,
        )

    async def log(self, task: Task) -> str:
        return "\n".join(one.message for one in await self.globex.use.tasks.log(task.id, 0, 500))

    def leftovers(self) -> list[Path]:
        """What orders left in the builders' folders."""
        return [
            path for one in self.builders for path in (one.folder / "work/peers").glob("*/*") if path.name != "cache"
        ]


async def scene(folder: Path, *names: str, most: int = 1, sources: str = "") -> Scene:
    """``sources``: how addresses that the builders fetch from begin; those of local repositories unless given."""
    network = Network(folder)
    globex = network.add("globex")
    builders = []
    for name in names:
        network.add(name)
        with (folder / name / "config.toml").open("a") as config:
            config.write(f"[build]\npeers = {most}\npeers_without_sandbox = true\n")
            config.write(f'peers_sources = ["{sources or f"{folder}/"}"]\n')
        member = network.restart(name)
        await member.share("public", "nothing")
        await network.link(member, globex, "public")
        await member.use.links.set_rights(GLOBEX, USUAL_RIGHTS | {Right.BUILDS}, who=WHO)
        member.use.workshop._load = lambda _: IDLE
        builders.append(member)
    found = Scene(folder, network, globex, builders)
    await globex.use.services.add(
        DevelopedService(name=SHOP, sources=(GitSource(name="shop", url=found.repo.url),)), who=WHO
    )
    return found


async def asker(builder: Member, name: str) -> Asker:
    """The consumer ``name`` of ``builder`` as one that orders builds."""
    found = await builder.use.links.consumer(NodeName(name))
    return Asker(id=found.id, name=found.name)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)
