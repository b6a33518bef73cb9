"""Changes of a catalogue's keys: alone, with an offline root of k of n keys, by several hands; and what is told."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.catalog.ceremony import Ceremony
from federation.catalog.roles import Role
from federation.catalog.root import Appointment, appointments, build, merge, missing, parse, sign_root
from federation.errors import ConflictError, InvalidValueError, OversizedError, TamperedError, VUpdateError
from federation.keys import PrivateKey, PublicKey
from tests.support.catalogs import PROFILE, Shops, content, disk, listing
from tests.support.clock import FIXED_START

ANN, BOB, EVE = (PrivateKey(name * 32) for name in (b"a", b"b", b"e"))


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    return Shops(tmp_path)


def root_keys(shops: Shops) -> list[PublicKey]:
    return [one.key for one in shops.publisher.info().keys if one.role is Role.ROOT]


def take_offline(shops: Shops, threshold: int = 2) -> Ceremony:
    """Ann and Bob hold the root from now on."""
    prepared = shops.publisher.prepare_root(add=[ANN.public, BOB.public], remove=root_keys(shops), threshold=threshold)
    return shops.publisher.publish_root(*signed(prepared, ANN, BOB))


def signed(prepared: Ceremony, *keys: PrivateKey) -> list[bytes]:
    """A copy signed by each of ``keys``, apart from one another."""
    assert prepared.document is not None
    return [sign_root(prepared.document, key) for key in keys]


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_a_new_key_with_the_root_here(shops: Shops, role: Role) -> None:
    """Consumers follow, the old key is gone, and the operator is told what happened."""
    shops.read()
    old = shops.stolen(role)
    done = shops.publisher.rotate(role)
    assert done.root_version == 2
    assert done.document is None
    assert any(role.value in one for one in done.done)
    assert shops.stolen(role).public != old.public
    assert len(list((shops.folder / "keys").iterdir())) == len(Role)
    shops.publish(2)
    assert shops.read().root_version == 2
    assert shops.read().listing == listing(2)


def test_all_roles_get_new_keys_at_once(shops: Shops) -> None:
    """In one root."""
    shops.read()
    old = {shops.stolen(role).public for role in Role}
    shops.publisher.rotate(*Role)
    assert not old & {one.key for one in shops.publisher.info().keys}
    assert shops.read().root_version == 2


def test_a_rotation_names_roles(shops: Shops) -> None:
    """None is a mistake."""
    with pytest.raises(InvalidValueError, match="root and targets and snapshot and timestamp"):
        shops.publisher.rotate()


def test_a_consumer_follows_many_roots_at_once(shops: Shops) -> None:
    """One that was away for long reads each of them, once."""
    for _ in range(12):
        shops.publisher.rotate(Role.ROOT)
    assert shops.read().root_version == 13
    assert shops.asked[:13] == [f"metadata/{version}.root.json" for version in range(2, 15)]
    shops.read()
    assert shops.asked == ["metadata/14.root.json", "metadata/timestamp.json"]


def test_the_root_is_taken_offline(shops: Shops) -> None:
    """Its key leaves the node, everything else goes on, and consumers follow."""
    shops.read()
    done = take_offline(shops)
    assert done.root_version == 2
    assert "can't sign a root alone" in done.left[0]
    assert not list((shops.folder / "keys").glob("root-*"))
    info = shops.publisher.info()
    assert not info.online
    assert info.threshold == 2
    assert set(root_keys(shops)) == {ANN.public, BOB.public}
    shops.publish(2)
    assert shops.read().listing == listing(2)
    assert shops.read().root_version == 2


def test_with_an_offline_root_a_rotation_is_prepared_for_signing(shops: Shops) -> None:
    """The present keys stay in force until it is published; then the new one signs, and the old one is gone."""
    take_offline(shops)
    old = shops.stolen(Role.TARGETS).public
    prepared = shops.publisher.rotate(Role.TARGETS)
    assert prepared.document is not None
    assert f"vupdate catalog root publish {PROFILE}" in prepared.left[-1]
    assert sum("signatures still needed" in one for one in prepared.left) == 2
    shops.publish(2)
    assert shops.stolen(Role.TARGETS).public == old
    assert len(list((shops.folder / "keys").glob("targets-*"))) == 2
    assert shops.publisher.info().prepared == 3
    assert "prepared and not published" in shops.publisher.warnings(shops.clock.now())[0]
    shops.publisher.publish_root(*signed(prepared, BOB, ANN))
    assert shops.stolen(Role.TARGETS).public != old
    assert len(list((shops.folder / "keys").glob("targets-*"))) == 1
    assert shops.publisher.info().prepared is None
    assert shops.read().root_version == 3


def test_copies_are_signed_apart_or_one_after_the_other(shops: Shops) -> None:
    """Both ways give a root that consumers follow."""
    take_offline(shops)
    document = shops.publisher.prepare_root().document
    assert document is not None
    shops.publisher.publish_root(sign_root(sign_root(document, ANN), BOB))
    assert shops.read().root_version == 3


@pytest.mark.parametrize("signers", [[], [ANN], [ANN, EVE], [ANN, ANN]])
def test_too_few_signatures_are_told_by_key_and_change_nothing(shops: Shops, signers: list[PrivateKey]) -> None:
    """The same key twice counts once, a stranger's not at all."""
    take_offline(shops)
    prepared = shops.publisher.prepare_root()
    assert prepared.document is not None
    before = disk(shops.folder)
    with pytest.raises(InvalidValueError, match=f"1 more of .*{BOB.public[:8]}" if signers else "2 more"):
        shops.publisher.publish_root(prepared.document, *signed(prepared, *signers))
    assert disk(shops.folder) == before


