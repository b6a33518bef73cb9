"""Fault reports: what stands in them, and that they are kept and spooled once."""

from datetime import timedelta
from pathlib import Path

import pytest

from agent.faults import Fault, FaultDesk, describe_end, fault_id, keep_burst, read_burst
from agent.home import Home, Unit
from agent.runrecord import End, Process, RunRecord
from agent.shimlog import LineLog
from agent.spool import MOST_REPORTS, Spool
from federation import codec, limits
from federation.fault import FaultReport
from federation.keys import PrivateKey
from federation.names import InstanceName, ServiceKey
from federation.versions import ClientVersion
from tests.support.clock import FIXED_START

VERSION = ClientVersion("acme-1.0.1_2")
AGENT = PrivateKey.generate().id


def end(**changes: object) -> End:
    fields = {"at": FIXED_START + timedelta(seconds=5), "status": 3, "signal": None, "stopped": False, "error": ""}
    return End(**(fields | changes))  # type: ignore[arg-type]


def run(ended: End | None, name: str = "00000001-aa") -> RunRecord:
    process = Process(pid=1, start=1)
    return RunRecord(
        run=name,
        version=VERSION,
        boot="b",
        shim=process,
        service=process,
        started=FIXED_START,
        grace_seconds=1,
        ended=ended,
    )


UNSEEN = "its end was not recorded: killed together with its shim, or the disk took no writes"


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Home(tmp_path).unit(ServiceKey("web:blue"))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def desk(spool: Spool) -> FaultDesk:
    return FaultDesk(AGENT, InstanceName("web-1"), spool)


def write_log(unit: Unit, *lines: bytes, run_id: str = "00000001-aa") -> None:
    folder = unit.logs / run_id
    folder.mkdir(parents=True)
    log = LineLog(folder, max_file_bytes=100_000_000, files=3)
    for line in lines:
        log.feed(b"e", line + b"\n")
    log.end()


def test_a_crash_is_told_whole(unit: Unit, desk: FaultDesk, spool: Spool) -> None:
    """Exit, uptime, the last lines with their times and the exception are in the report, on disk and in the spool."""
    write_log(unit, b"hello", b"Traceback (most recent call last):", b'  File "a"', b"ValueError: it broke")
    fault = Fault(run=run(end()), occurred=end().at, in_probation=True, put_back=ClientVersion("acme-1.0.0"))
    report = desk.report(unit, fault, keep=20)
    assert report is not None
    assert (report.reason, report.exit_status, report.signal) == ("exited", 3, None)
    assert (report.message, report.uptime_seconds) == ("ValueError: it broke", 5.0)
    assert (report.service, report.version, report.instance) == ("web:blue", VERSION, "web-1")
    assert report.log[0].endswith("Z hello")
    kept = (unit.faults / report.id / "report.json").read_bytes()
    assert codec.decode(kept, FaultReport) == report
    assert [spool.report(identity) for identity in spool.waiting()] == [kept]


def test_the_same_run_is_one_fault(unit: Unit, desk: FaultDesk, spool: Spool) -> None:
    """A report made again after an interruption is the same one, also when it was sent meanwhile."""
    write_log(unit, b"x")
    fault = Fault(run=run(end()), occurred=end().at)
    first = desk.report(unit, fault, keep=20)
    assert first is not None
    spool.taken(first.id)
    assert desk.report(unit, fault, keep=20) is None
    assert spool.waiting() == []
    assert fault_id(AGENT, unit, "00000002-bb") != first.id
    assert fault_id(PrivateKey.generate().id, unit, "00000001-aa") != first.id


@pytest.mark.parametrize(
    ("ended", "problem", "told"),
    [
        (end(status=None, signal="SEGV"), "", ("signalled", "killed by signal SEGV")),
        (end(error="./x: not found"), "", ("start-failed", "could not start: ./x: not found")),
        (None, "", ("signalled", UNSEEN)),
        (None, "answered 500", ("unhealthy", "answered 500")),
    ],
)
def test_reasons(unit: Unit, desk: FaultDesk, ended: End | None, problem: str, told: tuple[str, str]) -> None:
    """Each way to end has its reason, and says so in words."""
    report = desk.report(unit, Fault(run=run(ended), occurred=FIXED_START, problem=problem), keep=20)
    assert report is not None
    assert (report.reason, report.message) == told
    assert describe_end(ended) in (told[1], UNSEEN)


