"""The code of a pairing: what it depends on, and that nobody in between can steer it."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.digest import Digest
from federation.errors import InvalidValueError, TamperedError
from federation.keys import PrivateKey
from federation.link.pairing import (
    Answer,
    Confirm,
    Handover,
    PairingError,
    Party,
    Proposal,
    Reveal,
    Role,
    Stage,
    State,
    Transcript,
    Wish,
    code_of,
    commitment,
    new_nonce,
    typed_code,
)
from federation.names import NodeName, ProfileName
from tests.support.strategies import node_names, private_keys

ACME = PrivateKey(b"a" * 32)
GLOBEX = PrivateKey(b"g" * 32)
MALLORY = PrivateKey(b"m" * 32)
TAKE = Wish(role=Role.TAKE)
GIVE = Wish(role=Role.GIVE, profile=ProfileName("public"))
NONCE = "1" * 64


def party(key: PrivateKey, name: str = "acme") -> Party:
    return Party(key=key.public, node=NodeName(name), url=f"https://{name}.example:7420")


def proposal(initiator: Party, responder: Party, nonce: str, wish: Wish = TAKE) -> Proposal:
    return Proposal(initiator=initiator, wish=wish, commitment=commitment(initiator, responder.id, wish, nonce))


def transcript(**change: Any) -> Transcript:
    given: dict[str, Any] = {
        "initiator": party(ACME),
        "responder": party(GLOBEX, "globex"),
        "wish": GIVE,
        "initiator_nonce": NONCE,
        "responder_nonce": "2" * 64,
    }
    return Transcript(**given | change)


CHANGES: list[dict[str, Any]] = [
    {"initiator": replace(party(ACME), key=MALLORY.public)},
    {"initiator": replace(party(ACME), node=NodeName("evil"))},
    {"initiator": replace(party(ACME), url="https://evil.example")},
    {"responder": replace(party(GLOBEX, "globex"), key=MALLORY.public)},
    {"responder": replace(party(GLOBEX, "globex"), node=NodeName("evil"))},
    {"responder": replace(party(GLOBEX, "globex"), url="https://evil.example")},
    {"initiator": party(GLOBEX, "globex"), "responder": party(ACME)},
    {"wish": TAKE},
    {"wish": Wish(role=Role.GIVE, profile=ProfileName("secret"))},
    {"initiator_nonce": "3" * 64},
    {"responder_nonce": "3" * 64},
    {"initiator_nonce": "2" * 64, "responder_nonce": NONCE},
]


@pytest.mark.parametrize("change", CHANGES, ids="-".join)
def test_every_part_of_the_transcript_changes_its_digest(change: dict[str, Any]) -> None:
    """Keys, names, addresses, the wish, the nonces, and who began."""
    assert transcript(**change).digest != transcript().digest


@given(st.data())
def test_codes_of_different_transcripts_are_as_good_as_drawn(data: st.DataObject) -> None:
    """Two transcripts that differ anywhere give equal codes no more often than chance: here, of 2^40 codes, never."""
    one = transcript(
        initiator=Party(key=data.draw(private_keys()).public, node=data.draw(node_names()), url="http://a")
    )
    other = transcript(
        initiator=Party(key=data.draw(private_keys()).public, node=data.draw(node_names()), url="http://a"),
        initiator_nonce=data.draw(st.binary(min_size=32, max_size=32)).hex(),
    )
    same = one == other
    assert (code_of(one.digest, 2**40) == code_of(other.digest, 2**40)) == same


def test_the_code_has_six_digits_and_uses_them_all() -> None:
    """Leading zeros too; each place holds each digit about equally often."""
    codes = [code_of(Digest.of(str(number).encode())) for number in range(5000)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    for place in range(6):
        counts = [sum(code[place] == str(digit) for code in codes) for digit in range(10)]
        assert all(380 < count < 620 for count in counts)


def test_both_sides_see_the_same_code() -> None:
    """When nobody stands in between."""
    nonce = new_nonce()
    asked = proposal(party(ACME), party(GLOBEX, "globex"), nonce)
    answer = Answer(commitment=asked.commitment, responder=party(GLOBEX, "globex"), nonce=new_nonce())
    signed = answer.sign(GLOBEX)
    here = Transcript.of(asked, Answer.read(signed, responder=GLOBEX.public, proposal=asked), nonce)
    there = Transcript.of(codec.decode(codec.encode(asked), Proposal), answer, nonce)
    assert here == there
    assert here.code == there.code
    assert here.id == asked.id == there.id


def test_a_nonce_that_was_not_committed_to_is_refused() -> None:
    """So is the right nonce with anything else changed."""
    asked = proposal(party(ACME), party(GLOBEX, "globex"), NONCE)
    answer = Answer(commitment=asked.commitment, responder=party(GLOBEX, "globex"), nonce="2" * 64)
    changed = [
        (asked, answer, "3" * 64),
        (replace(asked, initiator=replace(asked.initiator, key=MALLORY.public)), answer, NONCE),
        (replace(asked, initiator=replace(asked.initiator, url="http://evil.example")), answer, NONCE),
        (replace(asked, wish=GIVE), answer, NONCE),
        (asked, replace(answer, responder=party(MALLORY, "globex")), NONCE),
    ]
    for parts in changed:
        with pytest.raises(PairingError):
            Transcript.of(*parts)
    assert Transcript.of(asked, answer, NONCE).code


def test_an_answer_to_another_proposal_or_by_another_key_is_refused() -> None:
    """A recording, and one of a node that is not the one asked."""
    asked = proposal(party(ACME), party(GLOBEX, "globex"), NONCE)
    other = proposal(party(ACME), party(GLOBEX, "globex"), "3" * 64)
    answer = Answer(commitment=asked.commitment, responder=party(GLOBEX, "globex"), nonce="2" * 64)
    for signed, key, to in (
        (answer.sign(MALLORY), GLOBEX, asked),
        (answer.sign(GLOBEX), GLOBEX, other),
        (replace(answer, responder=party(MALLORY, "globex")).sign(GLOBEX), GLOBEX, asked),
    ):
        with pytest.raises(TamperedError):
            Answer.read(signed, responder=key.public, proposal=to)


def test_a_state_of_another_pairing_or_by_another_key_is_refused() -> None:
    """What the responder once said of one pairing says nothing of the next."""
    mine, other = transcript(), transcript(initiator_nonce="4" * 64)
    state = State(id=mine.id, stage=Stage.COMPARING, confirmed=True, transcript=mine.digest)
    assert State.read(state.sign(GLOBEX), responder=GLOBEX.public, transcript=mine).confirmed
    for signed, of in (
        (state.sign(MALLORY), mine),
        (state.sign(GLOBEX), other),
        (replace(state, transcript=other.digest).sign(GLOBEX), mine),
        (replace(state, id=other.id).sign(GLOBEX), mine),
    ):
        with pytest.raises(TamperedError):
            State.read(signed, responder=GLOBEX.public, transcript=of)


# One in the middle: he speaks to each side under his own key, and wants both to show the same code.


def _honest_initiator(rng: random.Random, met: Party) -> tuple[Proposal, str]:
    nonce = rng.randbytes(32).hex()
    return proposal(party(ACME), met, nonce), nonce


def _waits_for_the_initiator(rng: random.Random, codes: int) -> tuple[str, str]:
    """He first learns the initiator's nonce and code, then tries to reach it with the responder: committed blindly."""
    evil_responder, evil_initiator = party(MALLORY, "globex"), party(MALLORY, "acme")
    asked, nonce = _honest_initiator(rng, evil_responder)
    evil_answer = Answer(commitment=asked.commitment, responder=evil_responder, nonce=rng.randbytes(32).hex())
    shown_at_acme = code_of(Transcript.of(asked, evil_answer, nonce).digest, codes)
    evil_nonce = rng.randbytes(32).hex()
    evil_asked = proposal(evil_initiator, party(GLOBEX, "globex"), evil_nonce)
    answer = Answer(commitment=evil_asked.commitment, responder=party(GLOBEX, "globex"), nonce=rng.randbytes(32).hex())
    return shown_at_acme, code_of(Transcript.of(evil_asked, answer, evil_nonce).digest, codes)


