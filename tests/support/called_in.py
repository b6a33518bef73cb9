"""A node that wants a service built, and consumers of it that run builds for it: they call in, nobody dials them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from federation.names import NodeName
from node.model.version import DevelopedService, GitSource
from node.usecases.builder_lines import NotCallingError
from tests.support.nodes import Member, Network
from tests.support.ordering import GLOBEX, IDLE, SHOP, WHO, Scene


async def called_in(folder: Path, *names: str, switched_on: bool = True) -> Scene:
    """globex wants shop built; the builders ``names`` are its consumers, which it can't reach."""
    network = Network(folder)
    globex = network.add("globex")
    await globex.share("public", "nothing")
    builders = []
    for name in names:
        network.add(name)
        with (folder / name / "config.toml").open("a") as config:
            config.write(f'[build]\npeers = 1\npeers_without_sandbox = true\npeers_sources = ["{folder}/"]\n')
        member = network.restart(name)
        await network.link(globex, member, "public")
        await member.use.links.set_builds(GLOBEX, switched_on, who=WHO)
        member.use.workshop._load = lambda _: IDLE
        builders.append(member)
    found = Scene(folder, network, globex, builders)
    source = GitSource(name="shop", url=found.repo.url)
    await globex.use.services.add(DevelopedService(name=SHOP, sources=(source,)), who=WHO)
    return found


@contextlib.asynccontextmanager
async def at_work(*builders: Member) -> AsyncIterator[None]:
    """The builders call in while the block runs."""
    loops = []
    async with asyncio.TaskGroup() as group:
        loops = [group.create_task(one.use.calling_in.run()) for one in builders]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            for one in builders:
                one.use.calling_in._shifts.clear()


async def calls(globex: Member, name: str) -> None:
    """Wait until the consumer ``name`` has called in at ``globex``."""
    consumer = await globex.use.links.consumer(NodeName(name))
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(NotCallingError):
                globex.use.callers.state(consumer)
                return
            await asyncio.sleep(0.01)
