"""A fault report as a text to read on the host, where there may be nothing at hand but a pager. Pure."""

from collections.abc import Iterator
from typing import Final

from federation.circumstances import HostFacts
from federation.clock import to_text
from federation.fault import FaultReport

_MIB: Final = 1024 * 1024


def _ended(report: FaultReport) -> str:
    if report.exit_status is not None:
        return f"exit status {report.exit_status}"
    return f"signal {report.signal}" if report.signal else report.reason


def _of(free: int | None, whole: int | None) -> str:
    if free is None or whole is None:
        return "not known"
    return f"{free / _MIB:,.0f} MiB free of {whole / _MIB:,.0f} MiB"


def _host(facts: HostFacts) -> Iterator[tuple[str, str]]:
    yield "memory", _of(facts.memory_free_bytes, facts.memory_bytes)
    yield "disk", _of(facts.disk_free_bytes, facts.disk_bytes)
    if facts.load is not None:
        yield "load", f"{facts.load / 1000:.2f} on {facts.processors or '?'} processors"
    if facts.oom_kills:
        yield "out of memory", f"the kernel killed {facts.oom_kills} processes of this host while the service ran"


def _heads(report: FaultReport) -> Iterator[tuple[str, str]]:
    yield "service", f"{report.service} {report.version} on {report.instance}"
    yield "when", to_text(report.occurred)
    yield "ended by", _ended(report)
    yield "ran for", f"{report.uptime_seconds:.1f} s" + (", on probation" if report.in_probation else "")
    if report.put_back is not None:
        yield "put back", str(report.put_back)
    if report.alike:
        yield "before it", f"{report.alike} crashes since the last report that were only counted"
    yield from _host(report.host)
    if report.damaged:
        yield (
            "damaged",
            f"not as signed on this disk: {', '.join(report.damaged)} ('vupdate agent repair' installs it again)",
        )
    if report.files:
        yield "files", f"put aside with this report: {', '.join(report.files)}"
    if report.left:
        yield "left there", f"too many or too large to put aside: {', '.join(report.left)}"
    yield "report", report.id


def describe(report: FaultReport) -> str:
    """``report`` for a person; its last log lines are at the end."""
    lines = [report.message or _ended(report), ""]
    lines += [f"{name + ':':<15}{value}" for name, value in _heads(report)]
    if report.earlier:
        lines += ["", "Earlier crashes of this service here:"]
        lines += [f"  {to_text(one.occurred)}  {one.version}  {one.message}" for one in report.earlier]
    if report.trace:
        lines += ["", "Stack trace:", *(f"  {line}" for line in report.trace)]
    lines += ["", f"The last {len(report.log)} lines of its log:", *(f"  {line}" for line in report.log)]
    return "\n".join(lines) + "\n"
