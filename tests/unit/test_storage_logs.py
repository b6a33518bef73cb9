"""Blocks of log records, and finding a text in them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import CorruptError
from federation.log import Level, LogRecord
from federation.names import ServiceName
from node.storage.log_block import BLOCK_BYTES, BLOCK_RECORDS, Block, BlockHead, head_of, microseconds, split
from node.storage.log_search import TextFilter
from node.storage.log_values import StreamKey
from node.storage.port import Stored

STREAM = StreamKey(service=ServiceName("shop"), run="r1")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-11))])
records = st.lists(
    st.builds(
        LogRecord,
        sequence=st.integers(1, 10**15),
        time=st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=zones),  # noqa: DTZ001 (zones given)
        level=st.sampled_from(Level),
        message=texts,
        unit=texts,
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda record: record.sequence,
).map(lambda many: sorted(many, key=lambda record: record.sequence))


@given(records)
def test_a_block_gives_back_its_records(many: list[LogRecord]) -> None:
    """Whatever is in them, in whatever zone their times are; through the stored form, too."""
    made = Block.of(STREAM, many)
    block = Block.stored(Stored(made.key, 1, made.body, made.blob))
    assert block == made
    assert list(block.records()) == many
    assert list(block.sequences()) == [record.sequence for record in many]
    assert all(record.time.tzinfo is UTC for record in block.records())


@given(records)
def test_a_head_says_what_is_in_the_block(many: list[LogRecord]) -> None:
    """Its bounds are those of the records, so that passing over it is safe."""
    head = Block.of(STREAM, many).head
    assert (head.first, head.last, head.count) == (many[0].sequence, many[-1].sequence, len(many))
    assert head.since == min(microseconds(record.time) for record in many)
    assert head.until == max(microseconds(record.time) for record in many)
    assert set(head.levels) == {record.level for record in many}
    assert head.stream == STREAM


letters = st.text(st.sampled_from('aAbßsSİıiKkΣσς"\\\n\x1b/é'), max_size=6)


@given(st.lists(letters, min_size=1, max_size=5), letters, st.booleans())
def test_passing_over_a_block_loses_no_match(messages: list[str], text: str, match_case: bool) -> None:
    """The look at a block's bytes never says no where one of its messages holds the text."""
    many = [
        LogRecord(sequence=number, time=datetime(2026, 1, 1, tzinfo=UTC), level=Level.INFO, message=message)
        for number, message in enumerate(messages, 1)
    ]
    found = TextFilter(text, match_case=match_case)
    content = Block.of(STREAM, many).content()
    if any(found.is_in(message) for message in messages):
        assert found.may_be_in(content)


@pytest.mark.parametrize(
    ("message", "text", "match_case", "wanted"),
    [
        ("Grüße", "GRÜSSE", False, True),
        ("Grüße", "grüße", True, False),
        ('say "no"', '"NO"', False, True),
        ("a\nb", "a\nb", False, True),
        ("a\\nb", "a\nb", False, False),
        ("ПРИВЕТ", "привет", False, True),
        ("abc", "", False, True),
    ],
)
def test_a_text_is_found_regardless_of_case(message: str, text: str, match_case: bool, wanted: bool) -> None:
    """By Unicode's folding; exactly where that is asked for."""
    assert TextFilter(text, match_case=match_case).is_in(message) is wanted


@given(st.lists(st.integers(0, limits.LOG_MESSAGE_CHARS), max_size=60))
def test_portions_keep_order_and_bounds(sizes: list[int]) -> None:
    """Nothing is lost, and no portion exceeds the bounds."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    many = [
        LogRecord(sequence=number, time=moment, level=Level.INFO, message="x" * size)
        for number, size in enumerate(sizes, 1)
    ]
    portions = list(split(many))
    assert [record for portion in portions for record in portion] == many
    assert all(len(portion) <= BLOCK_RECORDS for portion in portions)
    assert all(sum(len(r.message) for r in portion) <= BLOCK_BYTES for portion in portions)


def test_a_head_that_can_not_be_read_is_corrupt() -> None:
    """And named."""
    with pytest.raises(CorruptError, match="k#1"):
        head_of(Stored("k#1", 1, {"first": "x"}))


@pytest.mark.parametrize("damage", [b"", b"\0", b"nonsense"])
def test_content_that_can_not_be_read_is_corrupt(damage: bytes) -> None:
    """Cut, changed or missing."""
    block = Block.of(
        STREAM, [LogRecord(sequence=1, time=datetime(2026, 1, 1, tzinfo=UTC), level=Level.INFO, message="m")]
    )
    with pytest.raises(CorruptError):
        list(Block("k", block.head, damage + block.blob[:-2]).records())


def test_a_head_knows_whether_numbers_are_missing() -> None:
    """Then the block has to be opened to see which are there."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def head(*sequences: int) -> BlockHead:
        return Block.of(
            STREAM, [LogRecord(sequence=n, time=moment, level=Level.INFO, message="") for n in sequences]
        ).head

    assert head(4, 5, 6).is_whole
    assert not head(4, 6).is_whole
