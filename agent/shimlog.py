"""Writes the lines of a service to numbered files, each line with its time of arrival and its stream.

Line: RFC 3339 UTC time, blank, ``o`` (stdout), ``e`` (stderr) or ``v`` (said by vUpdate), blank, the line as it came.
A line over 64 KiB is written in pieces: each after the first bears ``o+`` or ``e+`` and goes on with the one before it.
A file that is full is followed by the next number; the oldest beyond the bound are removed. A full disk costs lines,
counted and said later, never the service. Nothing but the standard library: the shim loads this.
"""

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

LINE_BYTES = 64 * 1024
SUFFIX = ".log"


def segment_name(number: int) -> str:
    """The name of the ``number``-th file; names sort in the order of writing."""
    return f"{number:08d}{SUFFIX}"


def segments(folder: Path) -> list[Path]:
    """The files of one run that are there, oldest first."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())


def _stamp() -> bytes:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()


def _pieces(line: bytes) -> list[bytes]:
    """``line`` cut so that each piece fits into one log record."""
    return [line[start : start + LINE_BYTES] for start in range(0, max(len(line), 1), LINE_BYTES)]


class LineLog:
    """The files of one run in ``folder``."""

    def __init__(self, folder: Path, *, max_file_bytes: int, files: int) -> None:
        self._folder = folder
        self._max_file_bytes = max(max_file_bytes, 2 * LINE_BYTES)
        self._files = max(files, 1)
        self._number = 0
        self._descriptor = -1
        self._size = 0
        self._rests: dict[bytes, bytes] = {}
        self._begun: set[bytes] = set()
        self._torn = False
        self._unsaid = 0
        self.lost_lines = 0

    def feed(self, stream: bytes, chunk: bytes) -> None:
        """Take ``chunk`` of ``stream``; its last, unfinished line waits for its end."""
        content = self._rests.get(stream, b"") + chunk
        lines = content.split(b"\n")
        rest = lines.pop()
        is_long = len(rest) > LINE_BYTES
        if is_long:
            # What comes later may be the end of this line, so its last piece waits.
            whole = (len(rest) - 1) // LINE_BYTES * LINE_BYTES
            lines.append(rest[:whole])
            rest = rest[whole:]
        self._rests[stream] = rest
        if lines:
            written = self._write(stream, lines)
            self._begun.discard(stream)
            if is_long and written:
                self._begun.add(stream)

    def end(self) -> None:
        """Write what has no line end, and close."""
        for stream, rest in self._rests.items():
            if rest:
                self._write(stream, [rest])
        self._rests.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, stream: bytes, lines: list[bytes]) -> bool:
        """Write ``lines``, the first of which may go on with what was written; whether there was room."""
        time = _stamp()
        prefix, onward = time + b" " + stream + b" ", time + b" " + stream + b"+ "
        said = b""
        if self._unsaid:
            said = b"%b v %d lines were lost here: the disk was full\n" % (time, self._unsaid)
        if max(map(len, lines)) > LINE_BYTES:
            lines = [(b"\n" + onward).join(_pieces(line)) if len(line) > LINE_BYTES else line for line in lines]
        content = b"".join([prefix + line + b"\n" for line in lines])
        if stream in self._begun:
            content = onward + content[len(prefix) :]
        try:
            self._append(said + content)
        except OSError:
            self.lost_lines += len(lines)
            self._unsaid += len(lines)
            return False
        self._unsaid = 0
        return True

    def _append(self, content: bytes) -> None:
        if self._descriptor < 0 or self._size + len(content) > self._max_file_bytes:
            self._next_file()
        view = memoryview(b"\n" + content if self._torn else content)
        while view:
            # Torn until the whole is there: a full disk can cut a line in two.
            self._torn = True
            written = os.write(self._descriptor, view)
            self._size += written
            view = view[written:]
        self._torn = False

    def _next_file(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        path = self._folder / segment_name(self._number + 1)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._number += 1
        self._size = 0
        self._torn = False
        for old in segments(self._folder)[: -self._files]:
            with contextlib.suppress(OSError):
                old.unlink()
