"""What waits on disk reaches the node: in order, at least once, and once where the node remembers numbers."""

import contextlib
import random
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.history import history_of, remember
from agent.home import Home, Unit
from agent.logs import kept_lines
from agent.recordfile import RecordFile
from agent.runrecord import End, Process, RunRecord
from agent.shimlog import LineLog
from agent.shipping import Shipper
from agent.spool import GaveWay, Sent, Spool
from federation import codec, limits
from federation.clock import SystemClock
from federation.errors import AbsentError, OversizedError, UnreachableError
from federation.link.answers import PeerError
from federation.log import LogBatch
from federation.names import ServiceKey
from federation.run import RunHistory
from federation.versions import ClientVersion
from tests.support.clock import FIXED_START, FakeClock

KEY = ServiceKey("web")


class Node:
    """Takes what it is sent, or fails as it is told to: before it took something, or after."""

    def __init__(self) -> None:
        self.batches: list[LogBatch] = []
        self.reports: list[bytes] = []
        self.histories: list[RunHistory] = []
        self.archives: list[tuple[str, bytes]] = []
        self.before: Exception | None = None
        self.files_fail: Exception | None = None
        self.after: Exception | None = None

    async def send_logs(self, batch: LogBatch) -> int:
        self._fail(self.before)
        self.batches.append(batch)
        self._fail(self.after)
        return batch.records[-1].sequence

    async def send_fault(self, report: bytes) -> str:
        self._fail(self.before)
        self.reports.append(report)
        return "id"

    async def send_fault_files(self, identity: str, archive: bytes) -> None:
        self._fail(self.files_fail)
        self.archives.append((identity, archive))

    async def send_runs(self, history: RunHistory) -> None:
        self._fail(self.before)
        self.histories.append(history)
        self._fail(self.after)

    @staticmethod
    def _fail(error: Exception | None) -> None:
        if error is not None:
            raise error

    @property
    def records(self) -> dict[tuple[str, int], str]:
        return {(batch.run, record.sequence): record.message for batch in self.batches for record in batch.records}


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Home(tmp_path).unit(KEY)


@pytest.fixture
def node() -> Node:
    return Node()


def shipper(tmp_path: Path, node: Node, clock: FakeClock | None = None) -> Shipper:
    """One that waits for no rest of a trace unless ``clock`` says that it is young."""
    later = FakeClock(SystemClock().now() + timedelta(hours=1))
    return Shipper(Spool(tmp_path / "spool"), node, random.Random(1), clock or later)


def log_of(unit: Unit, run: str) -> LineLog:
    (unit.logs / run).mkdir(parents=True, exist_ok=True)
    return LineLog(unit.logs / run, max_file_bytes=200_000, files=50)


async def test_lines_arrive_once_and_in_order(tmp_path: Path, unit: Unit, node: Node) -> None:
    """Batches of a run number their records without a gap, a new run begins at one."""
    one = log_of(unit, "00000001-a")
    one.feed(b"o", b"a\nb\nc")
    ship = shipper(tmp_path, node)
    assert await ship.ship_next([unit])
    assert not await ship.ship_next([unit])
    one.feed(b"o", b"c\n")
    one.end()
    two = log_of(unit, "00000002-b")
    two.feed(b"o", b"d\n")
    while await ship.ship_next([unit]):
        pass
    assert node.records == {
        ("00000001-a", 1): "a", ("00000001-a", 2): "b", ("00000001-a", 3): "cc", ("00000002-b", 1): "d",
    }  # fmt: skip
    assert len(node.batches) == 3


async def test_a_batch_that_is_sent_again_is_the_same(tmp_path: Path, unit: Unit, node: Node) -> None:
    """An answer that was lost, and an agent that died, lead to the same batch again, so the node can tell."""
    log = log_of(unit, "00000001-a")
    log.feed(b"o", b"Traceback (most recent call last):\n  a\n")
    node.after = UnreachableError("away")
    with pytest.raises(UnreachableError):
        await shipper(tmp_path, node).ship_next([unit])
    log.feed(b"o", b"ValueError: late\nmore\n")
    node.after = None
    fresh = shipper(tmp_path, node)
    while await fresh.ship_next([unit]):
        pass
    assert node.batches[0] == node.batches[1]
    assert [batch.records[0].sequence for batch in node.batches] == [1, 1, 2]


