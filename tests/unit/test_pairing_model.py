"""How a pairing goes on and ends, and how many there may be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from federation import limits
from federation.digest import Digest
from federation.errors import AbsentError, ConflictError
from federation.keys import PrivateKey
from federation.link.pairing import PairingError, Party, Proposal, Role, Stage, Transcript, Wish, commitment
from federation.link.refusals import BusyError
from federation.names import NodeName, ProfileName
from node.model.pairing import EXPECTED_TRIES, NEW_AT_ONCE, NEW_SECONDS, REVEAL_SECONDS, Pairing, Pairings
from node.model.peer import AutoUpdate

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OWN = Party(key=PrivateKey(b"o" * 32).public, node=NodeName("acme"), url="http://acme.test")
TAKE = Wish(role=Role.TAKE)
GIVE = Wish(role=Role.GIVE, profile=ProfileName("public"))


def proposal(number: int, nonce: int = 1) -> Proposal:
    key = PrivateKey(number.to_bytes(32, "big"))
    initiator = Party(key=key.public, node=NodeName(f"n{number}"), url="http://n.test")
    return Proposal(initiator=initiator, wish=TAKE, commitment=commitment(initiator, OWN.id, TAKE, f"{nonce:064x}"))


def compared(wish: Wish = TAKE, *, initiated: bool = False) -> Pairing:
    other = proposal(1).initiator
    ends = {"initiator": OWN, "responder": other} if initiated else {"initiator": other, "responder": OWN}
    made = Transcript(**ends, wish=wish, initiator_nonce=f"{1:064x}", responder_nonce=f"{2:064x}")
    opening = Pairing(id=made.id, initiated=initiated, peer=other, via=other.url, wish=wish, opened=NOW)
    return opening.comparing(made)


def code(pairing: Pairing) -> str:
    assert pairing.code is not None
    return pairing.code


def confirmed(pairing: Pairing) -> Pairing:
    return pairing.confirm(code(pairing), profile=None, auto_update=AutoUpdate.OFF, who="ann")


def admit(held: Pairings, asked: Proposal, seconds: float = 0.0) -> Pairing:
    return held.admit(asked, NOW + timedelta(seconds=seconds), 1000.0 + seconds)


def test_it_is_agreed_only_when_both_have_confirmed() -> None:
    """In either order."""
    pairing = compared()
    assert pairing.transcript is not None
    there = pairing.confirmed_by_peer(pairing.transcript.digest)
    assert not there.agreed
    assert not confirmed(pairing).agreed
    assert confirmed(there).agreed
    assert confirmed(pairing).confirmed_by_peer(pairing.transcript.digest).agreed


def test_a_code_that_differs_ends_it() -> None:
    """There is one try: the right code comes too late then."""
    pairing = compared()
    wrong = f"{(int(code(pairing)) + 1) % 1_000_000:06}"
    failed = pairing.confirm(wrong, profile=None, auto_update=AutoUpdate.OFF, who="ann")
    assert (failed.stage, failed.confirmed_here) == (Stage.FAILED, False)
    with pytest.raises(PairingError):
        confirmed(failed)


def test_a_confirmation_of_another_transcript_ends_it() -> None:
    """The other side saw something else than this one."""
    failed = compared().confirmed_by_peer(Digest.of(b"other"))
    assert (failed.stage, failed.confirmed_there) == (Stage.FAILED, False)


@pytest.mark.parametrize("stage", [Stage.LINKED, Stage.REJECTED, Stage.FAILED, Stage.EXPIRED])
def test_what_has_ended_stays_so(stage: Stage) -> None:
    """Nothing that comes later changes it."""
    pairing = compared()
    assert pairing.transcript is not None
    ended = replace(pairing, stage=stage)
    assert ended.ended(Stage.REJECTED, "late") == ended
    assert ended.confirmed_by_peer(pairing.transcript.digest) == ended
    assert ended.at(NOW + timedelta(days=1)) == ended
    with pytest.raises(PairingError):
        confirmed(ended)
    with pytest.raises(PairingError):
        ended.comparing(pairing.transcript)


def test_the_code_is_fixed_once() -> None:
    """A second opening of the commitment is refused."""
    pairing = compared()
    assert pairing.transcript is not None
    with pytest.raises(PairingError):
        pairing.comparing(pairing.transcript)


def test_before_the_code_is_known_there_is_nothing_to_confirm() -> None:
    """Not by any code."""
    with pytest.raises(PairingError):
        admit(Pairings(), proposal(1)).confirm("000000", profile=None, auto_update=AutoUpdate.OFF, who="ann")


def test_it_ends_by_itself() -> None:
    """After ten minutes; after half a minute when the initiator does not open its commitment."""
    reveal, whole = timedelta(seconds=REVEAL_SECONDS), timedelta(seconds=limits.PAIRING_VALID_SECONDS)
    held = Pairings()
    opening = admit(held, proposal(1))
    assert opening.at(NOW + reveal - timedelta(seconds=1)).stage is Stage.OPENING
    assert opening.at(NOW + reveal).stage is Stage.EXPIRED
    assert confirmed(compared()).at(NOW + whole - timedelta(seconds=1)).stage is Stage.COMPARING
    assert confirmed(compared()).at(NOW + whole).stage is Stage.EXPIRED


@pytest.mark.parametrize(
    ("wish", "initiated", "provides"),
    [(TAKE, True, False), (TAKE, False, True), (GIVE, True, True), (GIVE, False, False)],
)
def test_which_side_provides_follows_from_the_wish(wish: Wish, initiated: bool, provides: bool) -> None:
    """Who gives provides, whoever began."""
    assert compared(wish, initiated=initiated).provides == provides


def test_the_statement_of_a_link_is_told_only_once_it_is_made() -> None:
    """And only by the provider."""
    assert replace(compared(), accepted="x").state.accepted is None
    assert compared().linked("x").state.accepted == "x"
    assert compared(GIVE).linked("x").state.accepted is None


def test_strangers_share_a_few_places() -> None:
    """One more is refused; a place is free again when its pairing ends."""
    held = Pairings()
    for number in range(1, limits.PAIRINGS_OPEN + 1):
        admit(held, proposal(number))
    with pytest.raises(BusyError):
        admit(held, proposal(99))
    held.put(held.get(proposal(1).id).ended(Stage.REJECTED, "no"))
    admit(held, proposal(99))


def test_one_key_has_one_pairing() -> None:
    """A new one ends the one before: its owner may have started again, and can't take a second place."""
    held = Pairings()
    first = admit(held, proposal(1, nonce=1))
    second = admit(held, proposal(1, nonce=2))
    assert held.get(first.id).stage is Stage.REJECTED
    assert held.of_signer(second.peer.id) == second


