"""Node ids: what people compare by eye must show every slip."""

import hashlib
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import InvalidValueError
from federation.identity import NodeId

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
ids = st.binary(min_size=32, max_size=32).map(NodeId.of_public_key)


def grouped(letters: str) -> str:
    return "-".join(letters[start : start + 7] for start in range(0, 56, 7))


def test_the_id_of_a_known_key_stays_what_it_is() -> None:
    """The key of RFC 8032 §7.1, test 1: a change of the id's rule would rename every node."""
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert NodeId.of_public_key(raw) == "EH7DDX5-BKSRGCP-YTL7BKA-I36SE4W-NXX3KLN-K7ELKSX-YQ57PI7-4XEG4QB"


@given(st.binary(min_size=32, max_size=32))
def test_an_id_holds_the_whole_fingerprint(raw: bytes) -> None:
    """52 letters of SHA-256 and four check letters: nothing is cut off."""
    letters = NodeId.of_public_key(raw).replace("-", "")
    plain = "".join(letters[start : start + 13] for start in range(0, 56, 14))
    bits = "".join(format(ALPHABET.index(letter), "05b") for letter in plain)
    assert int(bits[:256], 2).to_bytes(32, "big") == hashlib.sha256(raw).digest()


@given(ids)
def test_an_id_survives_its_text(node_id: NodeId) -> None:
    """Parsing what is written gives the same."""
    assert NodeId(str(node_id)) == node_id


@settings(max_examples=25)
@given(ids)
def test_every_wrong_letter_is_found(node_id: NodeId) -> None:
    """All 56 places, all 31 other letters."""
    letters = node_id.replace("-", "")
    for place in range(56):
        for letter in ALPHABET:
            if letter != letters[place]:
                with pytest.raises(InvalidValueError, match="letter is wrong"):
                    NodeId(grouped(letters[:place] + letter + letters[place + 1 :]))


@given(ids)
def test_every_swap_of_neighbours_is_found(node_id: NodeId) -> None:
    """Also across groups, and of a letter with its check letter."""
    letters = node_id.replace("-", "")
    for place in range(55):
        one, two = letters[place], letters[place + 1]
        if one != two:
            with pytest.raises(InvalidValueError, match="letter is wrong"):
                NodeId(grouped(letters[:place] + two + one + letters[place + 2 :]))


@pytest.mark.parametrize("place", range(12))
def test_the_neighbours_that_luhn_would_miss_are_found(place: int) -> None:
    """A and 7 are the first and the last letter: their swap leaves Luhn's sum as it was."""
    group = "B" * place + "A7" + "B" * (11 - place)
    swapped = "B" * place + "7A" + "B" * (11 - place)
    valid = [check for check in ALPHABET if _accepts(group + check)]
    assert len(valid) == 1
    assert not _accepts(swapped + valid[0])


def _accepts(group: str) -> bool:
    """Whether the first group of an otherwise whole id passes its check."""
    rest = NodeId.of_public_key(b"\0" * 32).replace("-", "")[14:]
    try:
        NodeId(grouped(group + rest))
    except InvalidValueError:
        return False
    return True


@given(ids, st.randoms(use_true_random=False))
def test_a_typed_id_may_have_any_case_and_separators(node_id: NodeId, random: Random) -> None:
    """And 0, 1, 8 where O, I, B are meant."""
    twins = {"O": "0", "I": "1", "B": "8"}
    letters = [
        random.choice([letter, letter.lower(), twins.get(letter, letter)]) for letter in node_id if letter != "-"
    ]
    typed = "".join(letter + random.choice(["", "", " ", "-", " - ", "\t"]) for letter in letters)
    assert NodeId.typed(f"  {typed}\n") == node_id


@pytest.mark.parametrize("text", ["", "AAAAAAA", "AAAAAAB-" * 8, "x", "0", "é" * 56, "A" * 1_000_000])
def test_what_is_no_id_is_refused(text: str) -> None:
    """Both as text and as typed, with a short sentence."""
    for read in (NodeId, NodeId.typed):
        with pytest.raises(InvalidValueError) as caught:
            read(text)
        assert len(caught.value.message) < 300


@given(ids)
def test_only_the_one_spelling_is_an_id(node_id: NodeId) -> None:
    """What the program compares has one spelling; only a person's typing is forgiven."""
    for other in (node_id.lower(), node_id.replace("-", ""), node_id + "\n", f" {node_id}"):
        with pytest.raises(InvalidValueError):
            NodeId(other)


def test_the_short_form_is_the_first_group() -> None:
    """For lists only."""
    node_id = NodeId.of_public_key(b"\1" * 32)
    assert str(node_id).startswith(node_id.short + "-")
