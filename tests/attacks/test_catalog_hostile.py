"""Stories: the provider itself, or who holds all its keys, sends what should break a reader: too much, or nonsense."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.catalog.catalogue import Catalogue, Wanted
from federation.catalog.listing import LISTING_TARGET
from federation.catalog.roles import Role
from federation.digest import Digest
from federation.errors import OversizedError, TamperedError, VUpdateError
from tests.support.catalogs import Answer, Shops, disk, listing, sealed, served
from tests.support.strategies import json_values

STAMP = "metadata/timestamp.json"
BOUNDS = {
    "root.json": 512_000,
    "timestamp.json": 16_384,
    "snapshot.json": 2_000_000,
    "targets.json": 5_000_000,
    LISTING_TARGET: limits.LISTING_BYTES,
}


@pytest.fixture
def shops(tmp_path: Path) -> Shops:
    """A catalogue that globex has read."""
    made = Shops(tmp_path)
    made.read()
    return made


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Shops:
    """One for many examples: refusals leave it as it is."""
    made = Shops(tmp_path_factory.mktemp("fuzzed"))
    made.read()
    made.publish(2)
    return made


def wanted(shops: Shops, lies: dict[str, Answer]) -> list[Wanted]:
    """All that the reader asks for when it is told ``lies``, until it stops."""
    got: dict[str, Answer] = {}
    asked: list[Wanted] = []
    while True:
        try:
            step = shops.reader.read(got, shops.clock.now())
        except VUpdateError:
            return asked
        if isinstance(step, Catalogue):
            return asked
        asked.append(step)
        got[step.path] = lies[step.path] if step.path in lies else served(shops.publisher, step.path)


def wanted_bytes(shops: Shops, path: str) -> int:
    """How much the reader would take as the answer for ``path``."""
    got: dict[str, Answer] = {}
    while True:
        step = shops.reader.read(got, shops.clock.now())
        assert isinstance(step, Wanted)
        if step.path == path:
            return step.most_bytes
        got[step.path] = served(shops.publisher, step.path)


def bounded(asked: list[Wanted]) -> bool:
    return all(one.most_bytes <= bound for one in asked for end, bound in BOUNDS.items() if one.path.endswith(end))


@pytest.mark.parametrize("length", [10**6 + 1, 10**9, 10**15, 10**40])
def test_endless_metadata_is_never_asked_for(shops: Shops, length: int) -> None:
    """A signed length is no reason to read that much."""
    shops.publish(2)
    named = {"version": 9, "length": length}
    stamp = shops.forged(
        Role.TIMESTAMP,
        lambda signed: signed.update(version=9, meta={"snapshot.json": named}),
        shops.stolen(Role.TIMESTAMP),
    )
    asked = wanted(shops, {STAMP: stamp})
    assert asked[-1].path == "metadata/9.snapshot.json"
    assert bounded(asked)
    asked = wanted(shops, shops.with_stolen_online_keys(10, {"meta": {"targets.json": named}}))
    assert asked[-1].path == "metadata/9.targets.json"
    assert bounded(asked)


def test_an_endless_listing_is_never_asked_for(shops: Shops) -> None:
    """It is refused by the length that the signed targets name."""
    named = {LISTING_TARGET: {"length": 10**12, "hashes": {"sha256": Digest.of(b"")}}}
    false = shops.forged(
        Role.TARGETS, lambda signed: signed.update(version=9, targets=named), shops.stolen(Role.TARGETS)
    )
    meta = {"targets.json": {"version": 9}}
    lies = {**shops.with_stolen_online_keys(9, {"meta": meta}), "metadata/9.targets.json": false}
    assert not any(one.path.startswith("targets/") for one in wanted(shops, lies))
    shops.refuses(lies, OversizedError, f"more than {limits.LISTING_BYTES} are refused")


@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"])
def test_an_answer_over_its_bound_is_refused(shops: Shops, name: str) -> None:
    """Whoever fetches stops there; should it not, the reader does."""
    shops.publish(2)
    path = f"metadata/{name}"
    most = wanted_bytes(shops, path)
    shops.refuses({path: b" " * (most + 1)}, OversizedError, f"longer than it may be .more than {most}")
    assert shops.read().listing == listing(2)


def test_endless_roots_come_to_an_end(shops: Shops, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is valid and of full size, and follows the one before; memory for them all is bounded."""
    monkeypatch.setattr(limits, "CATALOG_READ_BYTES", 1_500_000)
    key = shops.stolen(Role.ROOT)
    signed = json.loads(shops.publisher.root)["signed"]
    lies: dict[str, Answer] = {}
    for version in range(2, 8):
        lies[f"metadata/{version}.root.json"] = sealed({**signed, "version": version, "padding": "x" * 490_000}, key)
    with pytest.raises(OversizedError, match="more than 1500000 bytes"):
        shops.read(lies)
    assert json.loads((shops.trusted / "root.json").read_bytes())["signed"]["version"] == 4


@settings(max_examples=40)
@given(st.sampled_from(["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"]), st.binary(max_size=300))
def test_any_bytes_are_refused_and_change_nothing(fuzzed: Shops, name: str, answer: bytes) -> None:
    """By errors of ours, whatever file they are given out for."""
    fuzzed.refuses({f"metadata/{name}": answer}, _refused(fuzzed, name, answer), "refused")


