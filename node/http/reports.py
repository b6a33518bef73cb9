"""What linked consumers send up: states, tested marks, fault reports, counts; and how their link stands or ends.

Each is answered only once it is durable. The caller is known by its signature, and none of these names another.
"""

from quart import Response

from federation import codec
from federation.fault import FaultReport
from federation.link.messages import LinkEnd
from federation.link.rights import Right
from federation.report import CountsReport, StateReport, TestedReport
from node.http.peers import envelope_response, json_response
from node.http.route import Access, Call, Route
from node.usecases import Usecases


class ReportRoutes:
    """The routes that go upward under ``/federation/v1``, and those of the link itself."""

    def __init__(self, usecases: Usecases) -> None:
        self._use = usecases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        base = "/federation/v1"
        consumer, states, faults = Access.CONSUMER, Right.STATES, Right.FAULTS
        return (
            Route(method="GET", rule=f"{base}/link", access=consumer, handle=self.link_state),
            Route(method="POST", rule=f"{base}/link/end", access=consumer, handle=self.end),
            Route(method="POST", rule=f"{base}/reports", access=consumer, handle=self.states, right=states),
            Route(method="POST", rule=f"{base}/tested", access=consumer, handle=self.tested, right=states),
            Route(method="POST", rule=f"{base}/faults", access=consumer, handle=self.fault, right=faults),
            Route(method="POST", rule=f"{base}/counts", access=consumer, handle=self.counts, right=faults),
        )

    async def link_state(self, call: Call) -> Response:
        """How the caller's link stands, as a signed statement."""
        await self._use.links.seen(call.consumer.name)
        return envelope_response(await self._use.links.link_state(call.consumer))

    async def end(self, call: Call) -> Response:
        """The caller ends its link."""
        await self._use.links.end(call.consumer, codec.decode(call.body, LinkEnd))
        return Response(status=204)

    async def states(self, call: Call) -> Response:
        """Take the states of the caller's instances."""
        report = codec.decode(call.body, StateReport)
        return json_response(await self._use.received.take_states(call.consumer, report))

    async def tested(self, call: Call) -> Response:
        """Take a tested mark."""
        report = codec.decode(call.body, TestedReport)
        return json_response(await self._use.received.take_mark(call.consumer, report))

    async def fault(self, call: Call) -> Response:
        """Take a fault report."""
        report = codec.decode(call.body, FaultReport)
        return json_response(await self._use.faults.from_consumer(call.consumer, report))

    async def counts(self, call: Call) -> Response:
        """Take the numbers of what the caller did not send whole."""
        report = codec.decode(call.body, CountsReport)
        return json_response(await self._use.received.take_counts(call.consumer, report))
