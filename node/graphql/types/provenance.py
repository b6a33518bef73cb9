"""Who built a version, and the policies that ask for builders."""

from datetime import datetime
from typing import Self

import strawberry

from federation import provenance as provenances
from federation.digest import Digest
from node.model import building


@strawberry.type(description="A checkout of a build: what was asked for, and the commit that this was.")
class BuiltSource:
    name: str
    url: str
    ref: str
    directory: str
    commit: str

    @classmethod
    def of(cls, source: provenances.BuiltSource) -> Self:
        return cls(name=source.name, url=source.url, ref=source.ref, directory=source.directory, commit=source.commit)


@strawberry.type(description="What one builder says of how it built a version (SLSA v1 provenance).")
class Provenance:
    builder: str = strawberry.field(description="The builder's node id.")
    node: str = strawberry.field(description="The builder's name, as it says.")
    image: str = strawberry.field(description="SHA-256 of the image index that it built.")
    same: bool | None = strawberry.field(description="Whether that is the version's image; null: it is not here.")
    walls: str = strawberry.field(description="What the build's commands were closed in by: sandbox or process.")
    network: bool = strawberry.field(description="Whether they could reach the network.")
    sources: list[BuiltSource]
    started: datetime
    finished: datetime
    program: str = strawberry.field(description="The version of vUpdate that did it.")
    difference: list[str] = strawberry.field(description="How its image differs, where the two were compared.")
    envelope: str = strawberry.field(description="The signed statement: a DSSE envelope as JSON.")

    @classmethod
    def of(cls, stored: building.StoredProvenance, image: Digest | None) -> Self:
        said = stored.signed.provenance
        return cls(
            builder=stored.builder,
            node=stored.node,
            image=stored.image,
            same=None if image is None else stored.image == image,
            walls=said.walls,
            network=said.network,
            sources=[BuiltSource.of(one) for one in said.sources],
            started=said.started,
            finished=said.finished,
            program=said.program,
            difference=list(stored.difference),
            envelope=stored.envelope.decode(),
        )


@strawberry.type(description="That versions of a service need so many of these builders to have built them alike.")
class BuilderPolicy:
    service: str
    builders: list[str] = strawberry.field(description="Node ids.")
    require: int

    @classmethod
    def of(cls, policy: building.BuilderPolicy) -> Self:
        return cls(service=policy.service, builders=list(policy.builders), require=policy.require)
