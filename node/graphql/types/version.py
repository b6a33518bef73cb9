"""Versions, the lists of desired ones, and profiles."""

from datetime import datetime
from typing import Self

import strawberry

from federation import manifest
from federation import profile as profiles
from node.graphql.types.catalog import Withdrawal
from node.model import desired
from node.model import version as versions
from node.model.desired import ListKind
from node.model.withdrawal import KeptWithdrawal


@strawberry.type(description="The commit of one repository that a version was made from.")
class Source:
    name: str
    url: str
    commit: str

    @classmethod
    def of(cls, source: manifest.Source) -> Self:
        return cls(name=source.name, url=source.url, commit=source.commit)


@strawberry.type(description="A version whose image is here whole, with what its signed manifest says.")
class Version:
    kind: ListKind
    service: str
    version: str
    image: str = strawberry.field(description="SHA-256 of its image index.")
    manifest: str = strawberry.field(description="SHA-256 of its signed statement.")
    stored: datetime
    received_from: str | None = strawberry.field(description="The provider it came from; null: made here.")
    maker: str = strawberry.field(description="The node that made and signed it.")
    maker_id: str
    created: datetime
    comment: str
    size_bytes: float
    entries: int
    sources: list[Source]
    private: bool = strawberry.field(description="Whether it holds private files; then no other node is given it.")
    withdrawn: Withdrawal | None = strawberry.field(description="That it is not to be used any more; null: it may.")

    @classmethod
    def of(cls, stored: versions.StoredVersion, withdrawn: KeptWithdrawal | None = None) -> Self:
        made = stored.signed.manifest
        return cls(
            kind=stored.kind,
            service=stored.service,
            version=stored.version,
            image=stored.image,
            manifest=stored.manifest,
            stored=stored.stored,
            received_from=stored.received_from,
            maker=made.maker.node,
            maker_id=made.maker.key.id,
            created=made.created,
            comment=made.comment,
            size_bytes=float(made.size_bytes),
            entries=made.entries,
            sources=[Source.of(source) for source in made.sources],
            private=stored.private,
            withdrawn=Withdrawal.maybe(withdrawn),
        )


@strawberry.type(description="One service and one version of it.")
class VersionEntry:
    service: str
    version: str


@strawberry.type(description="One change of a list; null: removed from it.")
class Delta:
    service: str
    version: str | None


@strawberry.type(description="One state of a list of desired versions. Number 0 is the empty list.")
class Revision:
    kind: ListKind
    number: int
    versions: list[VersionEntry]
    deltas: list[Delta]
    who: str
    why: str
    at: datetime | None

    @classmethod
    def of(cls, revision: desired.Revision) -> Self:
        return cls(
            kind=revision.kind,
            number=revision.number,
            versions=[
                VersionEntry(service=service, version=text) for service, text in sorted(revision.versions.items())
            ],
            deltas=[Delta(service=delta.service, version=delta.version) for delta in revision.deltas],
            who=revision.who,
            why=revision.why,
            at=revision.at,
        )


@strawberry.type(description="A named set of services that this node shares.")
class Profile:
    name: str
    services: list[str]
    public: bool = strawberry.field(description="Whether everybody may read its catalogue, without credentials.")

    @classmethod
    def of(cls, profile: profiles.Profile) -> Self:
        return cls(name=profile.name, services=sorted(profile.services), public=profile.public)
