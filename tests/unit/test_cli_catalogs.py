"""The keys of a catalogue changed through the command line, step by step, with a reader who follows each step."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from federation.catalog.catalogue import Catalogue
from federation.catalog.reader import CatalogReader
from federation.digest import Digest
from federation.errors import StaleError
from node.usecases.catalog_keys import ALARM, CatalogKeys
from tests.support.cli import Run, shell
from tests.support.graphql_server import running
from tests.support.publishing import Publisher, published


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A shell for the data folder of this test."""
    return shell(tmp_path / "data", capsys, monkeypatch)


@pytest.fixture
def acme(tmp_path: Path) -> Publisher:
    """A node that shares its shop with everybody."""
    return asyncio.run(published(tmp_path / "acme", "shop", public=True))


@pytest.fixture
def node(acme: Publisher, tmp_path: Path) -> Iterator[None]:
    """The command line's way to it."""
    keys = catalog_keys(acme)
    with running(SimpleNamespace(catalog_keys=keys), tmp_path / "data"):
        yield


def catalog_keys(acme: Publisher) -> CatalogKeys:
    return CatalogKeys(
        catalogs=acme.catalogs, profiles=acme.profiles, alarms=acme.alarms, audit=acme.audit, clock=acme.clock
    )


class Follower:
    """A consumer that read the catalogue before anything changed, and reads it again after each step."""

    def __init__(self, acme: Publisher, folder: Path) -> None:
        self.acme = acme
        self.reader: CatalogReader = asyncio.run(acme.reader(folder))

    def reads(self) -> Catalogue:
        # As another process would: the node's own state of mind is left alone.
        return asyncio.run(self.acme.restarted().read(self.reader, None))


@pytest.fixture
def follower(acme: Publisher, tmp_path: Path) -> Follower:
    """It has read the catalogue once."""
    made = Follower(acme, tmp_path / "reader")
    assert made.reads().root_version == 1
    return made


def make_keys(run: Run, folder: Path, *names: str) -> dict[str, str]:
    """Keys of these people; the id of each."""
    folder.mkdir()
    return {name: run("catalog", "key", "new", str(folder / f"{name}.pem"), "--json").json["id"] for name in names}


def test_each_role_is_rotated_with_one_command(run: Run, node: None, follower: Follower) -> None:
    """It says what it did and that nothing is left to do; readers follow by themselves."""
    for version, role in enumerate(("timestamp", "snapshot", "targets", "root"), start=2):
        ran = run("catalog", "rotate", "public", role)
        assert ran.status == 0, ran.err
        assert f"made a new key for {role}" in ran.out
        assert "Left:\n  - nothing" in ran.out
        assert follower.reads().root_version == version
    assert follower.reads().listing.serial == 1


def test_a_catalogue_shows_its_roles_and_what_to_compare(run: Run, node: None, acme: Publisher) -> None:
    """Versions, expiries, keys and thresholds of all roles, and the digest of the root; for tools as one document."""
    ran = run("catalog", "show", "public")
    for text in ("everybody", "ROLE", "timestamp", "snapshot", "targets", "1 of 1", "on this node"):
        assert text in ran.out
    found = run("catalog", "show", "public", "--json").json
    root = (acme.folder / "tuf/public/metadata/1.root.json").read_bytes()
    assert found["root"] == Digest.of(root)
    assert found["root"][:8] in ran.out
    assert {one["role"] for one in found["roles"]} == {"ROOT", "TARGETS", "SNAPSHOT", "TIMESTAMP"}
    listed = run("catalog", "list", "--json").json
    assert listed == [found]
    assert "1 of 1, on this node" in run("catalog", "list").out
    assert run("catalog", "show", "nothing").status == 6


def move_root(run: Run, follower: Follower, tmp_path: Path, acme: Publisher) -> None:
    """Two of alice, bob and carol sign the root from now on, and this node can't."""
    folder, root = tmp_path / "people", tmp_path / "root.json"
    ids = make_keys(run, folder, "alice", "bob", "carol")
    old = next(one for one in run("catalog", "show", "public", "--json").json["roles"] if one["role"] == "ROOT")
    ran = run(
        *("catalog", "root", "prepare", "public", "--threshold", "2", "--remove", old["keys"][0]["id"][:12]),
        *(part for name in ids for part in ("--add", str(folder / f"{name}.pub"))),
        *("--out", str(root)),
    )
    assert ran.status == 0, ran.err
    assert "prepared root 2; until it is published the present keys stay in force" in ran.out
    assert str(root) in ran.out
    assert follower.reads().root_version == 1

    copies = {name: tmp_path / f"root-{name}.json" for name in ("alice", "bob")}
    for copy in copies.values():
        copy.write_bytes(root.read_bytes())
    signed = run("catalog", "root", "sign", str(copies["alice"]), "--key", str(folder / "alice.pem"))
    assert f"signed root 2 in {copies['alice']} with key {ids['alice'][:16]}" in signed.out
    assert "asks for 2 of these keys" in signed.out
    early = run("catalog", "root", "publish", "public", str(copies["alice"]))
    assert early.status != 0
    assert "1 more of root 2's keys" in early.err
    assert follower.reads().root_version == 1

    run("catalog", "root", "sign", str(copies["bob"]), "--key", str(folder / "bob.pem"))
    done = run("catalog", "root", "publish", "public", *map(str, copies.values()))
    assert done.status == 0, done.err
    assert "this node can't sign a root alone" in done.out
    assert follower.reads().root_version == 2
    assert not list((acme.folder / "tuf/public/keys").glob("root-*"))


