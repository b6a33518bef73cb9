"""When a node looks at its providers: at once for news, slowly otherwise, and never in step with a liar."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.names import NodeName
from node.model.looks import MOST_RETRY_SECONDS, SLOW_SECONDS, Looks, Told

ACME, GLOBEX = NodeName("acme"), NodeName("globex")


def looks(*, known: bool = True) -> Looks:
    found = Looks(random.Random(7))
    found.begin(ACME, 0.0, known=known)
    return found


def good(found: Looks, serial: int, now: float) -> None:
    assert found.take(now, 8) == [ACME]
    found.saw(ACME, serial, now)


def test_an_unknown_catalogue_is_read_at_once_and_a_known_one_some_time_later() -> None:
    """After a start not all are asked in one moment."""
    assert looks(known=False).take(0.0, 8) == [ACME]
    assert looks().take(0.0, 8) == []
    assert 0 < looks().wait(0.0) <= SLOW_SECONDS


def test_news_is_looked_at_at_once_and_what_is_known_is_not() -> None:
    """The serial that was read already costs nothing."""
    found = looks()
    found.hear(ACME, Told(4, 0), 1.0, news=False)
    assert found.take(1.0, 8) == []
    found.hear(ACME, Told(5, 0), 2.0, news=True)
    good(found, 5, 2.0)
    assert SLOW_SECONDS * 0.8 <= found.wait(2.0) <= SLOW_SECONDS * 1.2


def test_news_during_a_look_means_another_one() -> None:
    """What came while the catalogue was being read is not missed."""
    found = looks(known=False)
    assert found.take(0.0, 8) == [ACME]
    found.hear(ACME, Told(6, 0), 0.5, news=True)
    found.saw(ACME, 5, 1.0)
    good(found, 6, 1.0)
    assert found.take(1.0, 8) == []


def test_who_tells_of_what_is_not_there_is_asked_more_and_more_seldom() -> None:
    """However often and however much it tells."""
    found = looks()
    now, asked = 0.0, 0
    for number in range(10_000):
        now = number * 0.1
        found.hear(ACME, Told(1000 + number, 0), now, news=True)
        for _ in found.take(now, 8):
            asked += 1
            found.saw(ACME, 5, now)
    assert asked < 15


def test_a_failed_look_is_tried_again_with_growing_pauses_and_at_once_when_it_is_back() -> None:
    """Up to five minutes, and half of each pause is certain."""
    found = looks(known=False)
    now = 0.0
    for number in range(12):
        assert found.take(now, 8) == [ACME]
        found.fail(ACME, now)
        wait = found.wait(now)
        assert min(MOST_RETRY_SECONDS, 2.0**number) / 2 <= wait <= min(MOST_RETRY_SECONDS, 2.0**number)
        now += wait
    found.fail(ACME, now)
    found.reach(ACME, now)
    good(found, 1, now)
    found.reach(ACME, now)
    assert found.take(now, 8) == []


def test_a_broken_stream_means_a_look_soon() -> None:
    """The link may have been ended there."""
    found = looks(known=False)
    good(found, 1, 0.0)
    found.part(ACME, 0.0)
    assert found.wait(0.0) <= 5.0


def test_so_many_at_a_time_and_no_more() -> None:
    """Hundreds of providers with news do not mean hundreds of looks side by side."""
    found = Looks(random.Random(7))
    names = [NodeName(f"n{number}") for number in range(300)]
    for name in names:
        found.begin(name, 0.0, known=False)
    first = found.take(0.0, 8)
    assert len(first) == 8
    assert found.take(0.0, 8) == []
    found.saw(first[0], 1, 0.0)
    assert len(found.take(0.0, 8)) == 1


@pytest.mark.parametrize("act", ["hear", "reach", "part", "saw", "fail"])
def test_what_comes_after_the_end_of_a_link_is_passed_over(act: str) -> None:
    """A look that was under way, or an event."""
    found = looks()
    found.end(ACME)
    {
        "hear": lambda: found.hear(ACME, Told(1, 1), 0.0, news=True),
        "reach": lambda: found.reach(ACME, 0.0),
        "part": lambda: found.part(ACME, 0.0),
        "saw": lambda: found.saw(ACME, 1, 0.0),
        "fail": lambda: found.fail(ACME, 0.0),
    }[act]()
    assert found.take(1000.0, 8) == []
    assert found.told(ACME) is None
    assert found.wait(0.0) == SLOW_SECONDS


@given(st.lists(st.tuples(st.sampled_from(["hear", "reach", "part", "look"]), st.integers(0, 9), st.booleans())))
def test_no_provider_is_ever_forgotten(acts: list[tuple[str, int, bool]]) -> None:
    """Whatever happened, the next look is due within five minutes and a bit."""
    found, now = looks(), 0.0
    for act, serial, good_one in acts:
        now += serial / 3
        if act == "hear":
            found.hear(ACME, Told(serial, 0), now, news=True)
        elif act == "look":
            for name in found.take(now, 8):
                found.saw(name, serial, now) if good_one else found.fail(name, now)
        else:
            getattr(found, act)(ACME, now)
        assert found.wait(now) <= SLOW_SECONDS * 1.2
