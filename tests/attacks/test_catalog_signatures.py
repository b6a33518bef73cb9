"""Stories: somebody publishes in the provider's name without the keys that count, or without enough of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from federation.catalog.listing import LISTING_TARGET
from federation.catalog.reader import CatalogReader
from federation.catalog.roles import Role
from federation.catalog.root import sign_root
from federation.catalog.tufkeys import key_id, tuf_key
from federation.digest import Digest
from federation.errors import OversizedError, StaleError, TamperedError
from federation.keys import PrivateKey
from tests.support.catalogs import Answer, Shops, content, disk, listing, sealed

STAMP = "metadata/timestamp.json"
ANN, BOB, CAT, EVE = (PrivateKey(name * 32) for name in (b"a", b"b", b"c", b"e"))


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    """A catalogue that globex has read."""
    made = Shops(tmp_path)
    made.read()
    return made


def three_hold_the_root(shops: Shops) -> None:
    """Two of Ann, Bob and Cat sign each root from now on."""
    online = [one.key for one in shops.publisher.info().keys if one.role is Role.ROOT]
    document = shops.publisher.prepare_root(
        add=[ANN.public, BOB.public, CAT.public], remove=online, threshold=2
    ).document
    assert document is not None
    shops.publisher.publish_root(sign_root(document, ANN), sign_root(document, BOB))
    shops.read()


def next_root(shops: Shops, *signers: PrivateKey, version: int | None = None, **changes: Any) -> dict[str, Answer]:
    """The root in force with a higher version and ``changes``, signed by ``signers`` alone."""
    signed = json.loads(shops.publisher.root)["signed"]
    number = signed["version"] + 1
    signed.update(changes, version=number if version is None else version)
    return {f"metadata/{number}.root.json": sealed(signed, *signers)}


def with_root_key(shops: Shops, key: PrivateKey) -> dict[str, Any]:
    """The keys and roles of the root in force, but for ``key`` as the only one of root."""
    signed = json.loads(shops.publisher.root)["signed"]
    keys = {**signed["keys"], key_id(key.public): tuf_key(key.public).to_dict()}
    roles = {**signed["roles"], "root": {"keyids": [key_id(key.public)], "threshold": 1}}
    return {"keys": keys, "roles": roles}


@pytest.mark.parametrize("role", [Role.TARGETS, Role.SNAPSHOT, Role.TIMESTAMP])
def test_a_strangers_signature_makes_no_catalogue(shops: Shops, role: Role) -> None:
    """Arbitrary software: metadata of the right form, signed by a key that nobody appointed."""
    shops.publish(2)
    path, _ = shops.current(role)
    false = shops.forged(role, dict, EVE)
    error = "is not signed by enough" if role is Role.TIMESTAMP else "is not the one that its signed catalogue names"
    shops.refuses({path: false}, TamperedError, error)
    assert shops.read().listing == listing(2)


def test_nobody_signs_for_another_role(shops: Shops) -> None:
    """Whoever holds one online key holds that one."""
    false = shops.forged(
        Role.TIMESTAMP,
        lambda signed: signed.update(version=9),
        shops.stolen(Role.TARGETS),
        shops.stolen(Role.SNAPSHOT),
        shops.stolen(Role.ROOT),
    )
    shops.refuses({STAMP: false}, TamperedError, "signed by 0/1 keys")


def test_all_but_the_targets_key_add_no_software(shops: Shops) -> None:
    """Arbitrary software with snapshot's and timestamp's keys stolen: what is installed is named by targets alone."""
    evil = b'{"entries":[]}'
    named = {LISTING_TARGET: {"length": len(evil), "hashes": {"sha256": Digest.of(evil)}}}
    thieves = [shops.stolen(Role.SNAPSHOT), shops.stolen(Role.TIMESTAMP), EVE]
    false = shops.forged(Role.TARGETS, lambda signed: signed.update(version=9, targets=named), *thieves)
    meta = {"targets.json": {"version": 9, "length": len(false), "hashes": {"sha256": Digest.of(false)}}}
    lies = shops.with_stolen_online_keys(9, {"meta": meta})
    shops.refuses({**lies, "metadata/9.targets.json": false}, TamperedError, "9.targets.json is not signed by enough")


def test_each_altered_byte_of_the_timestamp_is_noticed(shops: Shops) -> None:
    """Arbitrary software begins here: what is signed, the signature and the form around both are all looked at."""
    shops.publish(2)
    stamp = shops.metadata("timestamp.json")
    for place in range(0, len(stamp), 7):
        altered = bytearray(stamp)
        altered[place] ^= 0x01
        shops.refuses({STAMP: bytes(altered)}, TamperedError, "not signed by enough|can't be read")
    assert shops.read().listing == listing(2)


def test_the_wrong_listing_or_manifest_is_refused(shops: Shops) -> None:
    """Arbitrary software in place of a target."""
    shops.publish(2)
    path = f"targets/{Digest.of(listing(2).encode())}.{LISTING_TARGET}"
    for wrong in (listing(3).encode(), b"", listing(2).encode()[:-1]):
        shops.refuses({path: wrong}, TamperedError, "served as listing.json is not what")
    catalogue = shops.read()
    for target in content(2):
        with pytest.raises(TamperedError):
            catalogue.check_target(target, b"evil")


@pytest.mark.parametrize("signers", [(), (ANN,), (EVE,), (ANN, EVE), (EVE, ANN)])
def test_a_root_with_too_few_signatures_is_refused(shops: Shops, signers: tuple[PrivateKey, ...]) -> None:
    """One key of a root with a threshold of two was stolen."""
    three_hold_the_root(shops)
    shops.refuses(next_root(shops, *signers), TamperedError, f"signed by {int(ANN in signers)}/2 keys")


def test_a_signature_given_twice_counts_once(shops: Shops) -> None:
    """The threshold is one of keys."""
    three_hold_the_root(shops)
    (path, document), *_ = next_root(shops, ANN).items()
    assert document is not None
    twice = json.loads(document)
    twice["signatures"] *= 2
    shops.refuses({path: json.dumps(twice).encode()}, TamperedError, "can't be read as a part of a catalogue")
    again = json.loads(document)
    again["signatures"].append({**again["signatures"][0], "keyid": key_id(BOB.public)})
    shops.refuses({path: json.dumps(again).encode()}, TamperedError, "signed by 1/2 keys")


def test_a_root_signed_only_by_its_own_keys_is_refused(shops: Shops) -> None:
    """Anybody can make one that is."""
    shops.refuses(next_root(shops, EVE, **with_root_key(shops, EVE)), TamperedError, "2.root.json is not signed")


def test_a_root_signed_only_by_the_old_keys_is_refused(shops: Shops) -> None:
    """Else trust could be handed to keys that nobody holds."""
    old = shops.stolen(Role.ROOT)
    shops.refuses(next_root(shops, old, **with_root_key(shops, EVE)), TamperedError, "2.root.json is not signed")


def test_a_root_signed_by_both_is_followed(shops: Shops) -> None:
    """Else the refusals above would say nothing."""
    lies = next_root(shops, shops.stolen(Role.ROOT), EVE, **with_root_key(shops, EVE))
    assert shops.read(lies).root_version == 2


@pytest.mark.parametrize("version", [0, 1, 3, 4, -2])
def test_a_root_with_a_version_skipped_or_repeated_is_refused(shops: Shops, version: int) -> None:
    """Whoever skips one skips what it took back."""
    three_hold_the_root(shops)
    if version == 3:
        assert shops.read(next_root(shops, ANN, BOB)).root_version == 3
        return
    lies = next_root(shops, ANN, BOB, version=version)
    error = StaleError if version > 0 else TamperedError
    shops.refuses(lies, error, "Expected root version 3" if version > 0 else "can't be read")


@pytest.mark.parametrize("role", [Role.TARGETS, Role.SNAPSHOT, Role.TIMESTAMP])
def test_a_replaced_key_signs_nothing_any_more(shops: Shops, role: Role) -> None:
    """The key was stolen; it was replaced for that."""
    thief = shops.stolen(role)
    shops.publish(2)
    shops.publisher.rotate(role)
    shops.read()
    false = shops.forged(role, lambda signed: signed.update(version=9), thief)
    named = {"version": 9, "length": len(false), "hashes": {"sha256": Digest.of(false)}}
    if role is Role.TIMESTAMP:
        lies: dict[str, Answer] = {STAMP: false}
    elif role is Role.SNAPSHOT:
        change = {"version": 9, "meta": {"snapshot.json": named}}
        stamp = shops.forged(Role.TIMESTAMP, lambda signed: signed.update(change), shops.stolen(Role.TIMESTAMP))
        lies = {STAMP: stamp, "metadata/9.snapshot.json": false}
    else:
        lies = shops.with_stolen_online_keys(9, {"meta": {"targets.json": named}})
        lies["metadata/9.targets.json"] = false
    shops.refuses(lies, TamperedError, f"{role.value}.json is not signed by enough")


def test_a_replaced_root_key_makes_no_root_any_more(shops: Shops) -> None:
    """The old root key was stolen after the root was taken offline."""
    thief = shops.stolen(Role.ROOT)
    three_hold_the_root(shops)
    shops.refuses(next_root(shops, thief), TamperedError, "signed by 0/2 keys")
    shops.refuses(next_root(shops, thief, **with_root_key(shops, thief)), TamperedError, "signed by 0/2 keys")


def test_trust_does_not_begin_with_a_root_that_its_keys_did_not_sign(shops: Shops, tmp_path: Path) -> None:
    """It came with a signed link, but that says who sent it, not that it is whole."""
    root = json.loads(shops.publisher.root)
    reader = CatalogReader(tmp_path / "new")
    unsigned = json.dumps({**root, "signatures": []}).encode()
    other = sealed({**root["signed"], "version": 7}, EVE)
    for document in (unsigned, other, b"", b"[]", shops.current(Role.TARGETS)[1]):
        with pytest.raises(TamperedError):
            reader.trust(document)
    with pytest.raises(OversizedError):
        reader.trust(shops.publisher.root + b" " * 512_000)
    assert not (tmp_path / "new").exists()
    before = disk(shops.trusted)
    with pytest.raises(TamperedError):
        shops.reader.trust(unsigned)
    assert disk(shops.trusted) == before


def test_a_repository_of_another_kind_is_refused(shops: Shops, tmp_path: Path) -> None:
    """Validly signed, and no catalogue: without a listing, or with paths that lead elsewhere."""
    shops.publisher.publish({"manifests/x.json": b"x"})
    shops.refuses({}, TamperedError, "has no listing")
    named = {"../../keys/node": {"length": 1, "hashes": {"sha256": Digest.of(b"x")}}}
    shops.refuses(_targets(shops, named), TamperedError, "can't be read as a part of a catalogue")
    unhashed = {LISTING_TARGET: {"length": 1, "hashes": {"sha512": "00"}}}
    shops.refuses(_targets(shops, unhashed), TamperedError, "names no SHA-256")


def _targets(shops: Shops, named: dict[str, Any]) -> dict[str, Answer]:
    """A whole catalogue with these targets, all of it signed with the provider's own keys."""
    false = shops.forged(
        Role.TARGETS, lambda signed: signed.update(version=9, targets=named), shops.stolen(Role.TARGETS)
    )
    meta = {"targets.json": {"version": 9, "length": len(false), "hashes": {"sha256": Digest.of(false)}}}
    return {**shops.with_stolen_online_keys(9, {"meta": meta}), "metadata/9.targets.json": false}
