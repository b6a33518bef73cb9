"""The steps of the demo, in order. Each checks what it claims; nothing on the way is arranged for it.

After the nodes are linked nobody touches globex or initech any more: what happens there happens by itself.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from node.cli.demo import queries
from node.cli.demo.api import Data, NodeApi, StepError
from node.cli.demo.material import Guestbook, Settings, examples_folder
from node.cli.demo.processes import Processes, free_ports
from node.cli.demo.screen import Screen

SERVICE: Final = "guestbook"
PROFILE: Final = "public-services"
_SOON: Final = 30.0
_BUILD: Final = 240.0
_LOG_LINES_SHOWN: Final = 12


@dataclass(slots=True)
class Site:
    """One node of the chain. ``service_port``: where its guestbook answers; 0 when it runs none.

    ``title``: what its settings make of the guestbook's title.
    """

    name: str
    data: Path
    port: int
    service_port: int = 0
    title: str = ""
    api: NodeApi = field(init=False)

    @property
    def service_url(self) -> str:
        """Where people reach this site's guestbook."""
        return f"http://127.0.0.1:{self.service_port}"


@dataclass(slots=True)
class Rollout:
    """One release on its way: when it became desired at acme, in seconds of a clock that only goes forward.

    ``arrived``: when each site had settled on it, or on the way back from it; ``moved``: what its agent received.
    """

    version: str
    started: float
    arrived: dict[str, float] = field(default_factory=dict)
    moved: dict[str, Data] = field(default_factory=dict)