def _waits_for_the_responder(rng: random.Random, codes: int) -> tuple[str, str]:
    """He fixes the responder's code first, then picks his answer to the initiator, whose nonce is still hidden."""
    evil_responder, evil_initiator = party(MALLORY, "globex"), party(MALLORY, "acme")
    asked, nonce = _honest_initiator(rng, evil_responder)
    evil_nonce = rng.randbytes(32).hex()
    evil_asked = proposal(evil_initiator, party(GLOBEX, "globex"), evil_nonce)
    answer = Answer(commitment=evil_asked.commitment, responder=party(GLOBEX, "globex"), nonce=rng.randbytes(32).hex())
    shown_at_globex = code_of(Transcript.of(evil_asked, answer, evil_nonce).digest, codes)
    # All he can compute with is a guess of the hidden nonce: search for an answer that would fit it.
    guess = asked.initiator, rng.randbytes(32).hex()
    for _ in range(2 * codes):
        evil_answer = Answer(commitment=asked.commitment, responder=evil_responder, nonce=rng.randbytes(32).hex())
        guessed = Transcript(
            initiator=guess[0],
            responder=evil_responder,
            wish=TAKE,
            initiator_nonce=guess[1],
            responder_nonce=evil_answer.nonce,
        )
        if code_of(guessed.digest, codes) == shown_at_globex:
            break
    return code_of(Transcript.of(asked, evil_answer, nonce).digest, codes), shown_at_globex


