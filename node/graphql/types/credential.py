"""Credentials for Git servers, as far as they are shown."""

from datetime import datetime
from typing import Self

import strawberry

from node.model import credential as model
from node.model.credential import CredentialKind

strawberry.enum(CredentialKind, name="CredentialKind", description="What opens the repositories.")


@strawberry.type(description="What the node keeps to get at the repositories of a Git server. It is never shown.")
class GitCredential:
    prefix: str = strawberry.field(description="How the addresses begin that it is for.")
    kind: CredentialKind
    user: str = strawberry.field(description="Of HTTPS; of SSH it is in the prefix.")
    known_hosts: bool = strawberry.field(description="Whether the keys of the SSH host were given with it.")
    at: datetime = strawberry.field(description="When it was put last.")
    by: str
    fingerprint: str = strawberry.field(description="Keyed: tells two secrets apart, and lets none be guessed.")

    @classmethod
    def of(cls, kept: model.GitCredential) -> Self:
        return cls(
            prefix=kept.prefix,
            kind=kept.kind,
            user=kept.user,
            known_hosts=kept.known_hosts,
            at=kept.at,
            by=kept.by,
            fingerprint=kept.fingerprint,
        )
