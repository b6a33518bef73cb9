"""The bounded memory of nonces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.keys import PrivateKey
from federation.link.nonces import NonceMemory
from federation.link.refusals import BusyError, ReplayedRequestError

ANNA = PrivateKey(b"a" * 32).id
BERT = PrivateKey(b"b" * 32).id


def test_a_nonce_is_taken_once_per_signer() -> None:
    """The same nonce of the same signer is a replay; of another signer it is not."""
    memory = NonceMemory(kept_seconds=100)
    memory.remember(ANNA, "n", 0)
    memory.remember(BERT, "n", 0)
    with pytest.raises(ReplayedRequestError):
        memory.remember(ANNA, "n", 50)


@given(st.floats(0, 30), st.one_of(st.floats(0, 100), st.just(100)), st.lists(st.floats(0, 200), max_size=20))
def test_a_nonce_is_kept_as_long_as_it_must(earlier: float, age: float, others: list[float]) -> None:
    """Whatever comes before and after it, a nonce is known for the whole time it is kept for."""
    memory = NonceMemory(kept_seconds=100)
    start = 1000.0
    memory.remember(BERT, "before", start - earlier)
    memory.remember(ANNA, "n", start)
    for number, moment in enumerate(sorted(moment for moment in others if moment <= age)):
        memory.remember(BERT, str(number), start + moment)
    with pytest.raises(ReplayedRequestError):
        memory.remember(ANNA, "n", start + age)


def test_a_full_memory_refuses_and_forgets_only_by_age() -> None:
    """When no room is left new requests are refused, known ones are still known, and time makes room again."""
    memory = NonceMemory(kept_seconds=100, most=3)
    for number in range(3):
        memory.remember(ANNA, str(number), number)
    with pytest.raises(BusyError):
        memory.remember(BERT, "new", 50)
    with pytest.raises(ReplayedRequestError):
        memory.remember(ANNA, "0", 50)
    assert len(memory) == 3
    memory.remember(BERT, "new", 200)
    assert len(memory) == 1


def test_a_signer_can_use_up_only_its_share() -> None:
    """One busy peer is refused while the others are still heard."""
    memory = NonceMemory(kept_seconds=100, most=100, most_per_signer=2)
    memory.remember(ANNA, "1", 0)
    memory.remember(ANNA, "2", 30)
    with pytest.raises(BusyError):
        memory.remember(ANNA, "3", 60)
    memory.remember(BERT, "1", 60)
    memory.remember(ANNA, "3", 200)


def test_the_memory_stays_bounded_over_time() -> None:
    """Steady traffic for hours leaves no more than the nonces of the time they are kept for."""
    memory = NonceMemory(kept_seconds=10)
    for second in range(2000):
        memory.remember(ANNA, str(second), float(second))
    assert len(memory) <= 13