def test_a_broken_copy_of_a_signature_does_not_hide_the_right_one(shops: Shops) -> None:
    """A copy was cut off, or signed before the key was told right; the other copy has the good one."""
    take_offline(shops)
    prepared = shops.publisher.prepare_root()
    ann, bob = signed(prepared, ANN, BOB)
    broken = json.loads(ann)
    broken["signatures"][0]["sig"] = "00" * 64
    with pytest.raises(InvalidValueError, match="1 more"):
        shops.publisher.publish_root(json.dumps(broken).encode(), bob)
    shops.publisher.publish_root(json.dumps(broken).encode(), ann, bob)
    assert shops.read().root_version == 3


def test_both_the_old_and_the_new_keys_have_to_sign(shops: Shops) -> None:
    """The new ones alone could be anybody's; the old ones alone could hand over to keys that nobody has."""
    take_offline(shops)
    prepared = shops.publisher.prepare_root(add=[EVE.public], remove=[ANN.public])
    before = disk(shops.folder)
    for signers, match in (([BOB, EVE], "1 more of root 2's keys"), ([ANN, BOB], "1 more of root 3's keys")):
        with pytest.raises(InvalidValueError, match=match):
            shops.publisher.publish_root(*signed(prepared, *signers))
    assert disk(shops.folder) == before
    shops.publisher.publish_root(*signed(prepared, ANN, BOB, EVE))
    assert shops.read().root_version == 3


def test_the_root_comes_back_online(shops: Shops) -> None:
    """With a new key made here and signed in by those who held it."""
    take_offline(shops)
    with pytest.raises(InvalidValueError, match="no private key of the root is on this node"):
        shops.publisher.rotate(Role.ROOT)
    mixed = shops.publisher.prepare_root(threshold=1)
    shops.publisher.publish_root(*signed(mixed, ANN, BOB))
    (shops.folder / "keys" / f"root-{key_file(ANN)}.pem").write_bytes(ANN.to_pem())
    (shops.folder / "keys" / f"root-{key_file(ANN)}.pem").chmod(0o600)
    assert shops.publisher.info().online
    shops.publisher.rotate(Role.ROOT)
    assert ANN.public not in root_keys(shops)
    assert shops.read().root_version == 4


