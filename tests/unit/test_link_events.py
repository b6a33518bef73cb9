"""Server-sent events as bytes and back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import InvalidValueError, OversizedError
from federation.link.events import HEARTBEAT, Event, EventParser, EventStreamError, encode_event

LINE = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=30)
EVENTS = st.builds(
    Event,
    id=LINE,
    name=LINE.filter(bool),
    data=st.text(st.characters(blacklist_characters="\r", blacklist_categories=["Cs"]), max_size=60),
)


def with_carried_ids(events: list[Event]) -> list[Event]:
    """A stream's last id holds until it names another."""
    found: list[Event] = []
    last = ""
    for event in events:
        last = event.id or last
        found.append(Event(id=last, name=event.name, data=event.data))
    return found


def parsed(content: bytes, cuts: list[int] | None = None) -> list[Event]:
    parser = EventParser()
    edges = [0, *sorted(cut % (len(content) + 1) for cut in cuts or []), len(content)]
    return [event for start, end in pairwise(edges) for event in parser.feed(content[start:end])]


@given(st.lists(EVENTS, max_size=6), st.lists(st.integers(0, 10**6), max_size=12), st.booleans())
def test_events_come_back_whatever_the_pieces(events: list[Event], cuts: list[int], beat: bool) -> None:
    """Any events, cut anywhere and with heartbeats between them, come back as they were."""
    content = (HEARTBEAT if beat else b"").join(encode_event(event) for event in events)
    assert parsed(content, cuts) == with_carried_ids(events)


@given(
    st.lists(st.sampled_from([b"data: a", b"data", b"event: x", b":", b"id: 1", b"", b"", b"nonsense"]), max_size=20),
    st.lists(st.sampled_from([b"\n", b"\r", b"\r\n"]), min_size=20, max_size=20),
    st.lists(st.integers(0, 10**6), max_size=10),
)
def test_any_line_ending_and_any_cut_mean_the_same(lines: list[bytes], ends: list[bytes], cuts: list[int]) -> None:
    """CR, LF and CR LF end a line alike, also when a piece ends between CR and LF.

    A CR followed by an empty line ended by LF is one CR LF in any reader, so such pairs are left out.
    """
    pairs = list(zip(lines, ends, strict=False))
    kept = [
        (line, b"\n" if before and before[1] == b"\r" and line == b"" and end.startswith(b"\n") else end)
        for before, (line, end) in zip([None, *pairs], pairs, strict=False)
    ]
    content = b"".join(line + end for line, end in kept)
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert parsed(content, cuts) == parsed(plain)


@given(st.binary(max_size=400), st.lists(st.integers(0, 10**6), max_size=8))
def test_any_bytes_end_in_events_or_in_one_of_two_errors(content: bytes, cuts: list[int]) -> None:
    """No bytes of a peer raise anything but the errors that readers know."""
    try:
        parsed(content, cuts)
    except (EventStreamError, OversizedError):
        return


def test_the_example_of_the_specification() -> None:
    """The streams in the WHATWG text give the events that it names."""
    assert parsed(b"data: YHOO\ndata: +2\ndata: 10\n\n") == [Event(data="YHOO\n+2\n10")]
    assert parsed(b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n") == [
        Event(id="1", data="first event"),
        Event(data="second event"),
        Event(data=" third event"),
    ]
    assert parsed(b"data\n\ndata\ndata\n\ndata:") == [Event(), Event(data="\n")]
    assert parsed(b"data:test\n\ndata: test\n\n") == [Event(data="test"), Event(data="test")]


def test_a_byte_order_mark_is_passed_over_at_the_start_only() -> None:
    """A mark before the first field does not hide it."""
    mark = b"\xef\xbb\xbf"
    assert parsed(mark + b"data: a\n\n" + mark + b"data: b\n\n") == [Event(data="a")]


def feed_often(parser: EventParser, piece: bytes) -> None:
    for _ in range(300):
        parser.feed(piece)


def test_an_event_without_an_end_is_refused_when_it_grows_too_large() -> None:
    """A peer can't fill the memory: not by one line, not by many, not by a comment."""
    for piece in (b"x" * 100, b"data: x\n", b":" + b"x" * 100):
        with pytest.raises(OversizedError):
            feed_often(EventParser(most_bytes=1000), piece)


def test_a_whole_event_is_refused_when_it_is_too_large() -> None:
    """An event over the bound is refused also when it comes in one piece."""
    for content in (b"data: " + b"x" * 1000 + b"\n\n", b"data: x\n" * 200 + b"\n"):
        with pytest.raises(OversizedError):
            EventParser(most_bytes=1000).feed(content)


def test_heartbeats_may_come_for_ever() -> None:
    """Comments between events do not count towards an event."""
    parser = EventParser(most_bytes=100)
    assert [event for _ in range(1000) for event in parser.feed(HEARTBEAT)] == []
    assert parser.feed(b"data: still here\n\n") == [Event(data="still here")]


def test_many_events_in_one_piece_are_not_too_large() -> None:
    """The bound is per event, not per piece."""
    assert len(EventParser(most_bytes=100).feed(b"data: x\n\n" * 1000)) == 1000


def test_the_largest_event_that_can_be_sent_can_be_read() -> None:
    """Writer and reader have the same bound."""
    room = limits.EVENT_BYTES - len(encode_event(Event(data="")))
    assert parsed(encode_event(Event(data="x" * room))) == [Event(data="x" * room)]
    with pytest.raises(OversizedError):
        encode_event(Event(data="x" * (room + 1)))


def test_a_value_that_would_break_the_stream_can_not_be_made() -> None:
    """Line breaks in an id or a name would forge fields."""
    for fields in ({"id": "1\ndata: x"}, {"name": "a\rb"}, {"name": ""}, {"data": "a\rb"}, {"id": "\0"}):
        with pytest.raises(InvalidValueError):
            Event(**fields)


def test_text_that_is_not_utf8_is_refused() -> None:
    """Damaged text is an error, not a guess."""
    with pytest.raises(EventStreamError):
        parsed(b"data: \xff\n\n")