async def test_a_million_bytes(tmp_path: Path, unit: Unit, node: Node) -> None:
    """Much output goes in batches that the node takes, across the shim's files."""
    log = log_of(unit, "00000001-a")
    for number in range(20_000):
        log.feed(b"o", b"%d\n" % number)
    log.end()
    ship = shipper(tmp_path, node)
    while await ship.ship_next([unit]):
        pass
    assert [text for _, text in sorted(node.records.items())] == [str(number) for number in range(20_000)]


async def test_what_the_node_never_takes_holds_up_nothing(tmp_path: Path, unit: Unit, node: Node) -> None:
    """A batch or report that is refused for good is set aside; any other refusal is tried again."""
    log = log_of(unit, "00000001-a")
    log.feed(b"o", b"bad\n")
    ship = shipper(tmp_path, node)
    node.before = PeerError("no", remote_code="busy")
    with pytest.raises(PeerError):
        await ship.ship_next([unit])
    node.before = PeerError("no", remote_code="invalid-value")
    await ship.ship_next([unit])
    node.before = None
    log.feed(b"o", b"good\n")
    await ship.ship_next([unit])
    assert list(node.records.values()) == ["good"]
    spool = Spool(tmp_path / "spool")
    spool.add("one", b"report")
    node.before = UnreachableError("away")
    with pytest.raises(UnreachableError):
        await ship._ship_fault("one")
    assert spool.waiting() == ["one"]
    node.before = OversizedError("too large")
    await ship._ship_fault("one")
    assert spool.waiting() == []


def test_a_damaged_note_means_from_the_beginning(tmp_path: Path) -> None:
    """What was noted is read again; a note that can't be read loses nothing."""
    spool = Spool(tmp_path)
    spool.note(KEY, Sent())
    assert spool.sent(KEY) == Sent()
    (tmp_path / "logs" / f"{KEY}.json").write_text("{")
    assert spool.sent(KEY) == Sent()


async def test_the_rest_of_a_trace_is_waited_for(tmp_path: Path, unit: Unit, node: Node) -> None:
    """A trace that is still being written goes whole, what stands before it at once; after a second it goes as is."""
    log = log_of(unit, "00000001-a")
    log.feed(b"e", b"ready\nTraceback (most recent call last):\n  File\n")
    clock = FakeClock(next(kept_lines(unit.logs / "00000001-a")).time)
    ship = shipper(tmp_path, node, clock)
    assert await ship.ship_next([unit])
    assert not await ship.ship_next([unit])
    log.feed(b"e", b"ValueError: x\n")
    clock.advance(2)
    assert await ship.ship_next([unit])
    assert list(node.records.values()) == ["ready", "Traceback (most recent call last):\n  File\nValueError: x"]
    log.feed(b"e", b"Traceback (most recent call last):\n  File\n")
    clock.advance(3600)
    assert await ship.ship_next([unit])


async def test_reports_beyond_the_budget_give_way_and_are_told_of(tmp_path: Path, node: Node) -> None:
    """The newest reports stay within the bytes; what gave way is counted and told when one is taken."""
    for number in range(6):
        Spool(tmp_path / "spool", most_bytes=250).add(f"report-{number}", b"x" * 100)
    spool = Spool(tmp_path / "spool", most_bytes=250)
    assert spool.waiting() == ["report-4", "report-5"]
    assert spool.gave_way() == GaveWay(reports=4, bytes=400)
    with capture_logs() as said:
        ship = shipper(tmp_path, node)
        node.before = UnreachableError("away")
        with pytest.raises(UnreachableError):
            await ship._ship_fault("report-4")
        assert said == []
        node.before = None
        await ship._ship_fault("report-4")
        await ship._ship_fault("report-5")
    assert [(entry["reports"], entry["bytes"]) for entry in said] == [(4, 400)]
    assert spool.gave_way() == GaveWay()


