"""Control groups of runs: which part of the tree is ours, and what is read of a group."""

import os
from pathlib import Path

import pytest

from agent import controlgroup, usage
from agent.delegation import count_memory, find_part

MOUNTINFO = """\
22 1 0:20 / / rw - ext4 /dev/vda rw
31 22 0:27 / {mount} rw,nosuid shared:9 - cgroup2 cgroup2 rw
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A mounted tree with the group of an agent's unit, given to it."""
    (tmp_path / "proc").mkdir()
    unit = tmp_path / "mount/system.slice/vupdate-agent.service"
    unit.mkdir(parents=True)
    (tmp_path / "proc/mountinfo").write_text(MOUNTINFO.format(mount=tmp_path / "mount"))
    return unit


def at(tree: Path, path: str) -> Path | None:
    """The part of a process whose group is ``path``."""
    proc = tree.parents[2] / "proc"
    (proc / "cgroup").write_text(f"3:memory:/elsewhere\n0::{path}\n")
    return find_part(proc)


@pytest.mark.parametrize("path", ["/system.slice/vupdate-agent.service", "/system.slice/vupdate-agent.service/agent"])
def test_a_delegated_unit_is_the_agents_to_divide(tree: Path, path: str) -> None:
    """With and without a subgroup for the agent itself, the unit's group is the part."""
    os.setxattr(tree, "user.delegate", b"1")
    assert at(tree, path) == tree


@pytest.mark.skipif(os.geteuid() != 0, reason="to another user the folder would look like its own part")
def test_what_nobody_delegated_is_left_alone(tree: Path) -> None:
    """No mark of the manager: no group is made there, even where it could be written."""
    assert at(tree, "/system.slice/vupdate-agent.service") is None
    assert at(tree, "/") is None


def test_the_root_of_a_containers_tree_is_its_own(tree: Path) -> None:
    """The host's true root has no ``cgroup.events``; the root of a container's tree has."""
    (tree.parents[1] / "cgroup.events").write_text("populated 1\n")
    assert at(tree, "/") == tree.parents[1]


def test_without_cgroup_v2_there_is_no_part(tree: Path) -> None:
    """A host with the older tree, or an odd one, is no error."""
    (tree.parents[2] / "proc/mountinfo").write_text("22 1 0:20 / / rw - ext4 /dev/vda rw\n")
    assert at(tree, "/") is None
    assert find_part(tree / "nothing") is None


def test_memory_is_counted_only_where_no_process_stands_in_the_way(tree: Path) -> None:
    """With the agent in the part itself, asking for the count would keep systemd from starting it again."""
    (tree / "cgroup.procs").write_text("17\n")
    count_memory(tree)
    assert not (tree / "cgroup.subtree_control").exists()
    (tree / "cgroup.procs").write_text("")
    count_memory(tree)
    assert (tree / "cgroup.subtree_control").read_text() == "+memory"


def test_a_group_tells_what_its_members_use(tmp_path: Path) -> None:
    """Memory that could be given back, such as files that were read, is not the service's."""
    (tmp_path / "cgroup.procs").write_text("1\n2\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n")
    (tmp_path / "memory.stat").write_text("anon 4096\nfile 900000\nshmem 8192\nkernel 100\n")
    used = usage.measure(os.getpid(), memory_bound=None, group=tmp_path)
    assert (used.memory_bytes, used.cpu_seconds) == (4096 + 8192, 2.5)


@pytest.mark.parametrize("members", ["", "1\n"])
def test_what_the_kernel_does_not_count_is_taken_from_the_process_table(tmp_path: Path, members: str) -> None:
    """A group without the memory's count, and one that the service could not join, fall back."""
    (tmp_path / "cgroup.procs").write_text(members)
    (tmp_path / "cpu.stat").write_text("usage_usec 7000000000\n")
    used = usage.measure(os.getpid(), memory_bound=None, group=tmp_path)
    assert used.memory_bytes == usage.measure(os.getpid(), memory_bound=None).memory_bytes
    assert (used.cpu_seconds == 7000.0) == bool(members)


def test_a_group_that_is_gone_is_empty(tmp_path: Path) -> None:
    """Killing in it and ending it succeed: another was quicker."""
    group = tmp_path / "gone"
    assert controlgroup.members(group) == []
    controlgroup.kill(group)
    assert controlgroup.end(group)
    assert not group.exists()
