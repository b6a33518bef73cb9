"""The shim's log files: written by line, rotated, read on from a position."""

import errno
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import logs
from agent.logs import BEGINNING, Position
from agent.records import Line, boundaries, to_records
from agent.shimlog import LINE_BYTES, LineLog, segments
from federation import limits
from federation.log import LogRecord


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
        assert logs.read_between(folder, start, end) == lines
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


def pieces(folder: Path) -> list[bytes]:
    """What stands in the files of a run after the times."""
    return [line.split(b" ", 1)[1] for path in segments(folder) for line in path.read_bytes().splitlines()]


def test_a_line_of_ten_megabytes(tmp_path: Path) -> None:
    """It is written in pieces that say so, whole, and becomes one record that says how much is left out of it."""
    size = 160 * LINE_BYTES
    log = line_log(tmp_path / "00000001-a", max_file_bytes=3_000_000, files=10)
    log.feed(b"o", b"before\n")
    for _ in range(320):
        log.feed(b"o", b"x" * (LINE_BYTES // 2))
    log.feed(b"o", b"\nafter\n")
    log.end()
    found = pieces(tmp_path / "00000001-a")
    assert (found[0], found[-1]) == (b"o before", b"o after")
    assert found[1] == b"o " + b"x" * LINE_BYTES
    assert found[2:-1] == [b"o+ " + b"x" * LINE_BYTES] * 159
    lines, _, _ = logs.read_on(tmp_path, BEGINNING, 256 * 1024)
    before, record, after = to_records(lines, 1)
    assert texts(logs.last_lines(tmp_path / "00000001-a", 2)) == [
        f"a line goes on here: ({LINE_BYTES * 25} bytes more are only in the log file on the instance)", "after",
    ]  # fmt: skip
    assert (before.message, after.message) == ("before", "after")
    assert len(record.message) == limits.LOG_MESSAGE_CHARS
    assert record.message.endswith(f"x … ({size - LINE_BYTES} bytes more are only in the log file on the instance)")


def test_a_line_whose_beginning_is_gone(tmp_path: Path) -> None:
    """What is left of it becomes a record that says what it is."""
    folder = tmp_path / "00000001-a"
    log = line_log(folder, max_file_bytes=2 * LINE_BYTES, files=2)
    for _ in range(9):
        log.feed(b"e", b"x" * LINE_BYTES)
    log.feed(b"e", b"\nend\n")
    log.end()
    lines, _, _ = logs.read_on(tmp_path, Position(run="00000001-a", segment=1), 256 * 1024)
    gap, rest, end = (record.message for record in to_records(lines, 1))
    assert gap.endswith("log files, or what was left to send of them, were removed here")
    assert rest.startswith("a line goes on here: (")
    assert rest.endswith(" bytes more are only in the log file on the instance)")
    assert end == "end"


@given(
    lines=st.lists(st.tuples(st.integers(0, 200_000), st.binary(min_size=1, max_size=3)), max_size=6),
    chunk=st.integers(1000, 300_000),
)
def test_pieces_join_to_the_line_that_was_cut(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, bytes]], chunk: int
) -> None:
    """However long a line is, whatever its bytes and its chunks are, its pieces are at most 64 KiB and join to it."""
    folder = tmp_path_factory.mktemp("logs")
    content = b"".join((part.replace(b"\n", b"") or b"\xff") * (size // len(part)) + b"\n" for size, part in lines)
    log = line_log(folder, max_file_bytes=10_000_000)
    for start in range(0, len(content), chunk):
        log.feed(b"o", content[start : start + chunk])
    log.end()
    joined: list[bytes] = []
    for path in segments(folder):
        for line in path.read_bytes().split(b"\n")[:-1]:
            _, stream, text = line.split(b" ", 2)
            assert len(text) <= LINE_BYTES
            if stream == b"o+":
                joined[-1] += text
            else:
                joined.append(text)
    assert joined == content.split(b"\n")[:-1]


_TRACES = st.lists(
    st.sampled_from(
        ["plain", "ERROR it broke", "Traceback (most recent call last):", "  File x", "ValueError: x", "", "panic: x",
         "goroutine 1 [running]:", "main.go(1)", "java.lang.Error: x", "\tat a.B", "{}", "y" * 500]
    ),
    max_size=60,
)  # fmt: skip


@given(texts=_TRACES, streams=st.text("oe", min_size=60, max_size=60), most=st.integers(100, 3000))
def test_batches_give_the_records_that_one_batch_gives(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], streams: str, most: int
) -> None:
    """Wherever batches end, no record is torn that half a batch has room for."""
    folder = tmp_path_factory.mktemp("logs")
    log = line_log(folder / "00000001-a", max_file_bytes=1, files=100)
    for stream, text in zip(streams, texts, strict=False):
        log.feed(stream.encode(), text.encode() + b"\n")
    log.end()
    whole = to_records(read_lines(folder, 10**6), 1)
    found: list[LogRecord] = []
    position = BEGINNING
    while True:
        lines, start, position = logs.read_on(folder, position, most)
        if start == position:
            break
        assert logs.read_between(folder, start, position) == lines
        found += to_records(lines, len(found) + 1)
    if not is_beyond(read_lines(folder, 10**6), most // 2):
        assert tuple(found) == whole


def is_beyond(lines: list[Line], most: int) -> bool:
    """Whether lines that hang together have more than ``most`` bytes as they stand in a file."""
    starts = [*boundaries(lines), len(lines)]
    sizes = [sum(30 + len(line.text) for line in lines[a:b]) for a, b in itertools.pairwise(starts)]
    return max(sizes, default=0) > most


def test_rotation_keeps_the_newest(tmp_path: Path) -> None:
    """Full files are followed by new ones, the oldest go, and what was missed is said."""
    folder = tmp_path / "00000001-a"
    log = line_log(folder, max_file_bytes=2 * LINE_BYTES, files=2)
    for number in range(10):
        log.feed(b"o", b"%d" % number + b"x" * LINE_BYTES + b"\n")
    log.end()
    assert len(segments(folder)) == 2
    found = read_all(tmp_path, 10)
    assert found[0].endswith("log files, or what was left to send of them, were removed here")
    assert found[-2][0] == "9"


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


def test_the_rest_of_a_file_that_is_removed_is_said(tmp_path: Path) -> None:
    """Where a file goes that was sent in part only, it counts among those removed."""
    folder = tmp_path / "00000001-a"
    log = line_log(folder, max_file_bytes=2 * LINE_BYTES, files=2)
    log.feed(b"o", b"one\ntwo\n")
    lines, _, position = logs.read_on(tmp_path, BEGINNING, 1)
    assert texts(lines) == ["one"]
    for _ in range(3):
        log.feed(b"o", b"x" * LINE_BYTES + b"\n")
        log.feed(b"o", b"y" * LINE_BYTES + b"\n")
    assert [int(path.stem) for path in segments(folder)] == [5, 6]
    gap, *_ = texts(logs.read_on(tmp_path, position, 1)[0])
    assert gap == "4 log files, or what was left to send of them, were removed here"
