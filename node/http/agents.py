"""What enrolled agents may ask beside packs: their assignment and its manifests; and what they report."""

from quart import Response

from federation import codec
from federation.digest import Digest
from federation.fault import FaultReport
from federation.link.events import Event
from federation.link.messages import Enrol, LogsTaken
from federation.log import LogBatch
from federation.run import RunHistory
from federation.state import InstanceState
from node.http.peers import envelope_response, json_response
from node.http.route import Access, Call, Route
from node.http.streams import Feed, event_stream
from node.usecases import Usecases
from node.usecases.changes import Topic


class AgentRoutes:
    """The routes under ``/agent/v1``."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        base = "/agent/v1"
        agent = Access.AGENT
        return (
            Route(method="POST", rule=f"{base}/enrol", access=Access.NEWCOMER, handle=self.enrol),
            Route(method="GET", rule=f"{base}/assignment", access=agent, handle=self.assignment),
            Route(method="GET", rule=f"{base}/manifests/<digest>", access=agent, handle=self.manifest),
            Route(method="GET", rule=f"{base}/events", access=agent, handle=self.events),
            Route(method="POST", rule=f"{base}/state", access=agent, handle=self.state),
            Route(method="POST", rule=f"{base}/logs", access=agent, handle=self.logs),
            Route(method="POST", rule=f"{base}/runs", access=agent, handle=self.runs),
            Route(method="POST", rule=f"{base}/faults", access=agent, handle=self.fault),
            Route(method="POST", rule=f"{base}/faults/<fault>/files", access=agent, handle=self.fault_files),
        )

    async def enrol(self, call: Call) -> Response:
        """Attach an agent."""
        return envelope_response(await self._use.instances.enrol(codec.decode(call.body, Enrol)))

    async def assignment(self, call: Call) -> Response:
        """What the caller is to run."""
        return envelope_response(await self._use.instances.assignment(call.agent.name))

    async def manifest(self, call: Call) -> Response:
        """One manifest of what the caller is to run."""
        digest = Digest(call.path["digest"])
        return envelope_response(await self._use.instances.manifest(call.agent.name, digest))

    async def state(self, call: Call) -> Response:
        """Take the state of all services of the caller."""
        await self._use.instances.report(call.agent.name, codec.decode(call.body, InstanceState))
        return Response(b"", 204)

    async def logs(self, call: Call) -> Response:
        """Take a batch of log records; what is acknowledged is durable."""
        through = await self._use.logs.ingest(call.agent.name, codec.decode(call.body, LogBatch))
        return json_response(LogsTaken(through=through))

    async def runs(self, call: Call) -> Response:
        """Take how the runs of one service of the caller went."""
        await self._use.runs.report(call.agent.name, codec.decode(call.body, RunHistory))
        return Response(b"", 204)

    async def fault(self, call: Call) -> Response:
        """Take a fault report."""
        report = codec.decode(call.body, FaultReport)
        return json_response(await self._use.faults.from_agent(call.agent.name, report))

    async def fault_files(self, call: Call) -> Response:
        """Take the packed files of a fault report of the caller."""
        await self._use.fault_files.take(call.agent.name, call.path["fault"], call.body)
        return Response(b"", 204)

    async def events(self, call: Call) -> Response:
        """Tell of each change of the client versions that are desired."""
        agent = call.agent

        async def newest() -> Event:
            revision, told = await self._use.instances.mark(agent.name)
            return Event(id=f"{revision} {told}", name="assignment", data=f'{{"revision":{revision}}}')

        async def allowed() -> bool:
            return await self._use.instances.of_id(agent.id) is not None

        feed = Feed(
            topics=frozenset({Topic.DESIRED}),
            newest=newest,
            allowed=allowed,
            presence=lambda: self._use.presence.connected(agent.id, Topic.INSTANCES, agent.name),
        )
        return event_stream(self._use.changes, feed)