@settings(max_examples=40)
@given(st.sampled_from(["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"]), json_values())
def test_any_json_is_refused_and_changes_nothing(fuzzed: Shops, name: str, answer: Any) -> None:
    """The same for what can be parsed."""
    text = json.dumps(answer).encode()
    fuzzed.refuses({f"metadata/{name}": text}, _refused(fuzzed, name, text), "refused")


def _refused(shops: Shops, name: str, answer: bytes) -> type[VUpdateError]:
    return OversizedError if len(answer) > wanted_bytes(shops, f"metadata/{name}") else TamperedError


@pytest.mark.parametrize(
    "answer",
    [b"[" * 200_000, b'{"a":' * 50_000, b'{"signatures":[],"signed":{"_type":"root"}}', b"1" * 10_000, b"\xff\xfe"],
)
def test_what_is_made_to_break_parsers_is_refused(shops: Shops, answer: bytes) -> None:
    """Deep nesting, endless numbers, broken text."""
    error = TamperedError if len(answer) <= 512_000 else OversizedError
    shops.refuses({"metadata/2.root.json": answer}, error, "can't be read|longer")
    stamp_error = TamperedError if len(answer) <= 16_384 else OversizedError
    shops.refuses({STAMP: answer}, stamp_error, "can't be read|longer")


def paths_of(value: Any, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where in a JSON value something stands."""
    if isinstance(value, dict):
        inner = [one for key, part in value.items() for one in paths_of(part, (*prefix, key))]
    elif isinstance(value, list):
        inner = [one for place, part in enumerate(value) for one in paths_of(part, (*prefix, place))]
    else:
        inner = []
    return [prefix, *inner] if prefix else inner


@st.composite
def mutations(draw: Callable[..., Any], signed: dict[str, Any]) -> dict[str, Any]:
    """``signed`` with something somewhere replaced, removed or added."""
    changed: dict[str, Any] = json.loads(json.dumps(signed))
    path = draw(st.sampled_from(paths_of(changed)))
    holder: Any = changed
    for step in path[:-1]:
        holder = holder[step]
    kind = draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    plain = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    )
    if kind == "remove":
        del holder[path[-1]]
    elif kind == "add" and isinstance(holder, dict):
        holder[draw(st.text(max_size=8))] = draw(plain)
    else:
        holder[path[-1]] = draw(plain)
    return changed


@settings(max_examples=60)
@given(st.data())
def test_validly_signed_nonsense_is_read_or_refused(fuzzed: Shops, data: st.DataObject) -> None:
    """By who holds all keys: the reader ends with a catalogue or an error of ours; what it asks for is bounded."""
    role = data.draw(st.sampled_from([Role.ROOT, Role.TIMESTAMP, Role.SNAPSHOT, Role.TARGETS]))
    signed = json.loads(fuzzed.current(role)[1])["signed"]
    signed["version"] = 9 if role is not Role.ROOT else 2
    false = sealed(data.draw(mutations(signed)), fuzzed.stolen(role))
    lies: dict[str, Answer] = {}
    if role is Role.ROOT:
        lies["metadata/2.root.json"] = false
    elif role is Role.TIMESTAMP:
        lies[STAMP] = false
    elif role is Role.SNAPSHOT:
        change = {"version": 9, "meta": {"snapshot.json": {"version": 9}}}
        lies["metadata/9.snapshot.json"] = false
        lies[STAMP] = fuzzed.forged(Role.TIMESTAMP, lambda one: one.update(change), fuzzed.stolen(Role.TIMESTAMP))
    else:
        lies = fuzzed.with_stolen_online_keys(9, {"meta": {"targets.json": {"version": 9}}})
        lies["metadata/9.targets.json"] = false
    before = disk(fuzzed.trusted)
    assert bounded(wanted(fuzzed, lies))
    _restore(fuzzed, before)
    try:
        fuzzed.read(lies)
    except VUpdateError:
        after = disk(fuzzed.trusted)
        assert {name for name in after if after[name] != before[name]} <= {"root.json"}
    _restore(fuzzed, before)


def _restore(shops: Shops, files: dict[str, bytes]) -> None:
    shops.reader.forget()
    shops.trusted.mkdir()
    for name, content in files.items():
        (shops.trusted / name).write_bytes(content)


@settings(max_examples=30)
@given(st.binary(max_size=200) | json_values().map(lambda one: json.dumps(one).encode()))
def test_a_signed_listing_that_is_none_is_refused(fuzzed: Shops, content: bytes) -> None:
    """Its signer has the targets key and makes mistakes, or wants us to."""
    named = {LISTING_TARGET: {"length": len(content), "hashes": {"sha256": Digest.of(content)}}}
    false = fuzzed.forged(
        Role.TARGETS, lambda signed: signed.update(version=9, targets=named), fuzzed.stolen(Role.TARGETS)
    )
    lies = fuzzed.with_stolen_online_keys(9, {"meta": {"targets.json": {"version": 9}}})
    lies |= {"metadata/9.targets.json": false, f"targets/{Digest.of(content)}.{LISTING_TARGET}": content}
    fuzzed.refuses(lies, TamperedError, "listing can't be read")