@pytest.mark.parametrize("attack", [_waits_for_the_initiator, _waits_for_the_responder])
def test_one_in_the_middle_gets_equal_codes_by_chance_only(attack: Callable[..., tuple[str, str]]) -> None:
    """Counted where there are 16 codes instead of a million: one try in 16 fits, whatever he does."""
    rng, tries, codes = random.Random(20260301), 3000, 16
    fitting = sum(len(set(attack(rng, codes))) == 1 for _ in range(tries))
    expected, deviation = tries / codes, (tries / codes * (1 - 1 / codes)) ** 0.5
    assert abs(fitting - expected) < 5 * deviation


def test_without_the_commitment_he_would_always_succeed() -> None:
    """The same search with the initiator's nonce in the clear: shows that the test above measures the commitment."""
    rng, codes, fitting = random.Random(1), 16, 0
    for _ in range(50):
        wanted = str(rng.randrange(codes)).zfill(6)
        nonce = rng.randbytes(32).hex()
        fitting += any(
            code_of(transcript(initiator_nonce=nonce, responder_nonce=rng.randbytes(32).hex()).digest, codes) == wanted
            for _ in range(20 * codes)
        )
    assert fitting == 50


@pytest.mark.parametrize("nonce", ["", "1" * 63, "1" * 65, "A" * 64, "g" * 64, "１" * 64, "1" * 63 + "\n"])
def test_a_nonce_has_one_form(nonce: str) -> None:
    """64 lower-case hexadecimal digits, in every message that holds one."""
    with pytest.raises(InvalidValueError):
        Reveal(nonce=nonce)
    with pytest.raises(InvalidValueError):
        Answer(commitment=Digest.of(b""), responder=party(GLOBEX), nonce=nonce)


@pytest.mark.parametrize(("role", "profile"), [(Role.GIVE, None), (Role.TAKE, "public")])
def test_who_gives_names_the_profile_and_nobody_else(role: Role, profile: str | None) -> None:
    """A consumer can't ask for a profile: that is the provider's to choose."""
    with pytest.raises(InvalidValueError):
        Wish(role=role, profile=ProfileName(profile) if profile else None)


@pytest.mark.parametrize("kind", [Proposal, Answer, Reveal, Confirm, Handover, State])
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(kind: type, content: bytes) -> None:
    """Of every message."""
    with pytest.raises(InvalidValueError):
        codec.decode(content, kind)


def test_a_code_is_read_as_people_type_it() -> None:
    """With the gap that it is shown with; nothing else counts as one."""
    assert typed_code(" 012 345 ") == typed_code("012-345") == "012345"
    for text in ("", "12345", "1234567", "12345a", "１２３４５６", "123456" * 20):
        with pytest.raises(InvalidValueError):
            typed_code(text)