def key_file(key: PrivateKey) -> str:
    from federation.catalog.tufkeys import key_id

    return key_id(key.public)[:8]


def test_an_offline_root_that_expires_is_reported_in_time(shops: Shops) -> None:
    """With the date and the command; and it is renewed by the same hands."""
    take_offline(shops)
    assert shops.publisher.warnings(shops.clock.now()) == []
    shops.clock.advance(280 * 86_400)
    shops.publisher.refresh()
    (warning,) = shops.publisher.warnings(shops.clock.now())
    assert "expires on 2027-03-01" in warning
    assert f"run 'vupdate catalog root prepare {PROFILE}'" in warning
    shops.clock.advance(90 * 86_400)
    assert "expired on" in shops.publisher.warnings(shops.clock.now())[0]
    shops.publisher.publish_root(*signed(shops.publisher.prepare_root(), ANN, BOB))
    shops.publisher.refresh()
    assert shops.publisher.warnings(shops.clock.now()) == []
    assert shops.read().root_version == 3


def test_a_root_online_is_not_renewed_while_another_is_out_for_signing(shops: Shops) -> None:
    """It would make that one void. When it presses, it is."""
    shops.clock.advance(100 * 86_400)
    shops.publisher.prepare_root(add=[ANN.public], threshold=2)
    shops.clock.advance(100 * 86_400)
    shops.publisher.refresh()
    assert shops.publisher.info().version == 1
    shops.clock.advance(80 * 86_400)
    shops.publisher.refresh()
    assert shops.publisher.info().version == 2
    assert shops.publisher.info().prepared is None


def test_a_later_preparation_makes_an_earlier_one_void(shops: Shops) -> None:
    """Its keys are gone, so that publishing it would leave the node without: it is refused."""
    take_offline(shops)
    first = shops.publisher.rotate(Role.TARGETS)
    second = shops.publisher.rotate(Role.TIMESTAMP)
    before = disk(shops.folder)
    with pytest.raises(ConflictError, match="keys for targets whose private parts are not on this node"):
        shops.publisher.publish_root(*signed(first, ANN, BOB))
    assert disk(shops.folder) == before
    shops.publisher.publish_root(*signed(second, ANN, BOB))
    with pytest.raises(TamperedError, match="root 3 does not follow root 3"):
        shops.publisher.publish_root(*signed(first, ANN, BOB))
    assert shops.read().root_version == 3


def test_a_rotation_makes_a_waiting_preparation_void_and_says_so(shops: Shops) -> None:
    """Both would be the next root."""
    waiting = shops.publisher.prepare_root(add=[ANN.public])
    done = shops.publisher.rotate(Role.TIMESTAMP)
    assert "prepared for signing is void" in done.left[0]
    assert shops.publisher.info().prepared is None
    with pytest.raises(TamperedError, match="prepare a new one"):
        shops.publisher.publish_root(*signed(waiting, ANN))
    assert "void" not in shops.publisher.rotate(Role.TIMESTAMP).left[0]


def test_an_expired_preparation_is_not_published(shops: Shops) -> None:
    """Consumers would refuse it."""
    take_offline(shops)
    prepared = shops.publisher.prepare_root()
    shops.clock.advance(366 * 86_400)
    with pytest.raises(InvalidValueError, match="has expired"):
        shops.publisher.publish_root(*signed(prepared, ANN, BOB))


def test_a_root_changed_on_its_way_is_not_published(shops: Shops) -> None:
    """Nobody's signature fits it, that of the node neither: it does not sign what it is brought."""
    prepared = shops.publisher.prepare_root(add=[ANN.public], threshold=1)
    assert prepared.document is not None
    altered = json.loads(prepared.document)
    names = json.dumps(altered).replace(ANN.public.raw.hex(), EVE.public.raw.hex())
    before = disk(shops.folder)
    with pytest.raises(InvalidValueError, match="not signed by enough keys"):
        shops.publisher.publish_root(sign_root(names.encode(), EVE))
    with pytest.raises(InvalidValueError, match="not copies of one root"):
        shops.publisher.publish_root(prepared.document, names.encode())
    assert disk(shops.folder) == before


