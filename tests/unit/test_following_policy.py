"""What a node takes from its providers, what it holds back, and what it says about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from federation.catalog import listing
from federation.limits import TRAIL_HOPS
from federation.versions import DeveloperVersion
from node.model.following import Action, Chosen, Reason, Verdict
from node.model.peer import AutoUpdate
from node.model.policy import decide
from node.model.window import Windows
from tests.support.following import (
    ACME,
    EVIL,
    GLOBEX,
    NOW,
    SHOP,
    entry,
    failure,
    followed,
    here,
    offering,
    situation,
    trail,
)

OLD, NEW = entry("acme-1.0.0"), entry("acme-1.0.1")


def only(*args: object, **changes: object) -> Verdict:
    (verdict,) = decide(situation(*args, **changes)).verdicts  # type: ignore[arg-type]
    return verdict


def told(verdict: Verdict) -> tuple[Action, Reason]:
    return verdict.action, verdict.reason


def test_what_is_new_is_taken_and_what_is_desired_stays() -> None:
    """The first offer, a higher version, and a rollback alike."""
    assert told(only(offering(ACME, OLD))) == (Action.TAKE, Reason.NEW)
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    assert told(only(offering(ACME, OLD), **known)) == (Action.KEEP, Reason.CURRENT)
    assert told(only(offering(ACME, NEW), **known)) == (Action.TAKE, Reason.NEW)
    newer = {"followed": followed(NEW), "desired": {SHOP: "acme-1.0.1"}, "stored": here(OLD, NEW)}
    assert told(only(offering(ACME, OLD), **newer)) == (Action.TAKE, Reason.NEW)


def test_the_same_number_with_another_manifest_is_not_the_version_that_was_followed() -> None:
    """It is looked into instead of being taken for what runs here."""
    forged = entry("acme-1.0.0", service=SHOP)
    forged = type(forged)(
        service=SHOP, version=forged.version, image=forged.image, manifest=NEW.manifest, trail=forged.trail
    )
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    assert told(only(offering(ACME, forged), **known)) == (Action.TAKE, Reason.NEW)


def test_an_operators_own_choice_stays_until_the_provider_changes_its_mind() -> None:
    """And the sentence says who chose what, when, and how to give it up."""
    known = {
        "followed": followed(OLD),
        "desired": {SHOP: "acme-0.9.0"},
        "stored": here(OLD),
        "chosen": {SHOP: Chosen(who="ann", at=NOW)},
    }
    held = only(offering(ACME, OLD), **known)
    assert told(held) == (Action.KEEP, Reason.OPERATOR)
    assert held.why == (
        "held by operator: ann set acme-0.9.0 on 2026-03-04 12:00 UTC; "
        "'vupdate provider update acme' takes the provider's"
    )
    assert told(only(offering(ACME, NEW), **known)) == (Action.TAKE, Reason.NEW)
    removed = only(offering(ACME, OLD), **{**known, "desired": {}})
    assert "ann removed it" in removed.why
    (forced,) = decide(situation(offering(ACME, OLD), **known), forced=ACME).verdicts  # type: ignore[arg-type]
    assert told(forced) == (Action.TAKE, Reason.NEW)


def test_a_version_that_an_operator_chose_as_the_provider_lists_it_counts_as_followed() -> None:
    """So it is passed on with the provider's trail, and the next version is taken."""
    decision = decide(situation(offering(ACME, OLD), desired={SHOP: "acme-1.0.0"}, stored=here(OLD)))
    (note,) = decision.noted
    assert note.trail("acme-1.0.0") == trail("acme")
    assert note.trail("acme-1.0.1") == ()


