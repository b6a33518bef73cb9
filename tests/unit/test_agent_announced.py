"""A service that says by a line of its output that it is ready."""

from pathlib import Path

import pytest

from agent.announced import Announced
from agent.shimlog import LineLog


@pytest.fixture
def log(tmp_path: Path) -> LineLog:
    return LineLog(tmp_path, max_file_bytes=1, files=3)


async def test_it_is_well_once_the_line_was_written(tmp_path: Path, log: LineLog) -> None:
    """A line that does not match is not enough; the one that does counts, whatever is written after it."""
    announced = Announced(tmp_path, r"^ready on port \d+$")
    log.feed(b"o", b"not ready on port 80\nready on port")
    assert await announced.problem() == "no line of its output matches '^ready on port \\\\d+$'"
    log.feed(b"o", b" 8080\nmore\n")
    assert await announced.problem() == ""
    assert await announced.problem() == ""


async def test_what_vupdate_says_is_not_the_services_word(tmp_path: Path, log: LineLog) -> None:
    """A line of the shim does not make a service ready."""
    announced = Announced(tmp_path, "lost")
    log.feed(b"v", b"3 lines were lost here\n")
    assert await announced.problem() != ""
    log.feed(b"e", b"lost\n")
    assert await announced.problem() == ""


async def test_a_line_that_was_rotated_away_still_counts_for_the_next_agent(tmp_path: Path, log: LineLog) -> None:
    """Another look at the same run, after its first files are gone, finds what the earlier one saw."""
    log.feed(b"o", b"ready\n")
    assert await Announced(tmp_path, "ready").problem() == ""
    (tmp_path / "00000001.log").unlink()
    assert await Announced(tmp_path, "ready").problem() == ""


async def test_lines_over_several_files_are_read_on_in_order(tmp_path: Path, log: LineLog) -> None:
    """Each look goes on where the last one stopped, also into the next file."""
    announced = Announced(tmp_path, "seven$")
    filler = b"x" * 60_000 + b"\n"
    for _ in range(4):
        log.feed(b"o", filler)
        assert await announced.problem() != ""
    log.feed(b"o", b"seven\n")
    assert len(list(tmp_path.glob("*.log"))) > 1
    assert await announced.problem() == ""


async def test_a_run_without_output_is_not_ready(tmp_path: Path) -> None:
    """Nothing written is no announcement."""
    assert await Announced(tmp_path, "").problem() != ""
