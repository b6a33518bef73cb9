"""Catalogues with their keys, and withdrawals."""

from datetime import datetime
from typing import Self

import strawberry

from federation.catalog import ceremony
from federation.catalog.ceremony import KeyInfo
from federation.catalog.roles import Role as CatalogRole
from federation.catalog.tufkeys import key_id
from node.model import withdrawal
from node.usecases import catalog_keys

strawberry.enum(CatalogRole, name="CatalogRole", description="Who signs what in a catalogue.")


@strawberry.type(description="A key that a catalogue's root appoints.")
class CatalogKey:
    id: str = strawberry.field(description="Its id in TUF metadata: 64 hexadecimal digits.")
    key: str = strawberry.field(description="The public key, base64.")
    here: bool = strawberry.field(description="Whether its private part is on this node.")

    @classmethod
    def of(cls, info: KeyInfo) -> Self:
        return cls(id=key_id(info.key), key=info.key, here=info.here)


@strawberry.type(description="One role of a catalogue: its newest metadata, its keys, and how many of them must sign.")
class CatalogRoleState:
    role: CatalogRole
    version: int
    expires: datetime
    threshold: int
    keys: list[CatalogKey]

    @classmethod
    def of(cls, state: catalog_keys.RoleState) -> Self:
        return cls(
            role=state.role,
            version=state.version,
            expires=state.expires,
            threshold=state.threshold,
            keys=[CatalogKey.of(key) for key in state.keys],
        )


@strawberry.type(description="A profile as it is published: a TUF repository.")
class Catalog:
    profile: str
    public: bool
    serial: float = strawberry.field(description="Grows with each publication that changes what is listed.")
    root: str = strawberry.field(description="SHA-256 of the newest root metadata, to be compared by eye.")
    roles: list[CatalogRoleState]
    online: bool = strawberry.field(description="Whether this node can sign the next root alone.")
    prepared: int | None = strawberry.field(description="The root that waits for signatures, if any.")
    warnings: list[str] = strawberry.field(description="What the operator has to do by hand.")

    @classmethod
    def of(cls, state: catalog_keys.CatalogState) -> Self:
        return cls(
            profile=state.profile,
            public=state.public,
            serial=float(state.serial),
            root=state.root,
            roles=[CatalogRoleState.of(role) for role in state.roles],
            online=state.online,
            prepared=state.prepared,
            warnings=list(state.warnings),
        )


@strawberry.type(description="A change of a catalogue's keys as far as it went.")
class Ceremony:
    root_version: int
    done: list[str]
    left: list[str] = strawberry.field(description="What is left to do by hand.")
    document: str | None = strawberry.field(description="The prepared root, when others have to sign it.")

    @classmethod
    def of(cls, made: ceremony.Ceremony) -> Self:
        return cls(
            root_version=made.root_version,
            done=list(made.done),
            left=list(made.left),
            document=made.document.decode() if made.document is not None else None,
        )


@strawberry.type(description="That a version is not to be used any more.")
class Withdrawal:
    version: str
    by: str = strawberry.field(description="The node that withdrew it.")
    reason: str
    at: datetime

    @classmethod
    def of(cls, kept: withdrawal.KeptWithdrawal) -> Self:
        return cls(version=kept.version, by=kept.by, reason=kept.reason, at=kept.at)

    @classmethod
    def maybe(cls, kept: withdrawal.KeptWithdrawal | None) -> Self | None:
        """The withdrawal, if there is one."""
        return None if kept is None else cls.of(kept)
