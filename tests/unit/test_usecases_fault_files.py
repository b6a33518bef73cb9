"""The files that come with fault reports, on the node."""

import os
from pathlib import Path

import pytest

from federation import limits
from federation.errors import AbsentError, DeniedError, InvalidValueError, OversizedError
from federation.names import InstanceName
from node.usecases.fault_files import FaultFiles
from tests.support.nodes import Member, Network
from tests.unit.test_usecases_reports import fault

HERE = InstanceName("web-1")
ARCHIVE = b"\x1f\x8b-packed"
WHO = "ann"


async def reported(tmp_path: Path, *numbers: int) -> tuple[Member, list[str]]:
    """A node with a fault report of each of ``numbers``."""
    member = Network(tmp_path).add("acme")
    for number in numbers:
        await member.use.faults.from_agent(HERE, fault(number))
    return member, [fault(number).id for number in numbers]


async def test_what_an_agent_sends_can_be_read(tmp_path: Path) -> None:
    """Once or twice sent; only the node's own user can read it on the disk; who fetched it is in the audit."""
    member, (first,) = await reported(tmp_path, 1)
    for _ in range(2):
        await member.use.fault_files.take(HERE, first, ARCHIVE)
    assert await member.use.fault_files.read(first, who=WHO) == ARCHIVE
    (kept,) = tmp_path.rglob(f"{first}.tar.gz")
    assert kept.stat().st_mode & 0o777 == 0o600


async def test_nothing_else_is_taken(tmp_path: Path) -> None:
    """No files without a report, of another instance, beyond the bound, or of another kind."""
    member, (first,) = await reported(tmp_path, 1)
    use = member.use.fault_files
    with pytest.raises(AbsentError):
        await use.take(HERE, "../../escape", ARCHIVE)
    with pytest.raises(DeniedError):
        await use.take(InstanceName("web-2"), first, ARCHIVE)
    with pytest.raises(OversizedError):
        await use.take(HERE, first, ARCHIVE + bytes(limits.FAULT_ARCHIVE_BYTES))
    with pytest.raises(InvalidValueError):
        await use.take(HERE, first, b"MZ")
    with pytest.raises(AbsentError, match="no files"):
        await use.read(first, who=WHO)
    assert list(tmp_path.rglob("*.tar.gz")) == []


async def test_the_oldest_make_room(tmp_path: Path) -> None:
    """Within the budget; the newest is always kept."""
    member, ids = await reported(tmp_path, 1, 2, 3)
    folder = tmp_path / "kept"
    use = FaultFiles(folder, member.use.faults, member.use.audit, most_bytes=2 * len(ARCHIVE))
    for age, identity in zip((30, 20, 10), ids, strict=True):
        await use.take(HERE, identity, ARCHIVE)
        moment = (folder / f"{identity}.tar.gz").stat().st_mtime - age
        os.utime(folder / f"{identity}.tar.gz", (moment, moment))
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{one}.tar.gz" for one in ids[1:])
