"""The node's keys on disk: changed in an order that leaves a usable node wherever it is broken off."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from federation import limits
from federation.errors import CorruptError, DiskFullError
from federation.keychange import follow
from federation.keys import PrivateKey
from federation.names import NodeName
from node.keyfolder import KeyFolder, OwnKeys
from tests.support.limited import files_up_to

ACME = NodeName("acme")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FIRST = PrivateKey(b"1" * 32)


class CrashError(BaseException):
    """The power went."""


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """The keys of a node that never changed them."""
    FIRST.save(tmp_path / "keys" / "node.pem")
    return KeyFolder(tmp_path / "keys", ACME)


@contextmanager
def crash_at(step: int, *, before: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The process dies just before or after the ``step``-th file takes its place; yields how many have."""
    real, done = Path.replace, [0]

    def replace(self: Path, target: Any) -> Path:
        if before and done[0] == step:
            raise CrashError
        result = real(self, target)
        done[0] += 1
        if not before and done[0] == step + 1:
            raise CrashError
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        try:
            yield done
        except CrashError:
            done[0] = -1


def private_keys(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.pem"))


def test_a_node_that_never_changed_its_key_has_no_history(folder: KeyFolder) -> None:
    """Its key is the one that it began with."""
    own = folder.load()
    assert (own.key.public, own.chain.changes, own.finished) == (FIRST.public, (), None)


def test_a_change_is_stated_by_both_keys_and_the_old_one_is_gone(folder: KeyFolder, tmp_path: Path) -> None:
    """Nothing on the disk can sign by the old key any more."""
    own = folder.rotate(NOW, keep_old=False)
    assert own.key.public != FIRST.public
    (change,) = follow(FIRST.public, own.key.public, own.chain.envelopes, ACME)
    assert (change.number, change.at) == (1, NOW)
    assert private_keys(tmp_path) == [folder.current]
    assert folder.current.stat().st_mode & 0o777 == 0o600
    assert folder.load().key.public == own.key.public


def test_changes_follow_one_another(folder: KeyFolder) -> None:
    """Each is numbered, and the whole chain leads from the first key."""
    for number in range(3):
        own = folder.rotate(NOW + timedelta(days=number), keep_old=False)
    assert [one.number for one in follow(FIRST.public, own.key.public, own.chain.envelopes, ACME)] == [1, 2, 3]


def test_the_old_key_is_kept_where_it_was_asked_for(folder: KeyFolder) -> None:
    """Under the number of the change that gave it up, for its owner's eyes only."""
    folder.rotate(NOW, keep_old=True)
    assert PrivateKey.load(folder.old(1)).public == FIRST.public
    assert folder.old(1).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("keep_old", [False, True])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("step", range(4))
def test_broken_off_anywhere_the_node_is_usable_and_the_change_can_be_finished(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch, step: int, before: bool, keep_old: bool
) -> None:
    """The next start has the old key and no statement, or the new key and the statement; never one alone."""
    with crash_at(step, before=before, monkeypatch=monkeypatch) as crashed:
        folder.rotate(NOW, keep_old=keep_old)
    steps = 4 if keep_old else 3
    assert (crashed == [-1]) == (step < steps), "each of the steps is one at which it was broken off"
    started = folder.load()
    _check(started)
    again = folder.load()
    assert (again.key.public, again.finished) == (started.key.public, None), "a second start finds nothing to do"
    done = started if started.chain.changes else folder.rotate(NOW + timedelta(hours=1), keep_old=keep_old)
    _check(done)
    assert len(done.chain.changes) == 1
    assert not folder.upcoming.exists()
    assert folder.old(1).exists() == keep_old


def _check(own: OwnKeys) -> None:
    if own.chain.changes:
        follow(FIRST.public, own.key.public, own.chain.envelopes, ACME)
    else:
        assert own.key.public == FIRST.public


def test_a_change_that_was_broken_off_is_finished_and_no_second_one_made(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who types the command again gets the change that he asked for, once."""
    with crash_at(2, before=True, monkeypatch=monkeypatch):
        folder.rotate(NOW, keep_old=False)
    own = folder.rotate(NOW + timedelta(days=1), keep_old=False)
    assert own.finished is not None
    assert own.finished.at == NOW
    assert len(own.chain.changes) == 1


def test_a_full_disk_leaves_the_node_its_key(folder: KeyFolder) -> None:
    """The statement has no room: nothing was given up."""
    with files_up_to(100), pytest.raises(DiskFullError):
        folder.rotate(NOW, keep_old=False)
    assert folder.load().key.public == FIRST.public


def test_keys_and_statements_that_do_not_belong_together_are_refused(folder: KeyFolder) -> None:
    """A key restored from an old backup would sign what nobody believes: the start says so."""
    folder.rotate(NOW, keep_old=True)
    folder.current.write_bytes(folder.old(1).read_bytes())
    with pytest.raises(CorruptError, match="from one backup"):
        folder.load()


def test_a_damaged_statement_is_refused_by_name(folder: KeyFolder) -> None:
    """It is never passed over: without it nobody could follow."""
    folder.rotate(NOW, keep_old=False)
    folder.change(1).write_bytes(b"{}")
    with pytest.raises(CorruptError, match="key changes in"):
        folder.load()


def test_old_statements_fall_away_when_there_are_many(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as others take are shown, the newest; numbers go on."""
    monkeypatch.setattr(limits, "KEY_CHANGES_KEPT", 3)
    for number in range(5):
        own = folder.rotate(NOW + timedelta(days=number), keep_old=False)
    assert [one.number for one in own.chain.changes] == [3, 4, 5]
    assert all(after.old == before.new for before, after in itertools.pairwise(own.chain.changes))
