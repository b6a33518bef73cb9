"""The shim's log files: written by line, rotated, read on from a position."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import logs
from agent.logs import BEGINNING, Position
from agent.records import Line
from agent.shimlog import LINE_BYTES, LineLog, segments


def line_log(folder: Path, max_file_bytes: int = 1_000_000, files: int = 3) -> LineLog:
    folder.mkdir(parents=True, exist_ok=True)
    return LineLog(folder, max_file_bytes=max_file_bytes, files=files)


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def read_lines(folder: Path, most_bytes: int = 10_000) -> list[Line]:
    """All lines that are there, read on and on."""
    found: list[Line] = []
    position = BEGINNING
    while True:
        lines, start, end = logs.read_on(folder, position, most_bytes)
        if start == end:
            return found
        # What vUpdate says of a gap stands in no file.
        assert logs.read_between(folder, start, end) == lines or lines[0].stream == "v"
        found += lines
        position = end


def read_all(folder: Path, most_bytes: int = 10_000) -> list[str]:
    return texts(read_lines(folder, most_bytes))


def expected_lines(content: bytes) -> list[str]:
    """The lines of a stream, the last one with or without its end."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.decode("utf-8", "replace").rstrip("\r") for line in lines]


_CHUNKS = st.lists(st.tuples(st.sampled_from([b"o", b"e"]), st.binary(max_size=200)), max_size=30)


@given(chunks=_CHUNKS, most=st.integers(1, 2000))
def test_every_line_arrives(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[bytes, bytes]], most: int
) -> None:
    """However output is cut into chunks, each line of each stream arrives whole, in order, once."""
    folder = tmp_path_factory.mktemp("logs")
    log = line_log(folder / "00000001-a")
    for stream, chunk in chunks:
        log.feed(stream, chunk)
    log.end()
    lines = read_lines(folder, most)
    for name in ("o", "e"):
        content = b"".join(chunk for stream, chunk in chunks if stream.decode() == name)
        assert [line.text for line in lines if line.stream == name] == expected_lines(content)


def test_a_line_without_end_waits_for_it(tmp_path: Path) -> None:
    """Half a line is not read; its rest completes it; the end of the run ends it too."""
    log = line_log(tmp_path / "00000001-a")
    log.feed(b"o", b"one\ntw")
    assert read_all(tmp_path) == ["one"]
    log.feed(b"o", b"o\nthree")
    log.end()
    assert read_all(tmp_path) == ["one", "two", "three"]


def test_a_line_that_never_ends(tmp_path: Path) -> None:
    """A line of ten megabytes is cut into pieces and costs no more memory than one."""
    log = line_log(tmp_path / "00000001-a", max_file_bytes=20_000_000)
    for _ in range(160):
        log.feed(b"o", b"x" * LINE_BYTES)
    log.end()
    assert "".join(read_all(tmp_path)) == "x" * (160 * LINE_BYTES)


def test_rotation_keeps_the_newest(tmp_path: Path) -> None:
    """Full files are followed by new ones, the oldest go, and what was missed is said."""
    folder = tmp_path / "00000001-a"
    log = line_log(folder, max_file_bytes=2 * LINE_BYTES, files=2)
    for number in range(10):
        log.feed(b"o", b"%d" % number + b"x" * LINE_BYTES + b"\n")
    log.end()
    assert len(segments(folder)) == 2
    found = read_all(tmp_path, 10)
    assert found[0].endswith("log files were removed here before they could be sent")
    assert found[-1][0] == "x"


def test_a_full_disk_costs_lines_not_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that found no room are counted and told of later; a torn line does not spoil the next."""
    log = line_log(tmp_path / "00000001-a")
    log.feed(b"o", b"before\n")
    write, room = os.write, [20]

    def full(descriptor: int, content: bytes) -> int:
        if room[0] <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken, room[0] = content[: room[0]], room[0] - len(content)
        return write(descriptor, taken)

    monkeypatch.setattr(os, "write", full)
    log.feed(b"o", b"lost one\nlost two\n")
    monkeypatch.setattr(os, "write", write)
    log.feed(b"o", b"after\n")
    log.end()
    assert log.lost_lines == 2
    assert read_all(tmp_path) == ["before", "2 lines were lost here: the disk was full", "after"]


def test_runs_follow_one_another(tmp_path: Path) -> None:
    """Reading goes on from run to run, numbers begin anew with each, and a run kept here is passed over."""
    for run in ("00000001-b", "00000002-a", "00000003-c"):
        log = line_log(tmp_path / run)
        log.feed(b"o", run.encode() + b"\n")
        log.end()
    logs.keep_here(tmp_path / "00000002-a")
    assert read_all(tmp_path) == ["00000001-b", "00000003-c"]
    _, start, _ = logs.read_on(tmp_path, Position(run="00000001-b", segment=1, offset=10_000, sequence=5), 100)
    assert (start.run, start.sequence) == ("00000003-c", 1)


def test_the_last_lines(tmp_path: Path) -> None:
    """The end of a run is read across its files."""
    folder = tmp_path / "00000001-a"
    log = line_log(folder, max_file_bytes=1, files=10)
    for number in range(400):
        log.feed(b"o", b"%d %s\n" % (number, b"x" * 1000))
    log.end()
    assert len(segments(folder)) > 2
    assert [text.split()[0] for text in texts(logs.last_lines(folder, 300))] == [str(n) for n in range(100, 400)]
    assert logs.last_lines(tmp_path / "absent", 5) == []
