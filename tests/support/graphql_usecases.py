"""Use cases that answer from a table, for tests of the API above them.

Each call is bound to the real method's signature first, so that a use case that changes its form fails these tests.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from federation.keys import PrivateKey
from federation.names import NodeName
from node.graphql.context import Context
from node.model.account import Person, Role
from node.usecases import NodeIdentity, Usecases
from node.usecases.accounts import Accounts
from node.usecases.adaptation import Adaptation
from node.usecases.addresses import Addresses
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.builds import Builds
from node.usecases.catalog_keys import CatalogKeys
from node.usecases.changes import ChangeHub
from node.usecases.client_builds import ClientBuilds
from node.usecases.credentials import Credentials
from node.usecases.delegation import Delegation
from node.usecases.delivery import Delivery
from node.usecases.desired import Desired
from node.usecases.explaining import Explanations
from node.usecases.fault_files import FaultFiles
from node.usecases.faults import Faults
from node.usecases.following import Following
from node.usecases.handing_over import HandingOver
from node.usecases.images import Images
from node.usecases.instances import Instances
from node.usecases.links import Links
from node.usecases.logs import Logs
from node.usecases.marks import Marks
from node.usecases.nearby import Nearby
from node.usecases.outbox import Outbox
from node.usecases.pairing import PairingDesk
from node.usecases.penalties import Penalties
from node.usecases.pins import Pins
from node.usecases.placements import Placements
from node.usecases.private_files import PrivateFiles
from node.usecases.profiles import Profiles
from node.usecases.provenances import Provenances
from node.usecases.rebuilds import Rebuilds
from node.usecases.received import Received
from node.usecases.resuming import Resuming
from node.usecases.runs import Runs
from node.usecases.services import Services
from node.usecases.settings_watch import SettingsWatch
from node.usecases.tasks import Tasks
from node.usecases.transfers import Transfers
from node.usecases.updates import Updates
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals

KEY = PrivateKey(bytes(range(32)))

_KINDS: dict[str, type] = {
    "desired": Desired,
    "versions": Versions,
    "services": Services,
    "settings_watch": SettingsWatch,
    "builds": Builds,
    "adaptation": Adaptation,
    "client_builds": ClientBuilds,
    "credentials": Credentials,
    "tasks": Tasks,
    "placements": Placements,
    "provenances": Provenances,
    "delegation": Delegation,
    "handing_over": HandingOver,
    "rebuilds": Rebuilds,
    "resuming": Resuming,
    "private_files": PrivateFiles,
    "profiles": Profiles,
    "links": Links,
    "nearby": Nearby,
    "pairing": PairingDesk,
    "updates": Updates,
    "transfers": Transfers,
    "penalties": Penalties,
    "images": Images,
    "instances": Instances,
    "explanations": Explanations,
    "following": Following,
    "logs": Logs,
    "runs": Runs,
    "fault_files": FaultFiles,
    "faults": Faults,
    "accounts": Accounts,
    "addresses": Addresses,
    "audit": Audit,
    "alarms": Alarms,
    "pins": Pins,
    "delivery": Delivery,
    "marks": Marks,
    "outbox": Outbox,
    "received": Received,
    "catalog_keys": CatalogKeys,
    "withdrawals": Withdrawals,
}


class _Answering:
    """One use case: its methods answer what the table says, raise what it says, or call what it says."""

    def __init__(self, kind: type, calls: list[str], answers: dict[str, Any]) -> None:
        self._kind = kind
        self._calls = calls
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        signature = inspect.signature(getattr(self._kind, name))
        answer = self._answers[name]

        async def call(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(self, *args, **kwargs)
            given = ", ".join(f"{key}={value}" for key, value in bound.arguments.items() if key != "self")
            self._calls.append(f"{self._kind.__name__}.{name}({given})")
            if isinstance(answer, Exception):
                raise answer
            return answer(*args, **kwargs) if callable(answer) else answer

        return call


@dataclass
class FakeUsecases:
    """All use cases of a node. ``answers``: by ``usecase.method``; ``calls``: what was called, in order."""

    answers: dict[str, Any]
    calls: list[str] = field(default_factory=list)
    changes: ChangeHub = field(default_factory=ChangeHub)
    identity: NodeIdentity = field(
        default_factory=lambda: NodeIdentity(
            name=NodeName("acme"), id=KEY.id, key=KEY.public, url="http://127.0.0.1:7420", version="0.1.0"
        )
    )

    def __getattr__(self, name: str) -> _Answering:
        prefix = f"{name}."
        answers = {key.removeprefix(prefix): answer for key, answer in self.answers.items() if key.startswith(prefix)}
        return _Answering(_KINDS[name], self.calls, answers)


def context(usecases: object, role: Role | None = Role.ADMINISTRATOR) -> Context:
    """A request of somebody with ``role``, or of nobody."""
    person = None if role is None else Person(name="ann", role=role)
    return Context(usecases=cast("Usecases", usecases), person=person)