def test_own_services_and_circles_are_never_followed() -> None:
    """Whatever an operator says, too."""
    mine = offering(ACME, OLD)
    back = offering(ACME, entry("acme-1.0.0", "globex", "initech", "acme"))
    far = offering(ACME, entry("acme-1.0.0", *[f"n{number}" for number in range(TRAIL_HOPS)]))
    for forced in (None, ACME):
        (developed,) = decide(situation(mine, developed=frozenset({SHOP})), forced).verdicts
        (circle,) = decide(situation(back), forced).verdicts
        (remote,) = decide(situation(far), forced).verdicts
        assert told(developed) == (Action.KEEP, Reason.DEVELOPED)
        assert told(circle) == (Action.HOLD, Reason.CIRCLE)
        assert told(remote) == (Action.HOLD, Reason.TOO_FAR)


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"auto_update": AutoUpdate.OFF}, Reason.OFF, "is off: 'vupdate provider update acme'"),
        ({"windows": Windows.parse("Sat 01:00-02:00")}, Reason.WINDOW, "opens at 2026-03-07 01:00 UTC"),
        ({"tested_by": GLOBEX}, Reason.UNTESTED, "held until globex marks acme-1.0.1 as tested"),
    ],
)
def test_what_a_link_holds_back_says_why_and_an_operator_may_take_it(
    changes: dict[str, Any], reason: Reason, words: str
) -> None:
    """Off, outside of the window, or without the tested mark."""
    held = only(offering(ACME, NEW, **changes))
    assert told(held) == (Action.HOLD, reason)
    assert words in held.why
    (forced,) = decide(situation(offering(ACME, NEW, **changes)), forced=ACME).verdicts
    assert forced.action is Action.TAKE


def test_the_window_lets_pass_what_is_inside_and_tells_when_it_opens() -> None:
    """The moment stands in the verdict, to wake by."""
    windows = Windows.parse("Wed 13:00-14:00")
    assert only(offering(ACME, NEW, windows=windows)).until == datetime(2026, 3, 4, 13, tzinfo=UTC)
    inside = only(offering(ACME, NEW, windows=windows), now=NOW + timedelta(hours=1))
    assert inside.action is Action.TAKE


def test_only_the_named_testers_mark_of_this_very_version_counts() -> None:
    """Not of another node, another version, or another service."""

    def mark(tester: str = "globex", version: str = "acme-1.0.1") -> listing.Tested:
        return listing.Tested(
            tester=GLOBEX if tester == "globex" else EVIL, service=SHOP, version=DeveloperVersion(version), at=NOW
        )

    for wrong in (mark("evil"), mark(version="acme-1.0.0")):
        held = only(offering(ACME, NEW, tested=(wrong,), tested_by=GLOBEX))
        assert held.reason is Reason.UNTESTED
    assert only(offering(ACME, NEW, tested=(mark(),), tested_by=GLOBEX)).action is Action.TAKE


def test_a_link_may_only_download() -> None:
    """Once it is here, it waits for an operator."""
    quiet = offering(ACME, NEW, auto_update=AutoUpdate.DOWNLOAD)
    assert told(only(quiet)) == (Action.DOWNLOAD, Reason.NEW)
    kept = only(quiet, stored=here(NEW))
    assert told(kept) == (Action.KEEP, Reason.DOWNLOADED)
    assert "'vupdate provider update acme' makes it desired" in kept.why


def test_a_withdrawn_version_is_not_taken_even_by_hand() -> None:
    """And where it is what runs, the verdict says so."""
    withdrawn = {NEW.manifest: "withdrawn by acme: it eats data"}
    for forced in (None, ACME):
        (held,) = decide(situation(offering(ACME, NEW), withdrawn=withdrawn), forced).verdicts
        assert told(held) == (Action.HOLD, Reason.WITHDRAWN)
        assert "it eats data" in held.why
    runs = only(offering(ACME, NEW), withdrawn=withdrawn, desired={SHOP: "acme-1.0.1"}, stored=here(NEW))
    assert "it eats data" in runs.why


def test_a_failed_version_waits_and_a_changed_offer_does_not() -> None:
    """The count, the time and the last error are told."""
    failed = {(ACME, SHOP): failure(NEW, count=3)}
    held = only(offering(ACME, NEW), failures=failed)
    assert told(held) == (Action.HOLD, Reason.FAILED)
    assert held.why == "failed 3 times, tried again at 2026-03-04 12:01 UTC; the last error: no room is left"
    assert held.until == NOW + timedelta(seconds=60)
    assert only(offering(ACME, OLD), failures=failed).action is Action.TAKE
    assert only(offering(ACME, NEW), failures=failed, now=NOW + timedelta(seconds=60)).action is Action.TAKE


