"""Real nodes and agents as processes, for end-to-end tests: started by the command line, asked by GraphQL."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from node.cli.demo import queries
from node.cli.demo.api import Data, NodeApi
from node.cli.demo.processes import Processes, free_ports
from tests.support.git_repo import GitRepo

SERVICE = "hello"
RECIPE = """
[services.hello.build]
copy = [ {{ from = "*.py" }}, {{ from = "greeting.txt" }} ]

[services.hello.run]
command = ["python3", "serve.py", "{port}"]
stop = {{ signal = "TERM", grace = "2s" }}
restart = {{ policy = "always", backoff = "100ms..1s" }}
[services.hello.run.health]
http = "http://127.0.0.1:{port}/"
interval = "100ms"
timeout = "1s"
healthy_for = "300ms"
deadline = "10s"
"""
SERVER = """
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(open("greeting.txt", "rb").read())

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Sources:
    """The Git repository of a tiny web service that says a greeting."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._repository = GitRepo(folder)
        (folder / "vupdate.toml").write_text(RECIPE.format(port=port))
        (folder / "serve.py").write_text(SERVER)

    def say(self, greeting: str) -> None:
        (self.folder / "greeting.txt").write_text(greeting)
        self._repository.commit(greeting)


class Stage:
    """Nodes and agents in a folder of their own."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession) -> None:
        self.folder = folder
        self.session = session
        (folder / "logs").mkdir(parents=True)
        self.processes = Processes(folder / "logs")
        self.ports = iter(free_ports(8))

    async def make_node(self, name: str, *options: str) -> NodeApi:
        """A new node, running; ``options``: more of those of ``vupdate init``."""
        await self.processes.run(
            "init", "--name", name, "--port", str(next(self.ports)), "--data", str(self.folder / name), *options
        )
        return await self.start_node(name)

    async def start_node(self, name: str) -> NodeApi:
        await self.processes.start(name, "serve", "--json", "--data", str(self.folder / name))
        return NodeApi.of(self.session, name, self.folder / name)

    async def kill(self, name: str) -> None:
        """End a process as a power cut would."""
        process = self.processes._running.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()

    async def attach_agent(self, api: NodeApi) -> None:
        text = (await api.ask(queries.ENROLMENT, instance=f"{api.name}-1"))["createEnrolment"]["text"]
        home = str(self.folder / f"{api.name}-agent")
        self.processes.homes.append(home)
        await self.processes.run("agent", "enrol", "--home", home, given=text)
        await self.processes.start(f"{api.name}-agent", "agent", "run", "--json", "--home", home)

    async def link(self, provider: NodeApi, consumer: NodeApi) -> None:
        await provider.ask(queries.SET_PROFILE, name="public", services=[SERVICE])
        text = (await provider.ask(queries.INVITE, profile="public"))["createInvitation"]["text"]
        await consumer.ask(queries.ACCEPT, text=text)

    async def build(self, api: NodeApi) -> str:
        task = (await api.ask(queries.BUILD, service=SERVICE))["build"]["id"]
        data = await api.until(
            "the build",
            queries.TASK,
            lambda data: data["task"]["state"] not in ("QUEUED", "RUNNING"),
            within=60,
            id=task,
        )
        assert data["task"]["state"] == "SUCCEEDED", data["task"]["error"]
        return str(data["task"]["result"])

    async def runs(self, api: NodeApi, version: str) -> Data:
        """The instances of a node once one runs ``version``, committed."""

        def met(data: Data) -> bool:
            states = [state for one in data["instances"] for state in one["states"]]
            return any(one["committed"] == version and one["phase"] == "RUNNING" for one in states)

        return await api.until(f"{version} runs", queries.INSTANCES, met, within=60)

    async def text_at(self, port: int) -> str:
        async with self.session.get(f"http://127.0.0.1:{port}/", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return await answer.text()


@contextlib.asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """A stage whose processes end with the block."""
    async with aiohttp.ClientSession() as session:
        made = Stage(folder, session)
        async with made.processes.all_stopped():
            yield made