class Story:
    """The demo's steps over one set of processes."""

    def __init__(self, folder: Path, processes: Processes, session: aiohttp.ClientSession, screen: Screen) -> None:
        self._folder = folder
        self._processes = processes
        self._session = session
        self._screen = screen
        ports = free_ports(5)
        self.acme = Site("acme", folder / "acme", ports[0])
        self.globex = Site("globex", folder / "globex", ports[1], ports[3])
        self.initech = Site("initech", folder / "initech", ports[2], ports[4])
        self.rollouts: list[Rollout] = []
        self.faults: list[Data] = []
        self._guestbook = Guestbook(folder / "sources" / SERVICE, examples_folder())

    @property
    def sites(self) -> tuple[Site, Site, Site]:
        """The chain, from the developer down."""
        return (self.acme, self.globex, self.initech)

    @property
    def consumers(self) -> tuple[Site, Site]:
        """The two that run the service."""
        return (self.globex, self.initech)

    # Step 1.

    async def make_nodes(self) -> None:
        """Three nodes, started and linked in a chain, with their settings and agents."""
        for site in self.sites:
            self._screen.command(f"vupdate init --name {site.name}  &&  vupdate serve")
            await self._start_node(site)
        await self.acme.api.ask(queries.SET_PROFILE, name=PROFILE, services=[SERVICE])
        await self.globex.api.ask(queries.SET_PROFILE, name=PROFILE, services=[SERVICE])
        for provider, consumer in ((self.acme, self.globex), (self.globex, self.initech)):
            await self._link(provider, consumer)
        for site in self.consumers:
            await self._adapt(site)
            await self._attach_agent(site)

    async def _start_node(self, site: Site) -> None:
        data = ("--data", str(site.data))
        await self._processes.run("init", "--name", site.name, "--port", str(site.port), *data)
        await self._processes.start(site.name, "serve", "--json", *data)
        site.api = NodeApi.of(self._session, site.name, site.data)
        node = (await site.api.ask(queries.NODE))["node"]
        self._screen.seen(f"{site.name} answers at {node['url']}, id {node['id'][:15]}…")

    async def _link(self, provider: Site, consumer: Site) -> None:
        self._screen.command(
            f"vupdate invite {PROFILE} (at {provider.name})  |  vupdate provider add (at {consumer.name})"
        )
        invitation = (await provider.api.ask(queries.INVITE, profile=PROFILE))["createInvitation"]["text"]
        await consumer.api.ask(queries.ACCEPT, text=invitation)
        await consumer.api.until(
            f"{consumer.name} follows {provider.name}",
            queries.PROVIDERS,
            lambda data: any(one["name"] == provider.name and one["connected"] for one in data["providers"]),
            within=_SOON,
        )
        self._screen.seen(f"{consumer.name} takes {PROFILE} from {provider.name}")

    async def _adapt(self, site: Site) -> None:
        folder = self._folder / "sources" / f"{site.name}-settings"
        site.title = Settings(folder, examples_folder(), site=site.name, port=site.service_port).title
        overlay = {"name": "settings", "url": str(folder), "directory": SERVICE}
        await site.api.ask(queries.SET_SITE, service=SERVICE, overlays=[overlay])

    async def _attach_agent(self, site: Site) -> None:
        self._screen.command(f"vupdate agent enrolment {site.name}-1  |  vupdate agent enrol  &&  vupdate agent run")
        instance, home = f"{site.name}-1", str(self._folder / f"{site.name}-agent")
        self._processes.homes.append(home)
        enrolment = (await site.api.ask(queries.ENROLMENT, instance=instance))["createEnrolment"]["text"]
        await self._processes.run("agent", "enrol", "--home", home, given=enrolment)
        await self._processes.start(f"{site.name}-agent", "agent", "run", "--json", "--home", home)
        await site.api.until(
            f"agent {instance} is attached",
            queries.INSTANCES,
            lambda data: any(one["name"] == instance and one["connected"] for one in data["instances"]),
            within=_SOON,
        )
        self._screen.seen(f"agent {instance} is attached to {site.name}")

    # Steps 2, 4 and 5.

    async def first_build(self) -> None:
        """Acme builds the first version from Git."""
        self._screen.command(f"vupdate service add {SERVICE} {self._guestbook.folder}")
        source = {"name": SERVICE, "url": str(self._guestbook.folder)}
        await self.acme.api.ask(queries.ADD_SERVICE, name=SERVICE, sources=[source])
        await self._build("acme-1.0.0")

    async def release(self, number: str, message: str) -> None:
        """Acme commits and builds the next version."""
        self._guestbook.release(number, message)
        self._screen.command(f'git commit -m "{message}"')
        await self._build(f"acme-{number}")

    async def _build(self, version: str) -> None:
        self._screen.command(f"vupdate build {SERVICE}")
        task = (await self.acme.api.ask(queries.BUILD, service=SERVICE))["build"]["id"]
        data = await self.acme.api.until(
            f"the build of {version}",
            queries.TASK,
            lambda data: data["task"]["state"] not in ("QUEUED", "RUNNING"),
            within=_BUILD,
            id=task,
        )
        self.rollouts.append(Rollout(version, time.monotonic()))
        if data["task"]["state"] != "SUCCEEDED" or data["task"]["result"] != version:
            raise StepError(await self._build_failure(version, task))
        made = (await self.acme.api.ask(queries.VERSIONS, kind="DEVELOPER", service=SERVICE))["versions"][0]
        if made["sources"][0]["commit"] != self._guestbook.commit:
            raise StepError(f"{version} was built from {made['sources'][0]['commit']}, not from the newest commit")
        self._screen.seen(
            f"{version}: built from commit {self._guestbook.commit[:12]}, {made['entries']} files, "
            f"{int(made['sizeBytes']):,} bytes, signed by {made['makerId'][:7]}…, desired"
        )

    async def _build_failure(self, version: str, task: str) -> str:
        lines = [one["message"] for one in (await self.acme.api.ask(queries.TASK_LOG, id=task))["taskLog"]]
        return f"the build of {version} failed; the end of its log:\n  " + "\n  ".join(lines[-_LOG_LINES_SHOWN:])

    # Steps 3 and 5.

    async def arrives_everywhere(self, version: str) -> None:
        """Both consumers run ``version``, signed by acme, adapted to their sites."""
        for site in self.consumers:
            await self._runs(site, version)
            await self._signed_by_acme(site, version)
            await self._answers(site, version)

    async def _runs(self, site: Site, version: str) -> None:
        def met(data: Data) -> bool:
            state = _guestbook_state(data)
            return bool(state) and state["committed"] == version and state["phase"] == "RUNNING"

        data = await site.api.until(f"{site.name} runs {version}", queries.INSTANCES, met, within=_SOON)
        self._settled(site, _guestbook_state(data))

    def _settled(self, site: Site, state: Data) -> None:
        rollout = self.rollouts[-1]
        rollout.arrived[site.name] = time.monotonic()
        if state["moved"] and state["moved"]["version"] == rollout.version:
            rollout.moved[site.name] = state["moved"]

    async def _signed_by_acme(self, site: Site, version: str) -> None:
        acme = (await self.acme.api.ask(queries.NODE))["node"]["id"]
        found = (await site.api.ask(queries.VERSIONS, kind="DEVELOPER", service=SERVICE))["versions"]
        made = next((one for one in found if one["version"] == version), None)
        if made is None or made["makerId"] != acme:
            raise StepError(f"{site.name} holds no {version} signed by acme's key")
        self._screen.seen(f"{site.name} got {version} from {made['receivedFrom']}; acme's signature verified there")

    async def _answers(self, site: Site, version: str) -> None:
        """The running service itself says its title and version."""
        told = await self._service_version(site)
        if (told.get("title"), told.get("version")) != (site.title, version):
            raise StepError(f"the guestbook of {site.name} says {told}, not {site.title!r} and {version}")
        self._screen.seen(f"{site.service_url} answers: “{told['title']}”, {told['version']}")

    async def _service_version(self, site: Site) -> dict[str, Any]:
        url = f"{site.service_url}/api/version"
        try:
            async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                told: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StepError(f"{url} does not answer: {error}") from error
        return told

    # Step 4.

    async def fails_and_is_put_back(self, bad: str, good: str) -> None:
        """Both agents see ``bad`` fail in probation and put ``good`` back; both reports arrive at acme."""
        for site in self.consumers:
            await self._put_back(site, bad, good)
            await self._answers(site, good)
        await self._reports_arrived(bad)

    async def _put_back(self, site: Site, bad: str, good: str) -> None:
        def met(data: Data) -> bool:
            state = _guestbook_state(data)
            return bool(state) and state["failed"] == bad and state["running"] == good and state["phase"] == "RUNNING"

        data = await site.api.until(f"{site.name} puts {good} back", queries.INSTANCES, met, within=_SOON)
        state = _guestbook_state(data)
        self._settled(site, state)
        self._screen.seen(f"{site.name} put {good} back: {state['error']}")

    async def _reports_arrived(self, bad: str) -> None:
        wanted = {("globex", "acme"), ("initech", "globex", "acme")}

        def met(data: Data) -> bool:
            return wanted <= {_path(fault) for fault in data["faults"] if fault["version"] == bad}

        data = await self.acme.api.until("both fault reports at acme", queries.FAULTS, met, within=_SOON)
        self.faults = [fault for fault in data["faults"] if fault["version"] == bad]
        for fault in self.faults:
            self._screen.seen(
                f"fault report of {fault['instance']} came by {' → '.join(_path(fault))}: {fault['message']}"
            )


def _guestbook_state(data: Data) -> Data:
    for instance in data["instances"]:
        for state in instance["states"]:
            if state["service"] == SERVICE:
                found: Data = state
                return found
    return {}


def _path(fault: Data) -> tuple[str, ...]:
    return tuple(hop["node"] for hop in fault["path"])


@asynccontextmanager
async def story(folder: Path, screen: Screen) -> AsyncIterator[Story]:
    """A story whose processes end with the block."""
    processes = Processes(folder / "logs")
    async with processes.all_stopped(), aiohttp.ClientSession() as session:
        yield Story(folder, processes, session, screen)
