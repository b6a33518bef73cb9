"""The node itself, its callers, and what is known of their changes."""

from datetime import datetime
from typing import Self

import strawberry

from node.model import account
from node.model.account import Role
from node.usecases import NodeIdentity
from node.usecases.changes import Change as HubChange
from node.usecases.changes import Topic


@strawberry.type(description="This node.")
class Node:
    name: str
    id: str = strawberry.field(description="The fingerprint of its key, to be compared by eye.")
    key: str = strawberry.field(description="Its Ed25519 public key in base64.")
    url: str = strawberry.field(description="Where others reach it.")
    version: str = strawberry.field(description="The version of vUpdate that it runs.")

    @classmethod
    def of(cls, identity: NodeIdentity) -> Self:
        return cls(name=identity.name, id=identity.id, key=identity.key, url=identity.url, version=identity.version)


@strawberry.type(description="Who calls.")
class Person:
    name: str
    role: Role

    @classmethod
    def of(cls, person: account.Person) -> Self:
        return cls(name=person.name, role=person.role)


@strawberry.type(description="One change, in the audit log.")
class AuditEntry:
    at: datetime
    who: str
    action: str
    detail: str

    @classmethod
    def of(cls, entry: account.AuditEntry) -> Self:
        return cls(at=entry.at, who=entry.who, action=entry.action, detail=entry.detail)


@strawberry.type(description="A hint that something changed; an empty subject: anything of the topic may have.")
class Change:
    topic: Topic
    subject: str

    @classmethod
    def of(cls, change: HubChange) -> Self:
        return cls(topic=change.topic, subject=change.subject)


@strawberry.type(description="A one-time link to log in with. Shown once.")
class NewLoginLink:
    url: str
    expires: datetime