def test_the_root_moves_to_two_of_three_people(
    run: Run, node: None, follower: Follower, tmp_path: Path, acme: Publisher
) -> None:
    """Prepared here, signed apart on machines without a node, published here; each step says what it did."""
    move_root(run, follower, tmp_path, acme)
    assert "2 of 3, elsewhere" in run("catalog", "list").out


def test_with_an_offline_root_a_rotation_waits_for_its_people(
    run: Run, node: None, follower: Follower, tmp_path: Path, acme: Publisher
) -> None:
    """The same command prepares a root instead and says so; a warning sounds until it is published."""
    move_root(run, follower, tmp_path, acme)
    folder, root = tmp_path / "people", tmp_path / "next.json"
    ran = run("catalog", "rotate", "public", "timestamp", "--out", str(root))
    assert ran.status == 0, ran.err
    assert "prepared root 3" in ran.out
    assert follower.reads().root_version == 2
    assert "waits for signatures" in run("catalog", "show", "public").out
    (alarm,) = asyncio.run(acme.alarms.open())
    assert (alarm.kind, alarm.subject) == (ALARM, "public")
    for name in ("carol", "alice"):
        assert run("catalog", "root", "sign", str(root), "--key", str(folder / f"{name}.pem")).status == 0
    assert run("catalog", "root", "publish", "public", str(root)).status == 0
    assert follower.reads().root_version == 3
    assert asyncio.run(acme.alarms.open()) == []


def test_an_offline_root_that_grows_old_is_an_alarm(
    run: Run, node: None, follower: Follower, tmp_path: Path, acme: Publisher
) -> None:
    """Three months before it expires its operator is told; expired, readers refuse it; signed anew, all is well."""
    move_root(run, follower, tmp_path, acme)
    assert asyncio.run(acme.alarms.open()) == []
    acme.fake_clock.advance(timedelta(days=300).total_seconds())
    asyncio.run(catalog_keys(acme.restarted()).look())
    (alarm,) = asyncio.run(acme.alarms.open())
    assert "the offline root 2 of catalogue public expires on" in alarm.message
    assert "vupdate catalog root prepare public" in alarm.message
    assert follower.reads().root_version == 2
    acme.fake_clock.advance(timedelta(days=66).total_seconds())
    with pytest.raises(StaleError):
        follower.reads()
    root = tmp_path / "another-year.json"
    assert run("catalog", "root", "prepare", "public", "--out", str(root)).status == 0
    for name in ("alice", "bob"):
        run("catalog", "root", "sign", str(root), "--key", str(tmp_path / "people" / f"{name}.pem"))
    assert run("catalog", "root", "publish", "public", str(root)).status == 0
    assert follower.reads().root_version == 3
    asyncio.run(catalog_keys(acme.restarted()).look())
    assert asyncio.run(acme.alarms.open()) == []


def test_keys_are_made_where_only_their_owner_reads_them(run: Run, tmp_path: Path) -> None:
    """Two files, the private one 0600; none is ever overwritten, and the private part is printed nowhere."""
    file = tmp_path / "alice.pem"
    ran = run("catalog", "key", "new", str(file))
    assert ran.status == 0
    assert file.stat().st_mode & 0o077 == 0
    private = file.read_text().splitlines()[1]
    assert private not in ran.out + ran.err
    assert (tmp_path / "alice.pub").read_text().strip() not in private
    before = file.read_bytes()
    assert run("catalog", "key", "new", str(file)).status == 5
    assert file.read_bytes() == before
    assert json.loads(run("catalog", "key", "new", str(file), "--json").err)["error"]["code"] == "exists"


def test_mistakes_say_what_to_do(run: Run, node: None, tmp_path: Path) -> None:
    """A private key given away, files that are not there, not roots or in the way, keys that nobody knows."""
    make_keys(run, tmp_path / "people", "alice")
    alice, out = tmp_path / "people" / "alice.pem", tmp_path / "root.json"
    prepare = ("catalog", "root", "prepare", "public", "--out", str(out))
    assert "give the .pub file beside it" in run(*prepare, "--add", str(alice)).err
    assert "no root key has an id that begins with 'ffff'" in run(*prepare, "--remove", "ffff").err
    assert "there is no file" in run(*prepare, "--add", str(tmp_path / "none")).err
    assert "not 5" in run(*prepare, "--threshold", "5").err
    assert not out.exists()
    assert run(*prepare).status == 0
    assert "is there already" in run(*prepare).err
    assert "there is no file" in run("catalog", "root", "sign", str(out), "--key", str(tmp_path / "none")).err
    other = tmp_path / "other.json"
    other.write_text('{"signed": {}}')
    ran = run("catalog", "root", "sign", str(other), "--key", str(alice))
    assert (ran.status, "not root metadata" in ran.err) == (1, True)
    assert "not root metadata" in run("catalog", "root", "publish", "public", str(other)).err
    alice.chmod(0o644)
    assert f"chmod 600 {alice}" in run("catalog", "root", "sign", str(out), "--key", str(alice)).err


def test_a_key_that_the_root_does_not_name_may_sign_but_is_told(run: Run, node: None, tmp_path: Path) -> None:
    """A key to be removed has to sign too, so it is no mistake as such."""
    make_keys(run, tmp_path / "people", "mallory")
    out = tmp_path / "root.json"
    run("catalog", "root", "prepare", "public", "--out", str(out))
    ran = run("catalog", "root", "sign", str(out), "--key", str(tmp_path / "people" / "mallory.pem"))
    assert ran.status == 0
    assert "does not name the key that signed" in ran.err
