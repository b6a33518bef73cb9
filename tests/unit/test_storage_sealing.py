"""Sealed records, and the file of their key."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import CorruptError
from node.storage.sealing import KEY_BYTES, SealError, SealingKey, SealingKeyFile

KEY = SealingKey(bytes(range(KEY_BYTES)))
ABOUT = b'["shop","tls.key"]'


@given(st.binary(max_size=2000), st.binary(max_size=50))
def test_what_was_sealed_is_opened(content: bytes, about: bytes) -> None:
    """And nothing of it stands in the record."""
    record = KEY.seal(content, about)
    assert KEY.open(record, about) == content
    assert len(content) < 8 or content not in record


def test_no_two_records_are_alike() -> None:
    """Else it would be seen that a file was put again without a change."""
    assert len({KEY.seal(b"secret", ABOUT) for _ in range(50)}) == 50


def test_each_altered_byte_is_noticed() -> None:
    """Wherever it stands; a record that is cut off or empty, too. None is ever an empty content."""
    record = KEY.seal(b"secret", ABOUT)
    altered = [record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :] for at in range(len(record))]
    for damaged in [*altered, *(record[:length] for length in range(len(record))), record + b"x"]:
        with pytest.raises(SealError):
            KEY.open(damaged, ABOUT)


def test_a_record_is_opened_for_what_it_is_about() -> None:
    """One that was put in the place of another is refused."""
    with pytest.raises(SealError, match="something else"):
        KEY.open(KEY.seal(b"secret", ABOUT), b'["shop","other.key"]')


def test_another_key_is_told_from_damage() -> None:
    """What to do differs: the key has to be restored, not the record."""
    with pytest.raises(SealError, match="another key"):
        SealingKey.generate().open(KEY.seal(b"secret", ABOUT), ABOUT)


def test_a_fingerprint_needs_the_key() -> None:
    """Equal for equal contents, another one under another key or about something else, and no digest of anything."""
    found = KEY.fingerprint(b"1234", ABOUT)
    assert found == KEY.fingerprint(b"1234", ABOUT)
    assert len({found, SealingKey.generate().fingerprint(b"1234", ABOUT), KEY.fingerprint(b"1234", b"x")}) == 3
    assert "SealingKey()" in repr(KEY)


def test_the_key_is_made_when_it_is_first_needed(tmp_path: Path) -> None:
    """Readable by its owner only, in one step, and then always the same."""
    file = SealingKeyFile(tmp_path / "keys" / "private-files.key")
    with pytest.raises(CorruptError, match="is gone: restore it"):
        file.load()
    made = file.obtain()
    assert file.load() == file.obtain() == made
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["private-files.key"]


def test_a_key_that_is_no_secret_or_damaged_is_refused(tmp_path: Path) -> None:
    """And never replaced by another one: what it sealed would be lost."""
    file = SealingKeyFile(tmp_path / "private-files.key")
    file.obtain()
    file.path.chmod(0o640)
    with pytest.raises(CorruptError, match="chmod 600"):
        file.obtain()
    file.path.chmod(0o600)
    file.path.write_bytes(b"short")
    with pytest.raises(CorruptError, match="damaged"):
        file.obtain()
    assert file.path.read_bytes() == b"short"