@pytest.mark.parametrize(
    ("wish", "match"),
    [
        ({"remove": [ANN.public]}, "not one of the role's keys"),
        ({"threshold": 2}, "of 1 keys from 1 to 1"),
        ({"threshold": 0}, "of 1 keys"),
        ({"add": [ANN.public, ANN.public]}, "each of its keys once"),
    ],
)
def test_a_preparation_that_can_not_be_met_is_refused(shops: Shops, wish: dict[str, object], match: str) -> None:
    """And nothing is kept of it."""
    before = disk(shops.folder)
    with pytest.raises(InvalidValueError, match=match):
        shops.publisher.prepare_root(**wish)  # type: ignore[arg-type]  # one of several kinds of mistakes
    assert disk(shops.folder) == before


def test_a_preparation_with_all_keys_here_needs_no_more_signatures(shops: Shops) -> None:
    """It only has to be published."""
    prepared = shops.publisher.prepare_root()
    assert not any("still needed" in one for one in prepared.left)
    assert prepared.document is not None
    assert "can sign the next root alone" in shops.publisher.publish_root(prepared.document).left[0]


@given(st.binary(max_size=80) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr).map(str.encode))
def test_what_is_no_root_is_refused(document: bytes) -> None:
    """To be signed, merged or parsed; by errors of ours only."""
    for act in (parse, lambda one: sign_root(one, ANN), lambda one: merge([one])):
        with pytest.raises(VUpdateError):
            act(document)


def test_other_metadata_is_not_signed_as_a_root(shops: Shops) -> None:
    """Else a root key could be made to sign what it must not."""
    for role in (Role.TARGETS, Role.SNAPSHOT, Role.TIMESTAMP):
        with pytest.raises(TamperedError, match="not the root"):
            sign_root(shops.current(role)[1], ANN)
    with pytest.raises(OversizedError):
        sign_root(b" " * 512_001, ANN)
    with pytest.raises(InvalidValueError, match="at least one"):
        merge([])


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n), st.sets(st.integers(0, n - 1)))))
def test_k_of_n_means_k_of_n(case: tuple[int, int, set[int]]) -> None:
    """A root counts exactly when at least the threshold of its keys have signed."""
    count, threshold, signers = case
    keys = [PrivateKey(bytes([number]) * 32) for number in range(1, count + 1)]
    root = Appointment(keys=tuple(key.public for key in keys), threshold=threshold)
    others = dict.fromkeys((Role.TARGETS, Role.SNAPSHOT, Role.TIMESTAMP), Appointment(keys=(EVE.public,)))
    first = build(1, {Role.ROOT: root, **others}, FIXED_START)
    assert appointments(first.signed)[Role.ROOT] == root
    document = build(2, {Role.ROOT: root, **others}, FIXED_START).to_bytes()
    copies = [document, *(sign_root(document, keys[number]) for number in signers)]
    lacking = missing(merge(copies), first.signed)
    assert bool(lacking) == (len(signers) < threshold)
    assert all(one.count == threshold - len(signers) for one in lacking)


def test_targets_survive_all_changes_of_keys(shops: Shops) -> None:
    """What was published stays published, byte for byte."""
    take_offline(shops)
    shops.publisher.publish_root(*signed(shops.publisher.rotate(Role.TARGETS, Role.SNAPSHOT), ANN, BOB))
    catalogue = shops.read()
    for path, expected in content(1).items():
        file = shops.publisher.target(catalogue.url_path(path).removeprefix("targets/"))
        assert catalogue.check_target(path, file.read_bytes()) == expected
