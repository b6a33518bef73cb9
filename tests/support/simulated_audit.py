"""Looks over the shoulders of simulated nodes: at what one stores and wants, at the moment of each change."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from federation.digest import Digest
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.usecases.changes import Change, Topic
from tests.support.nodes import Member

_T = TypeVar("_T")


def immediately(work: Coroutine[Any, Any, _T]) -> _T:
    """What ``work`` returns, which waits for nothing, as the storage is in memory."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    work.close()
    raise AssertionError("it waits for something")


@dataclass
class Auditor:
    """Looks at each change of what a node has and wants, at the moment of the change.

    ``made``: image and manifest of every version that its origin has made, by service and version.
    """

    made: dict[tuple[str, str], tuple[Digest, Digest]] = field(default_factory=dict)
    desired: dict[str, dict[str, str]] = field(default_factory=dict)
    history: dict[tuple[str, str], list[tuple[float, str]]] = field(default_factory=dict)
    checks: int = 0
    wrong: list[str] = field(default_factory=list)

    def watch(self, member: Member) -> None:
        def noticed(change: Change) -> None:
            if change == Change(Topic.DESIRED, ListKind.DEVELOPER.value):
                self._desired(member)
            elif change.topic is Topic.VERSIONS and "/" in change.subject:
                self._stored(member, *change.subject.split("/"))

        self.desired.setdefault(member.name, {})
        member.use.changes.watch(noticed)

    def _desired(self, member: Member) -> None:
        now = asyncio.get_running_loop().time()
        versions = immediately(member.desired())
        before = self.desired[member.name]
        for service, version in versions.items():
            self._check(member.name, "desires", service, version)
            if before.get(service) != version:
                self.history.setdefault((member.name, service), []).append((now, version))
        if before.keys() - versions.keys():
            self.wrong.append(f"{member.name} desires some service no longer")
        self.desired[member.name] = versions

    def _check(self, name: str, does: str, service: str, version: str) -> None:
        self.checks += 1
        if (service, version) not in self.made:
            self.wrong.append(f"{name} {does} {service} {version}, which its origin never made")

    def _stored(self, member: Member, service: str, version: str) -> None:
        self._check(member.name, "stores", service, version)
        has = member.use.versions.has(ListKind.DEVELOPER, ServiceName(service), DeveloperVersion(version))
        if immediately(has):
            get = member.use.versions.get(ListKind.DEVELOPER, ServiceName(service), DeveloperVersion(version))
            stored = immediately(get)
            if (stored.image, stored.manifest) != self.made.get((service, version)):
                self.wrong.append(f"{member.name} stores another {service} {version} than its origin made")

    def changes(self, names: tuple[str, ...], since: float) -> int:
        """How often ``names`` changed what they desire."""
        found = [at for (name, _), changes in self.history.items() if name in names for at, _ in changes]
        return sum(at > since for at in found)

    def returns(self, names: tuple[str, ...], since: float) -> list[str]:
        """Who came back to a version that it had left since then."""
        found = []
        for (name, service), changes in self.history.items():
            late = [version for at, version in changes if at > since]
            if name in names and len(set(late)) < len(late):
                found.append(f"{name} {service}: {', '.join(late)}")
        return found
