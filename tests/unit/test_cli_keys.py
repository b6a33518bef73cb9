"""``vupdate key rotate``: what it says before, what it does, and what it leaves alone."""

import json
from pathlib import Path

import pytest

from federation.keychange import follow
from federation.keys import PrivateKey
from federation.names import NodeName
from node.config import create_node, load_settings
from node.keyfolder import KeyFolder
from node.lifecycle import locked
from tests.support.cli import Run, shell

ACME = NodeName("acme")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell beside a node that is stopped."""
    create_node(tmp_path, name=ACME, host="127.0.0.1", port=7420, url=None)
    return shell(tmp_path, capsys, monkeypatch)


def folder(data: Path) -> KeyFolder:
    return KeyFolder(data / "keys", ACME)


def test_each_step_is_said_before_and_both_ids_after(run: Run, tmp_path: Path) -> None:
    """And where the statement stands by which the others follow."""
    old = folder(tmp_path).load().key
    ran = run("key", "rotate", "--yes")
    assert ran.status == 0, ran.err
    new = folder(tmp_path).load()
    for text in (
        "1. a new key is made",
        "2. a statement",
        str(tmp_path / "keys" / "changes" / "1.json"),
        "3. the new key takes the place",
        "the old key is removed",
        f"Its old id: {old.id}",
        f"Its new id: {new.key.id}",
        "Make a new backup",
    ):
        assert text in ran.out
    assert follow(old.public, new.key.public, new.chain.envelopes, ACME)
    assert old.to_pem() not in [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]


def test_tools_get_both_ids(run: Run, tmp_path: Path) -> None:
    """As one document, and no private key in it."""
    ran = run("key", "rotate", "--yes", "--json")
    document = json.loads(ran.out)
    assert (document["node"], document["number"], document["finishedEarlier"]) == ("acme", 1, False)
    assert document["newId"] == folder(tmp_path).load().key.id
    assert "PRIVATE" not in ran.out + ran.err


def test_the_old_key_is_kept_only_where_it_was_asked_for(run: Run, tmp_path: Path) -> None:
    """And the command says where."""
    old = folder(tmp_path).load().key
    ran = run("key", "rotate", "--yes", "--keep-old")
    assert str(folder(tmp_path).old(1)) in ran.out
    assert PrivateKey.load(folder(tmp_path).old(1)).public == old.public


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_nothing_happens_where_nobody_can_be_asked(run: Run, tmp_path: Path, options: list[str]) -> None:
    """A script must say that it means it."""
    before = folder(tmp_path).load().key.public
    ran = run("key", "rotate", *options)
    assert (ran.status, "--yes" in ran.err) == (2, True)
    assert folder(tmp_path).load().key.public == before
    assert not folder(tmp_path).upcoming.exists()


def test_a_node_that_runs_keeps_its_key(run: Run, tmp_path: Path) -> None:
    """It must be stopped first."""
    before = folder(tmp_path).load().key.public
    with locked(load_settings(tmp_path)):
        ran = run("key", "rotate", "--yes")
    assert (ran.status, "a node is running" in ran.err) == (5, True)
    assert folder(tmp_path).load().key.public == before


def test_a_change_that_was_broken_off_is_finished_first(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says so, and makes no second one."""
    with monkeypatch.context() as patch:
        patch.setattr(KeyFolder, "_switch", lambda _self: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run("key", "rotate", "--yes").status == 130
    ran = run("key", "rotate", "--yes", "--json")
    assert (ran.status, json.loads(ran.out)["finishedEarlier"]) == (0, True)
    assert len(folder(tmp_path).load().chain.changes) == 1