def test_the_same_proposal_is_not_taken_twice() -> None:
    """Nor does it end the first one."""
    held = Pairings()
    first = admit(held, proposal(1))
    with pytest.raises(ConflictError):
        admit(held, proposal(1))
    assert held.get(first.id).stage is Stage.OPENING


def test_new_ones_are_rationed_so_that_codes_can_not_be_tried_out() -> None:
    """Ten at once, then one every two minutes: also for one key that begins again and again."""
    held = Pairings()
    for nonce in range(NEW_AT_ONCE):
        admit(held, proposal(1, nonce))
    with pytest.raises(BusyError):
        admit(held, proposal(1, 1000))
    taken = NEW_AT_ONCE
    for second in range(0, 24 * 3600, 30):
        try:
            admit(held, proposal(2, 2000 + second), float(second))
        except BusyError:
            continue
        taken += 1
    assert taken <= NEW_AT_ONCE + 24 * 3600 * NEW_AT_ONCE / NEW_SECONDS + 1


def test_a_flood_can_not_lock_out_a_node_that_the_operator_named() -> None:
    """It is let in beyond all bounds, a few times and for a while."""
    held, later = Pairings(), float(limits.PAIRING_VALID_SECONDS)
    for number in range(1, limits.PAIRINGS_OPEN + 1):
        admit(held, proposal(number))
    wanted = proposal(77)
    with pytest.raises(BusyError):
        admit(held, wanted)
    held.expect(wanted.initiator.id, NOW)
    for nonce in range(EXPECTED_TRIES):
        admit(held, proposal(77, 10 + nonce))
    with pytest.raises(BusyError):
        admit(held, proposal(77, 99))
    held.expect(wanted.initiator.id, NOW)
    for number in range(1, limits.PAIRINGS_OPEN + 1):
        admit(held, proposal(number, 2), later)
    with pytest.raises(BusyError):
        admit(held, proposal(77, 100), later)


def test_what_the_operator_begins_has_its_own_room() -> None:
    """However many strangers came; and a bound of its own."""
    held = Pairings()
    for number in range(1, limits.PAIRINGS_OPEN + 1):
        admit(held, proposal(number))
    own = compared(initiated=True)
    for number in range(limits.PAIRINGS_OPEN):
        held.open(replace(own, id=str(number)), NOW)
    with pytest.raises(ConflictError):
        held.open(replace(own, id="one more"), NOW)


def test_only_its_initiator_finds_a_pairing() -> None:
    """By its own key and the pairing's id; what this node began is nobody's to ask about."""
    held = Pairings()
    mine = admit(held, proposal(1))
    held.open(replace(compared(initiated=True), id="own"), NOW)
    assert held.begun_by(mine.peer.id, mine.id) == mine
    for peer, which in ((proposal(2).initiator.id, mine.id), (mine.peer.id, "own"), (mine.peer.id, "nothing")):
        with pytest.raises(AbsentError):
            held.begun_by(peer, which)


def test_nothing_is_kept_for_ever() -> None:
    """Ended ones are forgotten, also when there are many of them."""
    held = Pairings()
    for number in range(1, 300):
        admit(held, proposal(1, number), 130.0 * number)
    assert len(held._held) <= 60
    held.expire(NOW + timedelta(days=1))
    assert held._held == {}


def test_a_pairing_without_a_code_is_not_shown() -> None:
    """Who only knocks takes no line of the operator's list."""
    held = Pairings()
    admit(held, proposal(2))
    shown = held.put(compared())
    assert held.shown() == [shown]
