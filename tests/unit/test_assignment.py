"""Assignments: what one agent should run, signed by its node."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import assignment, limits, statement, withdrawal
from federation.assignment import Assigned, Assignment
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, TamperedError, VUpdateError
from federation.keys import PrivateKey
from federation.names import ServiceKey
from federation.versions import ClientVersion
from tests.support import strategies as values

NODE = PrivateKey(b"n" * 32)
AGENT = PrivateKey(b"a" * 32)


def assigned(key: str, version: str = "acme-1.0.0_1") -> Assigned:
    return Assigned(
        key=ServiceKey(key), version=ClientVersion(version), image=Digest.of(b"i"), manifest=Digest.of(b"m")
    )


def made(**changes: Any) -> Assignment:
    services = (assigned("guestbook"), assigned("shop:worker", "globex-2.0.0"))
    return replace(Assignment(agent=AGENT.id, revision=3, services=services), **changes)


def read(content: bytes) -> Assignment:
    return Assignment.read(content, node=NODE.public, reader=AGENT.id)


def test_an_agent_reads_what_its_node_signed_for_it() -> None:
    """Whole, with the types of its parts."""
    again = read(made().sign(NODE))
    assert again == made()
    assert again.services[1].key.role == "worker"
    assert again.services[0].version.number == 1


def test_an_assignment_of_another_agent_is_refused() -> None:
    """Though signed by the right node."""
    with pytest.raises(TamperedError, match="another agent"):
        read(made(agent=NODE.id).sign(NODE))


def test_an_assignment_of_another_signer_is_refused() -> None:
    """The agent's own key included."""
    with pytest.raises(TamperedError):
        read(made().sign(AGENT))


def test_a_statement_of_another_type_is_no_assignment() -> None:
    """Types are under the signature."""
    with pytest.raises(TamperedError):
        read(statement.sign(withdrawal.PAYLOAD_TYPE, made(), NODE))


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": -1},
        {"revision": 2**70},
        {"services": (assigned("shop"), assigned("guestbook"))},
        {"services": (assigned("shop"), assigned("shop", "acme-2.0.0"))},
    ],
)
def test_an_assignment_can_not_be_built_wrong(changes: dict[str, Any]) -> None:
    """Each service once, in order, under a revision."""
    with pytest.raises(InvalidValueError):
        made(**changes)


def test_two_roles_of_one_service_are_two_entries() -> None:
    """Each with its own version."""
    assert len(made(services=(assigned("shop"), assigned("shop:db"), assigned("shop:web"))).services) == 3


def test_an_assignment_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """On its number of services."""
    monkeypatch.setattr(limits, "OFFER_VERSIONS", 1)
    with pytest.raises(OversizedError):
        made()


@given(st.binary(max_size=60) | values.json_values())
def test_anything_signed_or_not_gives_an_error_of_ours(value: Any) -> None:
    """Never another exception."""
    with pytest.raises(VUpdateError):
        read(value if isinstance(value, bytes) else statement.sign(assignment.PAYLOAD_TYPE, value, NODE))
