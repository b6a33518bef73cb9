"""The provenance of a version: who built which image from which commits, how, and when; signed by the builder.

SLSA v1 provenance (slsa.dev/spec/v1.1/provenance) as an in-toto Statement v1 in a DSSE envelope, so that stock tools
read it. A builder says what it did; several that say the same of one image are harder to corrupt than one.
"""

from dataclasses import dataclass
from typing import Final, Literal, Self

import msgspec

from federation import codec
from federation.codec import Moment
from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey
from federation.manifest import PAYLOAD_TYPE, STATEMENT_TYPE, Maker
from federation.names import ServiceName
from federation.versions import DeveloperVersion

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://vupdate.dev/build/v1"
_BUILDER: Final = "https://vupdate.dev/node/"
_RECIPE: Final = "vupdate.toml"
_SOURCES: Final = 50
_WORD_CHARS: Final = 2000

WallsTold = Literal["sandbox", "process"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSource:
    """A checkout of a build: its folder's name, where it came from, what was asked for, and which commit this was."""

    name: str
    url: str
    commit: str
    ref: str = "HEAD"
    directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How an image was built. ``walls``: what the commands were closed in by; ``network``: whether they had it.

    ``invocation``: the builder's own name of the run; ``program``: the version of vUpdate that did it.
    """

    service: ServiceName
    version: DeveloperVersion
    image: Digest
    recipe: Digest
    sources: tuple[BuiltSource, ...]
    builder: Maker
    walls: WallsTold
    network: bool
    invocation: str
    started: Moment
    finished: Moment
    program: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.sources) <= _SOURCES:
            raise InvalidValueError(f"a build has 1 to {_SOURCES} sources")
        words = (
            self.invocation,
            self.program,
            *(word for one in self.sources for word in (one.name, one.url, one.ref)),
        )
        if max(map(len, words)) > _WORD_CHARS:
            raise OversizedError(f"a word of a provenance is at most {_WORD_CHARS} characters")
        if self.finished < self.started:
            raise InvalidValueError("a build ends after it began")


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    pass


class _Source(_Camel, frozen=True):
    name: str
    uri: str
    ref: str
    directory: str = ""


class _External(_Camel, frozen=True):
    service: ServiceName
    version: str
    sources: tuple[_Source, ...]


class _Internal(_Camel, frozen=True):
    walls: WallsTold
    network: bool


class _Dependency(_Camel, frozen=True):
    name: str
    digest: dict[str, str]
    uri: str = ""


class _Definition(_Camel, frozen=True):
    build_type: str
    external_parameters: _External
    internal_parameters: _Internal
    resolved_dependencies: tuple[_Dependency, ...]


class _Builder(_Camel, frozen=True):
    id: str
    version: dict[str, str]
    # An extension field: by it the signature can be checked; its digest is the node id in ``id``.
    vupdate_node: Maker


class _Metadata(_Camel, frozen=True):
    invocation_id: str
    started_on: Moment
    finished_on: Moment


class _Run(_Camel, frozen=True):
    builder: _Builder
    metadata: _Metadata


class _Predicate(_Camel, frozen=True):
    build_definition: _Definition
    run_details: _Run


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: dict[str, Digest]


class _Statement(msgspec.Struct, frozen=True, rename={"type_": "_type", "predicate_type": "predicateType"}):
    type_: str
    subject: list[_Subject]
    predicate_type: str
    predicate: _Predicate


def _encode(provenance: Provenance) -> bytes:
    builder = provenance.builder
    dependencies = [
        _Dependency(name=one.name, uri=f"git+{one.url}", digest={"gitCommit": one.commit}) for one in provenance.sources
    ]
    return codec.encode(
        _Statement(
            type_=STATEMENT_TYPE,
            subject=[_Subject(f"{provenance.service}/{provenance.version}", {"sha256": provenance.image})],
            predicate_type=PREDICATE_TYPE,
            predicate=_Predicate(
                build_definition=_Definition(
                    build_type=BUILD_TYPE,
                    external_parameters=_External(
                        service=provenance.service,
                        version=str(provenance.version),
                        sources=tuple(_Source(one.name, one.url, one.ref, one.directory) for one in provenance.sources),
                    ),
                    internal_parameters=_Internal(provenance.walls, provenance.network),
                    resolved_dependencies=(
                        *dependencies,
                        _Dependency(name=_RECIPE, digest={"sha256": str(provenance.recipe)}),
                    ),
                ),
                run_details=_Run(
                    builder=_Builder(f"{_BUILDER}{builder.key.id}", {"vupdate": provenance.program}, builder),
                    metadata=_Metadata(provenance.invocation, provenance.started, provenance.finished),
                ),
            ),
        )
    )


def _decode(payload: bytes) -> Provenance:
    statement = codec.decode(payload, _Statement)
    definition, run = statement.predicate.build_definition, statement.predicate.run_details
    if (statement.type_, statement.predicate_type) != (STATEMENT_TYPE, PREDICATE_TYPE) or len(statement.subject) != 1:
        raise InvalidValueError("the statement is no provenance of one image")
    if definition.build_type != BUILD_TYPE:
        raise InvalidValueError(f"a build of the type {definition.build_type[:80]!r} is not one of vUpdate")
    builder = run.builder.vupdate_node
    if run.builder.id != f"{_BUILDER}{builder.key.id}":
        raise InvalidValueError("the builder is not the one whose key is given")
    external = definition.external_parameters
    found = {one.name: one.digest for one in definition.resolved_dependencies}
    image = statement.subject[0].digest.get("sha256")
    if image is None or len(found) != len(external.sources) + 1:
        raise InvalidValueError("the image's digest, a source's commit or the recipe is missing")
    return Provenance(
        service=external.service,
        version=DeveloperVersion(external.version),
        image=image,
        recipe=Digest(found.get(_RECIPE, {}).get("sha256", "")),
        sources=tuple(_source(one, found.get(one.name, {})) for one in external.sources),
        builder=builder,
        walls=definition.internal_parameters.walls,
        network=definition.internal_parameters.network,
        invocation=run.metadata.invocation_id,
        started=run.metadata.started_on,
        finished=run.metadata.finished_on,
        program=run.builder.version.get("vupdate", ""),
    )


def _source(wire: _Source, digest: dict[str, str]) -> BuiltSource:
    commit = digest.get("gitCommit", "")
    if len(commit) not in (40, 64) or not set(commit) <= set("0123456789abcdef"):
        raise InvalidValueError(f"source {wire.name[:80]!r} has no commit")
    return BuiltSource(name=wire.name, url=wire.uri, commit=commit, ref=wire.ref, directory=wire.directory)


@dataclass(frozen=True, slots=True)
class SignedProvenance:
    """A provenance whose signature by the builder that it names has been checked.

    Whether that builder is trusted, and its key still its own, is for the caller to decide.
    """

    provenance: Provenance
    envelope: Envelope

    @classmethod
    def make(cls, provenance: Provenance, key: PrivateKey) -> Self:
        """``provenance`` signed by ``key``, which must be its builder's."""
        if provenance.builder.key != key.public:
            raise ValueError("a provenance is signed by the builder that it names")
        return cls(provenance, Envelope.signed(PAYLOAD_TYPE, _encode(provenance), key))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The signed provenance in the envelope ``content``.

        Raises:
            TamperedError: not a provenance, or not signed by the builder it names.
            OversizedError: over a bound of ``limits``.
        """
        envelope = Envelope.from_bytes(content)
        try:
            provenance = _decode(envelope.payload)
        except (InvalidValueError, OversizedError) as error:
            raise TamperedError(f"not a provenance: {error}") from error
        envelope.verified_payload(PAYLOAD_TYPE, [provenance.builder.key])
        return cls(provenance, envelope)

    def to_bytes(self) -> bytes:
        """The envelope, as it is stored and sent."""
        return self.envelope.to_bytes()