async def test_files_go_with_their_report(tmp_path: Path, node: Node) -> None:
    """Once the node has the report, and again until it has both; a report that gives way takes its files with it."""
    spool = Spool(tmp_path / "spool", most_bytes=200)
    ship = shipper(tmp_path, node)
    spool.add("first", b"x" * 100, b"f" * 90)
    node.files_fail = UnreachableError("away")
    with pytest.raises(UnreachableError):
        await ship._ship_fault("first")
    assert spool.waiting() == ["first"]
    node.files_fail = None
    await ship._ship_fault("first")
    assert (node.archives, spool.waiting(), spool.files("first")) == ([("first", b"f" * 90)], [], None)
    spool.add("second", b"x" * 100, b"f" * 90)
    spool.add("third", b"x" * 100, b"f" * 90)
    assert (spool.waiting(), spool.files("second")) == (["third"], None)
    # A node that takes no files has the report all the same.
    node.files_fail = AbsentError("no such route")
    await ship._ship_fault("third")
    assert (spool.waiting(), len(node.archives)) == ([], 1)


def test_the_newest_report_is_kept_whatever_its_size(tmp_path: Path) -> None:
    """A report that is larger than the budget makes all others give way, not itself."""
    spool = Spool(tmp_path, most_bytes=50)
    spool.add("small", b"x" * 10)
    spool.add("large", b"x" * 100)
    assert spool.waiting() == ["large"]


def a_run(name: str, ended: End | None = None) -> RunRecord:
    nobody = Process(pid=2**22 + 1, start=1)
    version = ClientVersion("acme-1.0.0")
    return RunRecord(
        run=name,
        version=version,
        boot="b",
        shim=nobody,
        service=nobody,
        started=FIXED_START,
        grace_seconds=1,
        ended=ended,
    )


CRASHED = End(at=FIXED_START, status=None, signal="SEGV", stopped=False, error="", lost_lines=7)


async def test_runs_are_told_when_they_begin_and_end(tmp_path: Path, unit: Unit, node: Node) -> None:
    """What did not change is not told again; the last run is told once, also when it is remembered already."""
    ship = shipper(tmp_path, node)
    unit.root.mkdir(parents=True)
    record = RecordFile(unit.run_record)
    record.write(codec.encode(a_run("1-a")))
    for _ in range(2):
        await ship.tell_runs([unit])
    record.write(codec.encode(a_run("1-a", CRASHED)))
    await ship.tell_runs([unit])
    remember(unit, a_run("1-a", CRASHED))
    record.write(codec.encode(a_run("2-b")))
    await ship.tell_runs([unit])
    assert [[run.run for run in told.runs] for told in node.histories] == [["1-a"], ["1-a"], ["1-a", "2-b"]]
    first, second = node.histories[-1].runs
    assert (first.signal, first.lost_lines, first.ended) == ("SEGV", 7, FIXED_START)
    assert (second.alive, second.ended) == (False, None)


@pytest.mark.parametrize(
    ("error", "again"), [(UnreachableError("away"), 1), (AbsentError("no route"), 0), (OversizedError("too much"), 0)]
)
async def test_runs_are_told_again_where_it_may_help(
    tmp_path: Path, unit: Unit, node: Node, error: Exception, again: int
) -> None:
    """After a node that was away, not after one that will never take them."""
    ship = shipper(tmp_path, node)
    unit.root.mkdir(parents=True)
    RecordFile(unit.run_record).write(codec.encode(a_run("1-a")))
    node.before = error
    with contextlib.suppress(UnreachableError), capture_logs():
        await ship.tell_runs([unit])
    node.before = None
    await ship.tell_runs([unit])
    assert len(node.histories) == again


def test_only_the_newest_runs_are_told(unit: Unit) -> None:
    """However many are remembered."""
    for number in range(limits.RUNS_TOLD + 5):
        remember(unit, a_run(f"{number:08}-a", CRASHED))
    told = history_of(unit).runs
    assert (len(told), told[0].run) == (limits.RUNS_TOLD, "00000005-a")