def verdicts(*args: object, **changes: object) -> dict[str, tuple[Action, Reason]]:
    return {one.provider: told(one) for one in decide(situation(*args, **changes)).verdicts}  # type: ignore[arg-type]


def test_of_two_providers_the_one_with_the_shorter_way_is_followed_and_kept() -> None:
    """Also when the other one comes nearer later on."""
    near, far = offering(GLOBEX, entry("acme-1.0.1", "acme", "globex")), offering(ACME, OLD)
    assert verdicts(near, far) == {"globex": (Action.KEEP, Reason.OTHER_PROVIDER), "acme": (Action.TAKE, Reason.NEW)}
    known = {"followed": followed(OLD, GLOBEX), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    assert verdicts(near, far, **known)["globex"] == (Action.TAKE, Reason.NEW)


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ({"ended": True}, Reason.ENDED),
        ({"expires": NOW - timedelta(hours=1), "tried": NOW}, Reason.EXPIRED),
        ({"refused": NOW - timedelta(minutes=10)}, Reason.REFUSED),
    ],
)
def test_another_provider_takes_over_when_the_first_is_lost(lost: dict[str, Any], reason: Reason) -> None:
    """Its link ended, it was away too long, or it lies."""
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    other = entry("acme-1.0.1", "acme", "globex")
    found = verdicts(offering(ACME, OLD, **lost), offering(GLOBEX, other), **known)
    assert found == {"acme": (Action.HOLD, reason), "globex": (Action.TAKE, Reason.NEW)}
    alone = verdicts(offering(ACME, NEW, **lost), **known)
    assert alone == {"acme": (Action.HOLD, reason)}


def test_nobody_takes_over_too_early() -> None:
    """A catalogue that can't be believed may be a passing fault, and one that ran out was perhaps never asked for."""
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    other = offering(GLOBEX, entry("acme-1.0.1", "acme", "globex"))
    (lying, waiting) = decide(
        situation(offering(ACME, NEW, refused=NOW - timedelta(minutes=9)), other, **known)  # type: ignore[arg-type]
    ).verdicts
    assert told(lying) == (Action.HOLD, Reason.REFUSED)
    assert (*told(waiting), waiting.until) == (Action.KEEP, Reason.OTHER_PROVIDER, NOW + timedelta(minutes=1))
    slept = offering(ACME, NEW, expires=NOW - timedelta(hours=1), tried=NOW - timedelta(hours=2))
    assert verdicts(slept, other, **known)["globex"] == (Action.KEEP, Reason.OTHER_PROVIDER)


def test_who_sends_lies_gives_way_to_who_does_not_but_is_better_than_nobody() -> None:
    """A provider whose packs are wrong keeps a service only as long as no other one lists it."""
    known = {
        "followed": followed(OLD),
        "desired": {SHOP: "acme-1.0.0"},
        "stored": here(OLD),
        "failures": {(ACME, SHOP): failure(NEW)},
    }
    liar = offering(ACME, NEW, penalised=NOW + timedelta(minutes=10))
    other = offering(GLOBEX, entry("acme-1.0.1", "acme", "globex"))
    found = verdicts(liar, other, **known)
    assert found == {"acme": (Action.HOLD, Reason.PENALISED), "globex": (Action.TAKE, Reason.NEW)}
    assert verdicts(liar, **known) == {"acme": (Action.HOLD, Reason.FAILED)}
    settled = offering(ACME, OLD, penalised=NOW + timedelta(minutes=10))
    assert verdicts(settled, other, **{**known, "failures": {}})["acme"] == (Action.KEEP, Reason.CURRENT)


