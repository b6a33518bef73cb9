"""What of a fault report one provider gets."""

import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, limits
from federation.errors import InvalidValueError
from federation.fault import FaultReport
from federation.identity import NodeId
from federation.keys import PrivateKey
from federation.masking import BLOT
from federation.names import InstanceName, ServiceKey
from federation.redaction import FaultsSent, Redaction, Redactor, pseudonym_key
from federation.versions import ClientVersion
from tests.support.clock import FIXED_START

OWN = PrivateKey(b"o" * 32)
ACME, GLOBEX = PrivateKey(b"a" * 32).id, PrivateKey(b"g" * 32).id
REPORT = FaultReport(
    id=str(uuid.UUID(int=1)),
    service=ServiceKey("shop:web"),
    version=ClientVersion("acme-1.0.0_1"),
    instance=InstanceName("web-1"),
    occurred=FIXED_START,
    reason="exited",
    message="password=hunter2x",
    log=("one", "two db-7.corp"),
)


def redactor(provider: NodeId = ACME, **rules: object) -> Redactor:
    return Redactor(Redaction(**rules), pseudonym_key(OWN, provider))  # type: ignore[arg-type]  # each is of its type


def test_what_a_provider_needs_to_know_stays() -> None:
    """Id, service, version, reason and way are those of the report; secrets in its texts are gone."""
    told = redactor(masks=("db-*.corp",)).fault(REPORT)
    assert told == replace(REPORT, message=f"password={BLOT}", log=("one", f"two {BLOT}"))


def test_a_report_without_its_log() -> None:
    """The message stays, no line of the log does."""
    assert redactor(faults=FaultsSent.WITHOUT_LOG).fault(REPORT).log == ()


@pytest.mark.parametrize("sent", [FaultsSent.OFF, FaultsSent.COUNTS])
def test_a_link_that_sends_no_reports_makes_none(sent: FaultsSent) -> None:
    """Nothing can be sent by mistake."""
    with pytest.raises(InvalidValueError):
        redactor(faults=sent).fault(REPORT)


def test_pseudonyms_are_names_and_tell_nothing_of_the_host() -> None:
    """Always the same for one provider, another for each, and no node can make another node's."""
    one = redactor(pseudonyms=True).instance(InstanceName("web-1"))
    assert one == redactor(pseudonyms=True).instance(InstanceName("web-1"))
    assert one != redactor(pseudonyms=True).instance(InstanceName("web-2"))
    assert one != redactor(GLOBEX, pseudonyms=True).instance(InstanceName("web-1"))
    stranger = Redactor(Redaction(pseudonyms=True), pseudonym_key(PrivateKey(b"x" * 32), ACME))
    assert one != stranger.instance(InstanceName("web-1"))
    assert redactor().instance(InstanceName("web-1")) == "web-1"


def test_a_host_whose_name_is_masked_goes_under_a_pseudonym() -> None:
    """A masked text does not slip out as a name."""
    told = redactor(masks=("web-*",)).fault(REPORT)
    assert told.instance.startswith("instance-")


@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=5))
def test_redacting_twice_is_the_same_as_once(message: str, log: list[str]) -> None:
    """A second node with the same rules leaves the report as it is."""
    rules = redactor(masks=("db-*.corp", "abc"), emails=True)
    once = rules.fault(replace(REPORT, message=message, log=tuple(log)))
    assert rules.fault(once) == once


def test_a_report_that_grew_by_redaction_still_fits() -> None:
    """The oldest lines go, and the newest stay."""
    line = "abc" * 2900
    large = replace(REPORT, log=tuple(f"{number} {line}" for number in range(limits.FAULT_LOG_LINES)))
    assert len(codec.encode(large)) > limits.FAULT_REPORT_BYTES - limits.MIB
    told = redactor(masks=("abc",)).fault(large)
    assert len(codec.encode(told)) <= limits.FAULT_REPORT_BYTES
    assert 0 < len(told.log) < limits.FAULT_LOG_LINES
    assert told.log[-1].startswith(f"{limits.FAULT_LOG_LINES - 1} {BLOT}")


def test_a_redaction_with_an_impossible_mask_is_none() -> None:
    """It is refused where it is made, not when the first report goes out."""
    with pytest.raises(InvalidValueError):
        Redaction(masks=("ab",))
    assert codec.decode(codec.encode(Redaction(masks=("abc",))), Redaction) == Redaction(masks=("abc",))
