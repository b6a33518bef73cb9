"""Fault reports: one crash is one report, and no report goes in a circle."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, limits
from federation.errors import InvalidValueError, OversizedError, VUpdateError
from federation.fault import FaultReport
from federation.keys import PrivateKey
from federation.names import InstanceName, NodeName, ServiceKey
from federation.versions import ClientVersion
from tests.support import strategies as values

THEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NODES = {name: PrivateKey(name.encode() * 4).id for name in ("initech_", "globex__", "acme____")}


def made(**changes: Any) -> FaultReport:
    report = FaultReport(
        id="6f2c1c5e-8a0f-4b2e-9a53-0d4a3a4d7a11",
        service=ServiceKey("guestbook"),
        version=ClientVersion("acme-1.0.1_1"),
        instance=InstanceName("web-1"),
        occurred=THEN,
        reason="signalled",
        signal="SEGV",
        message="ended by SIGSEGV",
        in_probation=True,
        put_back=ClientVersion("acme-1.0.0_1"),
        uptime_seconds=0.75,
        log=("one", "two"),
    )
    return replace(report, **changes)


def test_a_report_gathers_the_nodes_on_its_way() -> None:
    """In the order in which they received it; the original stays as it was."""
    first = made()
    at_initech = first.received_by(NodeName("initech"), NODES["initech_"], THEN)
    at_globex = at_initech.received_by(NodeName("globex"), NODES["globex__"], THEN + timedelta(seconds=1))
    assert [hop.node for hop in at_globex.path] == ["initech", "globex"]
    assert first.path == ()
    assert at_globex.id == first.id


def test_a_report_that_comes_round_again_is_refused() -> None:
    """By the node's id, whatever name it bears by then."""
    report = made().received_by(NodeName("initech"), NODES["initech_"], THEN)
    report = report.received_by(NodeName("globex"), NODES["globex__"], THEN)
    with pytest.raises(InvalidValueError, match="before"):
        report.received_by(NodeName("renamed"), NODES["initech_"], THEN)


def test_a_report_survives_its_bytes() -> None:
    """With its path and all."""
    report = made().received_by(NodeName("acme"), NODES["acme____"], THEN)
    assert codec.decode(codec.encode(report), FaultReport) == report
    assert codec.from_document(codec.to_document(report), FaultReport) == report


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "../../etc/passwd",
        "6F2C1C5E-8A0F-4B2E-9A53-0D4A3A4D7A11",
        "6f2c1c5e8a0f4b2e9a530d4a3a4d7a11",
        "{6f2c1c5e-8a0f-4b2e-9a53-0d4a3a4d7a11}",
        "urn:uuid:6f2c1c5e-8a0f-4b2e-9a53-0d4a3a4d7a11",
        "6f2c1c5e-8a0f-4b2e-9a53-0d4a3a4d7a11\n",
        "6f2c1c5e_8a0f_4b2e_9a53_0d4a3a4d7a11",
        "x" * 100_000,
    ],
)
def test_an_id_in_another_spelling_is_refused(text: str) -> None:
    """Else one report under two spellings would be two, and an id would not be a file name."""
    with pytest.raises(InvalidValueError, match="UUID") as caught:
        made(id=text)
    assert len(caught.value.message) < 300


@given(st.uuids())
def test_any_uuid_is_an_id(one: uuid.UUID) -> None:
    """In its plain spelling."""
    assert made(id=str(one)).id == str(one)


def test_too_many_lines_or_hops_are_refused() -> None:
    """Each by its own bound."""
    made(log=("x",) * limits.FAULT_LOG_LINES)
    with pytest.raises(OversizedError):
        made(log=("x",) * (limits.FAULT_LOG_LINES + 1))
    hop = made().received_by(NodeName("acme"), NODES["acme____"], THEN).path[0]
    full = made(path=(hop,) * limits.FAULT_PATH_HOPS)
    with pytest.raises(OversizedError):
        full.received_by(NodeName("globex"), NODES["globex__"], THEN)


@given(st.sampled_from(sorted(codec.to_document(made()))), values.json_values())
def test_any_value_in_any_field_gives_a_report_or_an_error_of_ours(field: str, value: object) -> None:
    """What an agent sends is not trusted."""
    document = codec.to_document(made())
    document[field] = value
    try:
        codec.decode(codec.encode(document), FaultReport)
    except VUpdateError:
        return


@pytest.mark.parametrize("status", [2**31, -(2**40)])
def test_an_exit_status_that_none_can_be_is_refused(status: int) -> None:
    """A number that would break whoever shows the list of reports does not get in."""
    with pytest.raises(InvalidValueError):
        made(exit_status=status)
