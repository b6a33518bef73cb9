"""Numbers survive where bodies do not, and nothing is counted twice."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from federation import codec, outbox, tally
from federation.names import NodeName
from federation.outbox import Entry
from federation.report import COUNTS, CountsReport
from federation.tally import Tally
from tests.support.clock import FIXED_START

ACME = NodeName("acme")


def entry(number: int, version: str = "acme-1.0.0", service: str = "shop") -> Entry:
    return outbox.queued(
        receiver=ACME,
        sequence=number,
        kind="fault",
        subject=f"f{number}",
        now=FIXED_START,
        service=service,
        version=version,
    )


def test_each_kind_service_and_version_is_counted_on_its_own() -> None:
    """Since when, and until when, is kept; what the link holds back is told apart from what had no room."""
    later = FIXED_START + timedelta(hours=1)
    held_back = replace(entry(4), code=tally.SETTINGS)
    counted = Tally(receiver=ACME).taken([entry(1), entry(2, "acme-1.0.1")], FIXED_START)
    counted = counted.taken([entry(3), held_back], later)
    found = {(one.version, one.why): (one.count, one.first, one.last) for one in counted.counts}
    assert found == {
        ("acme-1.0.0", "budget"): (2, FIXED_START, later),
        ("acme-1.0.0", "settings"): (1, later, later),
        ("acme-1.0.1", "budget"): (1, FIXED_START, FIXED_START),
    }


@given(st.lists(st.integers(1, 8), max_size=40), st.data())
def test_a_crash_between_counting_and_forgetting_counts_nothing_twice(batches: list[int], data: st.DataObject) -> None:
    """However often it is interrupted, each entry is counted once."""
    kept = Tally(receiver=ACME)
    to_count: list[Entry] = []
    made = 0
    for size in batches:
        to_count += [entry(made + number) for number in range(size)]
        made += size
        kept = kept.taken(to_count, FIXED_START)
        forgotten = data.draw(st.integers(0, len(to_count)))
        del to_count[:forgotten]
    kept = kept.taken(to_count, FIXED_START)
    assert sum(one.count for one in kept.counts) == made


def test_versions_without_an_end_are_counted_together() -> None:
    """A report of counts never grows over its bound, and no number is lost."""
    kept = Tally(receiver=ACME)
    for start in range(0, 3000, 100):
        kept = kept.taken([entry(number, f"acme-1.0.{number}") for number in range(start, start + 100)], FIXED_START)
    assert len(kept.counts) <= COUNTS
    assert sum(one.count for one in kept.counts) == 3000
    assert CountsReport(sequence=1, at=FIXED_START, counts=kept.counts).counts == kept.counts


def test_a_tally_is_stored_and_read_back() -> None:
    """The stored form keeps everything."""
    kept = Tally(receiver=ACME).taken([entry(1)], FIXED_START)
    assert codec.from_document(codec.to_document(kept), Tally) == kept
