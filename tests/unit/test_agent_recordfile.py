"""The file of one record."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.recordfile import SLOT_BYTES, RecordFile


def test_the_last_record_is_read(tmp_path: Path) -> None:
    """What was written last is what is read; before the first there is none."""
    file = RecordFile(tmp_path / "sub" / "a.record")
    assert file.read() is None
    for number in range(5):
        file.write(b"record %d" % number)
        assert file.read() == b"record %d" % number
    file.remove()
    assert file.read() is None


def test_a_record_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """A record over a slot leaves the one before it."""
    file = RecordFile(tmp_path / "a.record")
    file.write(b"small")
    with pytest.raises(ValueError, match="does not fit"):
        file.write(b"x" * SLOT_BYTES)
    assert file.read() == b"small"


def test_the_size_never_grows(tmp_path: Path) -> None:
    """All room is taken at the start, so that a full disk can't stop a later write."""
    file = RecordFile(tmp_path / "a.record")
    file.prepare()
    size = (tmp_path / "a.record").stat().st_size
    for _ in range(10):
        file.write(b"y" * 10_000)
    assert (tmp_path / "a.record").stat().st_size == size
    assert [path.name for path in tmp_path.iterdir()] == ["a.record"]


@given(writes=st.integers(1, 6), torn=st.binary(max_size=300), at=st.integers(0, 400))
def test_a_torn_write_leaves_the_record_before(
    tmp_path_factory: pytest.TempPathFactory, writes: int, torn: bytes, at: int
) -> None:
    """Whatever is left of a write that a power cut tore, the record is the last whole one."""
    path = tmp_path_factory.mktemp("torn") / "a.record"
    file = RecordFile(path)
    for number in range(writes):
        file.write(b"record %d" % number)
    next_slot = (writes % 2) * SLOT_BYTES
    content = bytearray(path.read_bytes())
    content[next_slot + at : next_slot + at + len(torn)] = torn
    path.write_bytes(content)
    assert file.read() == b"record %d" % (writes - 1)
    file.write(b"after")
    assert file.read() == b"after"


@pytest.mark.parametrize("content", [b"", b"\n" * 2 * SLOT_BYTES, b"\0" * 2 * SLOT_BYTES, b"garbage" * 9000])
def test_what_is_no_record_is_none(tmp_path: Path, content: bytes) -> None:
    """A file without a whole record has none, whatever it holds."""
    path = tmp_path / "a.record"
    path.write_bytes(content)
    assert RecordFile(path).read() is None
