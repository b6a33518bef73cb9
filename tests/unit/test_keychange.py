"""Key changes: where a chain of statements leads, and what is refused."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import codec, limits
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keychange import PAYLOAD_TYPE, KeyChain, KeyChange, follow, former_ids, from_document, to_document
from federation.keys import PrivateKey
from federation.names import NodeName
from federation.trust import OriginKeyChangedError
from tests.support.strategies import node_names

ACME = NodeName("acme")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEYS: Final = [PrivateKey(bytes([number]) * 32) for number in range(1, 10)]
THIEF: Final = PrivateKey(b"t" * 32)


def change(old: PrivateKey, new: PrivateKey, number: int, node: NodeName = ACME) -> bytes:
    at = NOW + timedelta(days=number % 100)
    return KeyChange(node=node, old=old.public, new=new.public, at=at, number=number).sign(old, new)


def chain(length: int, first: int = 1) -> list[bytes]:
    """``length`` changes, from the first key of ``KEYS`` on."""
    return [change(old, new, first + at) for at, (old, new) in enumerate(itertools.pairwise(KEYS[: length + 1]))]


@given(st.integers(0, 8), st.data())
@settings(max_examples=60, deadline=None)
def test_a_chain_leads_from_each_of_its_keys_to_the_newest(length: int, data: st.DataObject) -> None:
    """In whatever order and however often the statements come."""
    made = chain(length)
    shown = data.draw(st.permutations(made + made[: data.draw(st.integers(0, length))]))
    start = data.draw(st.integers(0, length))
    followed = follow(KEYS[start].public, KEYS[length].public, shown, ACME)
    assert [one.number for one in followed] == list(range(start + 1, length + 1))
    assert KeyChain.read(ACME, shown).newest(KEYS[start].public) == KEYS[length].public


@given(st.integers(1, 8), st.data())
@settings(max_examples=60, deadline=None)
def test_only_the_newest_key_is_believed(length: int, data: st.DataObject) -> None:
    """A key that was given up counts no more, whatever key was known; nor does one that stands nowhere."""
    pinned, seen = KEYS[data.draw(st.integers(0, length))], KEYS[data.draw(st.integers(0, length - 1))]
    with pytest.raises(OriginKeyChangedError, match="given up on 2026"):
        follow(pinned.public, seen.public, chain(length), ACME)
    with pytest.raises(OriginKeyChangedError, match="and not to this one"):
        follow(pinned.public, THIEF.public, chain(length), ACME)


@given(st.integers(3, 8), st.data())
@settings(max_examples=40, deadline=None)
def test_a_missing_statement_is_named(length: int, data: st.DataObject) -> None:
    """A gap in the middle leads nowhere, even where it lies before the known key."""
    gone = data.draw(st.integers(1, length - 2))
    shown = [one for at, one in enumerate(chain(length)) if at != gone]
    with pytest.raises(OriginKeyChangedError, match=f"lack number {gone + 1}"):
        follow(KEYS[0].public, KEYS[length].public, shown, ACME)


@given(st.integers(1, 8), st.integers(1, 10**6))
@settings(max_examples=20, deadline=None)
def test_a_chain_may_begin_anywhere(length: int, first: int) -> None:
    """Old statements need not be passed on for ever."""
    assert len(follow(KEYS[0].public, KEYS[length].public, chain(length, first), ACME)) == length


def test_without_a_statement_only_the_known_key_is_believed() -> None:
    """And the refusal says what is missing."""
    assert follow(KEYS[0].public, KEYS[0].public, [], ACME) == ()
    with pytest.raises(OriginKeyChangedError, match="no statement by the old key"):
        follow(KEYS[0].public, KEYS[1].public, [], ACME)
    with pytest.raises(OriginKeyChangedError, match="none of the 2 key changes shown is made by the known key"):
        follow(THIEF.public, KEYS[2].public, chain(2), ACME)


def test_changes_that_do_not_concern_the_known_key_change_nothing() -> None:
    """Who pinned another key is not led away from it by a chain that does not tell of it."""
    assert follow(THIEF.public, THIEF.public, chain(2), ACME) == ()
    assert KeyChain.read(ACME, chain(2)).newest(THIEF.public) == THIEF.public


@given(st.integers(1, 7), st.data())
@settings(max_examples=40, deadline=None)
def test_a_fork_is_refused_and_both_branches_are_named(length: int, data: st.DataObject) -> None:
    """Two statements of one key can't both be its owner's: neither is believed, from wherever one looks."""
    made = chain(length)
    at = data.draw(st.integers(0, length - 1))
    forked = data.draw(st.permutations([*made, change(KEYS[at], THIEF, at + 1)]))
    for pinned, seen in ((KEYS[0], KEYS[length]), (KEYS[0], THIEF), (KEYS[length], KEYS[length])):
        with pytest.raises(OriginKeyChangedError, match="two different statements") as caught:
            follow(pinned.public, seen.public, forked, ACME)
        assert THIEF.id.short in caught.value.message
        assert KEYS[at].id.short in caught.value.message


def test_two_statements_of_one_number_are_a_fork() -> None:
    """Also where they begin at different keys."""
    with pytest.raises(OriginKeyChangedError, match="two different statements"):
        KeyChain.read(ACME, [change(KEYS[0], KEYS[1], 1), change(KEYS[2], KEYS[3], 1)])


def test_the_same_statement_signed_at_another_time_is_a_fork() -> None:
    """What is signed is compared, and the moment is part of it."""
    again = KeyChange(node=ACME, old=KEYS[0].public, new=KEYS[1].public, at=NOW, number=1).sign(KEYS[0], KEYS[1])
    with pytest.raises(OriginKeyChangedError, match="two different statements"):
        KeyChain.read(ACME, [change(KEYS[0], KEYS[1], 1), again])


def test_a_circle_is_refused() -> None:
    """A key that was given up never comes back."""
    with pytest.raises(OriginKeyChangedError, match="circle"):
        KeyChain.read(ACME, [*chain(2), change(KEYS[2], KEYS[0], 3)])


def test_links_that_do_not_meet_are_refused() -> None:
    """Consecutive numbers do not make a chain."""
    with pytest.raises(OriginKeyChangedError, match="begins at"):
        KeyChain.read(ACME, [change(KEYS[0], KEYS[1], 1), change(KEYS[2], KEYS[3], 2)])


def _unsigned(*signers: PrivateKey) -> bytes:
    value = KeyChange(node=ACME, old=KEYS[0].public, new=KEYS[1].public, at=NOW, number=1)
    envelope = Envelope(payload_type=PAYLOAD_TYPE, payload=codec.encode(value), signatures=())
    for signer in signers:
        envelope = envelope.with_signature(signer)
    return envelope.to_bytes()


@pytest.mark.parametrize(
    "signers", [(), (KEYS[0],), (KEYS[1],), (KEYS[1], THIEF), (KEYS[0], THIEF), (KEYS[0], KEYS[1], THIEF)]
)
def test_a_change_is_signed_by_both_keys_and_nobody_else(signers: tuple[PrivateKey, ...]) -> None:
    """The old key alone could give the name away, the new one alone could take it."""
    with pytest.raises(TamperedError):
        KeyChange.read(_unsigned(*signers), ACME)
    assert KeyChange.read(_unsigned(KEYS[0], KEYS[1]), ACME).number == 1


@given(node_names().filter(lambda name: name != ACME))
@settings(max_examples=10, deadline=None)
def test_a_change_of_another_node_is_refused(node: NodeName) -> None:
    """Its name is part of what was signed."""
    with pytest.raises(TamperedError, match="stands where one of acme is due"):
        follow(KEYS[0].public, KEYS[1].public, [change(KEYS[0], KEYS[1], 1, node)], ACME)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_no_altered_byte_leads_anywhere(at: int, flip: int) -> None:
    """A changed statement is refused, or is the same statement (DSSE reads two alphabets)."""
    content = bytearray(change(KEYS[0], KEYS[1], 1))
    content[at % len(content)] ^= flip
    try:
        read = KeyChange.read(bytes(content), ACME)
    except (TamperedError, OversizedError):
        return
    assert (read.old, read.new) == (KEYS[0].public, KEYS[1].public)


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_whatever_is_no_change_is_refused(content: bytes) -> None:
    """By an error of ours."""
    with pytest.raises(TamperedError):
        KeyChange.read(content, ACME)
    with pytest.raises(TamperedError):
        from_document(b"\xff" + content)


def test_what_comes_is_bounded() -> None:
    """The size of one change, of all together, and their number."""
    with pytest.raises(OversizedError):
        KeyChange.read(b" " * (limits.KEY_CHANGE_BYTES + 1), ACME)
    with pytest.raises(OversizedError):
        from_document(b" " * (limits.KEY_CHANGES_BYTES + 1))
    with pytest.raises(OversizedError):
        from_document(to_document([b"x"] * (limits.KEY_CHANGES + 1)))
    with pytest.raises(OversizedError):
        KeyChain.read(ACME, [b"%d" % number for number in range(limits.KEY_CHANGES + 1)])


def test_the_largest_chain_fits_its_document() -> None:
    """Names of full length, and as many changes as are taken."""
    node = NodeName("a" * limits.NODE_NAME_CHARS)
    keys = [PrivateKey(bytes([number, 7]) * 16) for number in range(limits.KEY_CHANGES + 1)]
    made = [change(old, new, 10**12 + at, node) for at, (old, new) in enumerate(itertools.pairwise(keys))]
    document = to_document(made)
    assert len(document) <= limits.KEY_CHANGES_BYTES
    assert from_document(document) == tuple(made)
    assert len(follow(keys[0].public, keys[-1].public, made, node)) == limits.KEY_CHANGES


def test_former_ids_are_those_given_up() -> None:
    """The present one is not among them."""
    assert former_ids(KeyChain.read(ACME, chain(2))) == {KEYS[0].id, KEYS[1].id}
    assert former_ids(KeyChain.read(ACME, [])) == frozenset()


def test_a_change_that_is_none_can_not_be_made() -> None:
    """From a key to itself, under a number that counts nothing, or signed by others."""
    with pytest.raises(InvalidValueError):
        KeyChange(node=ACME, old=KEYS[0].public, new=KEYS[0].public, at=NOW, number=1)
    with pytest.raises(InvalidValueError):
        KeyChange(node=ACME, old=KEYS[0].public, new=KEYS[1].public, at=NOW, number=0)
    with pytest.raises(ValueError, match="two keys"):
        KeyChange(node=ACME, old=KEYS[0].public, new=KEYS[1].public, at=NOW, number=1).sign(KEYS[0], THIEF)
