"""Server-sent events as bytes and back (WHATWG HTML, section 9.2): pure and bounded; the connection is another's.

``retry`` fields are ignored: the reader has its own back-off. Text that is not UTF-8 is refused, not replaced.
"""

import re
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import InvalidValueError, OversizedError, RemoteError

HEARTBEAT: Final = b":\n\n"
"""A comment that shows the reader that the stream lives; to be sent every ``HEARTBEAT_SECONDS``."""

HEARTBEAT_SECONDS: Final = 15.0
CONTENT_TYPE: Final = "text/event-stream"

_BREAKS = re.compile(r"[\r\n\0]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventStreamError(RemoteError):
    """What the peer sends is not an event stream."""

    code = "bad-event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message of a stream. ``id``: the last one the stream has named."""

    id: str = ""
    name: str = "message"
    data: str = ""

    def __post_init__(self) -> None:
        if _BREAKS.search(self.id) or _BREAKS.search(self.name) or not self.name or "\r" in self.data:
            raise InvalidValueError("an event has a name, no line break in its id or name, no CR in its data")


def encode_event(event: Event) -> bytes:
    """``event`` as it travels.

    Raises:
        OversizedError: larger than a reader would take.
    """
    lines = [f"id: {event.id}"] if event.id else []
    lines += [f"event: {event.name}", *(f"data: {line}" for line in event.data.split("\n"))]
    content = ("\n".join(lines) + "\n\n").encode("utf-8")
    if len(content) > limits.EVENT_BYTES:
        raise OversizedError(f"an event of {len(content)} bytes is over the bound of {limits.EVENT_BYTES}")
    return content


class EventParser:
    """Takes a stream in pieces of any size and gives the events that are whole. Holds at most one event's bytes."""

    def __init__(self, most_bytes: int = limits.EVENT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._rest = b""
        self._after_cr = False
        self._at_start = True
        self._held_bytes = 0
        self._id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that ``chunk`` completes.

        Raises:
            OversizedError: one event is larger than the bound.
            EventStreamError: not UTF-8.
        """
        events: list[Event] = []
        for line in self._whole_lines(chunk):
            event = self._take(line)
            if event is not None:
                events.append(event)
        self._check_bound(len(self._rest))
        return events

    def _whole_lines(self, chunk: bytes) -> list[bytes]:
        if not chunk:
            return []
        if self._after_cr:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\r", b"\n")) else b""
        # The CR may be the first half of CR LF; the line is whole all the same.
        self._after_cr = not self._rest and bool(lines) and lines[-1].endswith(b"\r")
        return [line.rstrip(b"\r\n") for line in lines]

    def _check_bound(self, more: int) -> None:
        if self._held_bytes + more > self._most_bytes:
            raise OversizedError(f"the peer sent an event of more than {self._most_bytes} bytes: refused")

    def _take(self, line: bytes) -> Event | None:
        if self._at_start:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._at_start = False
        if not line:
            return self._dispatch()
        self._check_bound(len(line) + 1)
        if not line.startswith(b":"):
            self._held_bytes += len(line) + 1
            self._set(line)
        return None

    def _set(self, line: bytes) -> None:
        try:
            field, _, value = line.decode("utf-8").partition(":")
        except UnicodeDecodeError as error:
            raise EventStreamError("the peer's event stream is not UTF-8: refused") from error
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value

    def _dispatch(self) -> Event | None:
        name, data = self._name, self._data
        self._name, self._data, self._held_bytes = "", [], 0
        if not data:
            return None
        if "\0" in name:
            raise EventStreamError("the peer's event stream names an event with a NUL: refused")
        return Event(id=self._id, name=name or "message", data="\n".join(data))