def test_a_report_stays_within_its_bounds(unit: Unit, desk: FaultDesk, spool: Spool) -> None:
    """A service that wrote long and strange lines gives a report that the node will take."""
    write_log(unit, *[bytes([number % 32]) * 60_000 for number in range(11, 611)])
    report = desk.report(unit, Fault(run=run(end()), occurred=FIXED_START), keep=20)
    assert report is not None
    assert 0 < len(report.log) <= limits.FAULT_LOG_LINES
    (identity,) = spool.waiting()
    content = spool.report(identity)
    assert content is not None
    assert len(content) < limits.FAULT_REPORT_BYTES


def test_the_oldest_reports_give_way(unit: Unit, desk: FaultDesk) -> None:
    """The instance keeps no more reports than the recipe says."""
    for number in range(5):
        assert desk.report(unit, Fault(run=run(end(), f"{number:08d}-a"), occurred=FIXED_START), keep=3)
    assert len(list(unit.faults.glob("*/report.json"))) == 3
    assert {path.name for path in unit.faults.iterdir() if path.is_file()} == {"burst.json"}


def test_a_trace_and_what_came_before_stand_by_themselves(unit: Unit, desk: FaultDesk) -> None:
    """A report has the last stack trace in one piece, the earlier crashes newest first, and what the host is like."""
    write_log(unit, b"hello", b"Traceback (most recent call last):", b'  File "a"', b"ValueError: it broke", b"bye")
    reports = [
        desk.report(unit, Fault(run=run(end(), name), occurred=end().at), keep=20)
        for name in ("00000001-aa", "00000002-bb", "00000003-cc")
    ]
    first, second, third = reports
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.trace == ("Traceback (most recent call last):", '  File "a"', "ValueError: it broke")
    assert second.trace == ()
    assert first.earlier == ()
    assert [one.id for one in third.earlier] == [second.id, first.id]
    assert third.earlier[1].message == "ValueError: it broke"
    assert 0 < (third.host.memory_free_bytes or 0) <= (third.host.memory_bytes or 0)
    assert 0 < (third.host.disk_free_bytes or 0) <= (third.host.disk_bytes or 0)
    text = (unit.faults / first.id / "report.txt").read_text()
    assert text.startswith("ValueError: it broke\n")
    assert "web:blue acme-1.0.1_2 on web-1" in text
    assert '    File "a"\n' in text


def test_crashes_that_come_fast_are_all_counted(unit: Unit, desk: FaultDesk, spool: Spool) -> None:
    """Of forty crashes within a minute nine are reported in full, and each says how many there were since the last."""
    told = []
    for number in range(1, 41):
        fault = Fault(run=run(end(), f"{number:08d}-a"), occurred=FIXED_START + timedelta(seconds=number))
        report = desk.report(unit, fault, keep=100)
        # Told again after an interruption, none is counted twice.
        assert desk.report(unit, fault, keep=100) is None
        told += [] if report is None else [(number, report.alike)]
    assert told == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (10, 4), (20, 9), (30, 9), (40, 9)]
    assert len(spool.waiting()) == len(told)
    late = Fault(run=run(end(), "00000041-a"), occurred=FIXED_START + timedelta(seconds=70))
    next_one = desk.report(unit, late, keep=100)
    assert next_one is not None
    assert next_one.alike == 0


def test_an_interrupted_report_is_made_again_with_its_number(unit: Unit, desk: FaultDesk) -> None:
    """What was counted before an interruption is told by the report that follows it, once."""
    faults = [
        Fault(run=run(end(), f"{number:08d}-a"), occurred=FIXED_START + timedelta(seconds=number))
        for number in range(1, 11)
    ]
    for fault in faults[:-1]:
        desk.report(unit, fault, keep=100)
    counted = read_burst(unit.faults).after("00000010-a", VERSION, faults[-1].occurred)
    keep_burst(unit.faults, counted)
    report = desk.report(unit, faults[-1], keep=100)
    assert report is not None
    assert report.alike == 4
    keep_burst(unit.faults, counted)
    assert desk.report(unit, faults[-1], keep=100) is None
    assert read_burst(unit.faults).untold == 0


def test_the_spool_is_bounded(spool: Spool) -> None:
    """A node that stays away for ever does not fill the disk."""
    for number in range(MOST_REPORTS + 3):
        path = spool._faults / f"{number:06d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    spool.add("last", b"report")
    assert len(spool.waiting()) == MOST_REPORTS
    assert "last" in spool.waiting()
