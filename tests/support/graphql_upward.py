"""Values of the way up, for tests of the API: a consumer's reports, an outbox entry, a letter."""

from federation import outbox
from federation.digest import Digest
from federation.names import InstanceName, NodeName, ServiceKey, ServiceName
from federation.report import Count, CountsReport, Installed, ReportedInstance, ReportedState, StateReport, TestedReport
from federation.state import Phase
from federation.versions import ClientVersion, DeveloperVersion
from node.model.report import ReceivedCounts, ReceivedMark, ReceivedStates, SentLetter
from tests.support.graphql_values import NOW

GLOBEX = NodeName("globex")
INSTALLED = Installed(service=ServiceName("guestbook"), version=DeveloperVersion("acme-1.0.0"))


def received_states() -> ReceivedStates:
    state = ReportedState(
        key=ServiceKey("guestbook"),
        phase=Phase.RUNNING,
        since=NOW,
        running=ClientVersion("acme-1.0.0_1"),
        error="slow \x1b[2J",
    )
    instance = ReportedInstance(name=InstanceName("instance-0a1b"), at=NOW, services=(state,))
    report = StateReport(sequence=7, at=NOW, installed=(INSTALLED,), instances=(instance,), left_out=2)
    return ReceivedStates(consumer=GLOBEX, received=NOW, report=report)


def received_counts() -> ReceivedCounts:
    count = Count(kind="fault", service="guestbook", version="acme-1.0.0", why="budget", count=12, first=NOW, last=NOW)
    return ReceivedCounts(consumer=GLOBEX, received=NOW, report=CountsReport(sequence=7, at=NOW, counts=(count,)))


def received_mark() -> ReceivedMark:
    report = TestedReport(id="6f1c1c1e-3a57-4a3e-9f37-0d0a86a7f0aa", at=NOW, versions=(INSTALLED,), comment="all well")
    return ReceivedMark(consumer=GLOBEX, received=NOW, report=report)


def outbox_entry() -> outbox.Entry:
    return outbox.queued(
        receiver=NodeName("acme"),
        sequence=7,
        kind="fault",
        subject="f",
        now=NOW,
        size_bytes=1000,
        service="guestbook",
        version="acme-1.0.0",
    )


def sent_letter() -> SentLetter:
    body = b'{"sequence":7}'
    return SentLetter(
        entry="acme/states/states",
        path="/federation/v1/reports",
        digest=Digest.of(body),
        size_bytes=len(body),
        at=NOW,
        body=body,
    )
