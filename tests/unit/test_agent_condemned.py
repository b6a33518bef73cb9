"""The note of a run that the agent stops as a fault."""

from pathlib import Path

from agent.condemned import Condemned, condemn, condemned_run
from agent.home import Home
from federation.names import ServiceKey


def test_a_reason_belongs_to_its_run_only(tmp_path: Path) -> None:
    """What was kept for one run is never told of another, and a damaged note is as none."""
    unit = Home(tmp_path).unit(ServiceKey("web"))
    unit.root.mkdir(parents=True)
    assert condemned_run(unit, "1-a") is None
    fall = Condemned(run="1-a", reason="over-limit", problem="used 2 MiB of memory")
    condemn(unit, fall)
    assert condemned_run(unit, "1-a") == fall
    assert condemned_run(unit, "2-b") is None
    unit.condemned.write_bytes(b"{")
    assert condemned_run(unit, "1-a") is None