def test_who_lists_what_is_not_true_gives_way_to_who_does_not() -> None:
    """A provider with a forged manifest keeps a service only until another lists it, and until it lists another one."""
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    lied = {"failures": {(ACME, SHOP): replace(failure(NEW), untrue=True)}}
    other = offering(GLOBEX, entry("acme-1.0.1", "acme", "globex"))
    found = verdicts(offering(ACME, NEW), other, **known, **lied)
    assert found == {"acme": (Action.HOLD, Reason.PENALISED), "globex": (Action.TAKE, Reason.NEW)}
    assert verdicts(offering(ACME, NEW), **known, **lied) == {"acme": (Action.HOLD, Reason.FAILED)}
    paid = offering(ACME, NEW, penalised=NOW - timedelta(minutes=1))
    # Its penalty is over, and that changes nothing: there is no moment to wait for.
    assert [one.until for one in decide(situation(paid, other, **known, **lied)).verdicts] == [None, None]  # type: ignore[arg-type]
    newer = offering(ACME, entry("acme-1.0.2"))
    assert verdicts(newer, other, **known, **lied)["acme"] == (Action.TAKE, Reason.NEW)


def test_what_a_provider_lists_and_does_not_give_is_taken_from_another() -> None:
    """After three attempts, if another one lists the very same version and it may be taken from there now."""
    known: dict[str, Any] = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    thrice: dict[str, Any] = {"failures": {(ACME, SHOP): failure(NEW, count=3)}}
    same = offering(GLOBEX, entry("acme-1.0.1", "acme", "globex"))
    found = decide(situation(offering(ACME, NEW), same, **known, **thrice)).verdicts
    assert [told(one) for one in found] == [(Action.HOLD, Reason.FAILED), (Action.TAKE, Reason.NEW)]
    assert "acme failed 3 times to give it, so it is followed from globex" in found[0].why
    twice = {"failures": {(ACME, SHOP): failure(NEW, count=2)}}
    waiting = {"acme": (Action.HOLD, Reason.FAILED), "globex": (Action.KEEP, Reason.OTHER_PROVIDER)}
    assert verdicts(offering(ACME, NEW), same, **known, **twice) == waiting
    other = offering(GLOBEX, entry("acme-1.0.2", "acme", "globex"))
    assert verdicts(offering(ACME, NEW), other, **known, **thrice) == waiting
    by_hand = replace(same, auto_update=AutoUpdate.OFF)
    assert verdicts(offering(ACME, NEW), by_hand, **known, **thrice) == waiting
    both = {"failures": {**thrice["failures"], (GLOBEX, SHOP): failure(NEW, GLOBEX, count=3)}}
    assert verdicts(offering(ACME, NEW), same, **known, **both) == waiting
    # Once the other one was followed, it stays.
    led: dict[str, Any] = {"followed": followed(same.listing.entries[0], GLOBEX), "desired": {SHOP: "acme-1.0.1"}}
    settled = verdicts(offering(ACME, NEW), same, **led, stored=here(NEW), **thrice)
    assert settled == {"acme": (Action.KEEP, Reason.OTHER_PROVIDER), "globex": (Action.KEEP, Reason.CURRENT)}


def test_a_takeover_by_the_same_version_is_noted_and_nothing_moves() -> None:
    """The new provider's trail is what is passed on from then on; an operator's own choice is left alone."""
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-0.9.0"}, "stored": here(OLD)}
    same = entry("acme-1.0.0", "acme", "globex")
    decision = decide(situation(offering(ACME, ended=True), offering(GLOBEX, same), **known))  # type: ignore[arg-type]
    (verdict,) = decision.verdicts
    assert told(verdict) == (Action.KEEP, Reason.OPERATOR)
    (note,) = decision.noted
    assert note.choice is not None
    assert (note.choice.provider, note.choice.trail) == (GLOBEX, trail("acme", "globex"))


def test_what_nobody_lists_any_more_stays_and_says_so() -> None:
    """A service that vanished from every catalogue."""
    known = {"followed": followed(OLD), "desired": {SHOP: "acme-1.0.0"}, "stored": here(OLD)}
    gone = only(offering(ACME), **known)
    assert told(gone) == (Action.KEEP, Reason.GONE)
    assert gone.why == "no longer offered by acme: acme-1.0.0 stays as it is"
    assert decide(situation(offering(ACME), **{**known, "desired": {}})).verdicts == ()  # type: ignore[arg-type]
