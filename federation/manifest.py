"""The version manifest: the small signed statement about a version.

An in-toto Statement v1 (github.com/in-toto/attestation, spec/v1/statement.md) in a DSSE envelope. Subject: the digest
of the image. Predicate: what the version is, from which commits, by whom, and for a client version its base and
overlay. Signed by the node that made it and never re-encoded: it is checked and passed on as the bytes received.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

import msgspec

from federation import codec, limits
from federation.codec import Moment
from federation.digest import Digest
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.keys import PrivateKey, PublicKey
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://vupdate.dev/version/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Git checkout of a build: the name of its folder, where it came from and the commit it was at."""

    name: str
    url: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """The node that made a version, with the key that its signature is checked by."""

    node: NodeName
    key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is known of one version. ``base`` and ``overlay`` are set for client versions, and only for them."""

    service: ServiceName
    version: DeveloperVersion | ClientVersion
    image: Digest
    size_bytes: int
    entries: int
    recipe: Digest
    sources: tuple[Source, ...]
    maker: Maker
    created: Moment
    comment: str = ""
    base: Digest | None = None
    overlay: Digest | None = None

    def __post_init__(self) -> None:
        client = isinstance(self.version, ClientVersion)
        if client != (self.base is not None) or client != (self.overlay is not None):
            raise InvalidValueError(
                "a client version names its base manifest and its overlay; a developer version none"
            )
        if isinstance(self.version, DeveloperVersion) and self.version.node != self.maker.node:
            raise InvalidValueError(f"version {self.version} can't be made by node {self.maker.node}")
        if not (0 <= self.size_bytes <= limits.IMAGE_BYTES and 0 <= self.entries <= limits.IMAGE_ENTRIES):
            raise InvalidValueError("a version's size or number of entries is not one that an image can have")
        if len(self.comment) > limits.COMMENT_CHARS:
            raise OversizedError(f"a version's comment is at most {limits.COMMENT_CHARS} characters")

    @property
    def developer_version(self) -> DeveloperVersion:
        """The developer version that this is, or rests on."""
        return self.version.base if isinstance(self.version, ClientVersion) else self.version


class _Predicate(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: str
    service: ServiceName
    version: str
    size_bytes: int
    entries: int
    recipe: Digest
    sources: tuple[Source, ...]
    maker: Maker
    created: Moment
    comment: str = ""
    base: Digest | None = None
    overlay: Digest | None = None


class _Subject(msgspec.Struct, frozen=True):
    name: str
    digest: dict[str, Digest]


class _Statement(msgspec.Struct, frozen=True, rename={"type_": "_type", "predicate_type": "predicateType"}):
    type_: str
    subject: list[_Subject]
    predicate_type: str
    predicate: _Predicate


def _encode(manifest: Manifest) -> bytes:
    client = isinstance(manifest.version, ClientVersion)
    statement = _Statement(
        type_=STATEMENT_TYPE,
        subject=[_Subject(f"{manifest.service}/{manifest.version}", {"sha256": manifest.image})],
        predicate_type=PREDICATE_TYPE,
        predicate=_Predicate(
            kind="client" if client else "developer",
            service=manifest.service,
            version=str(manifest.version),
            size_bytes=manifest.size_bytes,
            entries=manifest.entries,
            recipe=manifest.recipe,
            sources=manifest.sources,
            maker=manifest.maker,
            created=manifest.created,
            comment=manifest.comment,
            base=manifest.base,
            overlay=manifest.overlay,
        ),
    )
    return codec.encode(statement)


def _version(kind: str, text: str) -> DeveloperVersion | ClientVersion:
    if kind == "developer":
        return DeveloperVersion(text)
    if kind == "client":
        return ClientVersion(text)
    raise InvalidValueError(f"manifest of unknown kind {kind[:40]!r}")


def _decode(payload: bytes) -> Manifest:
    statement = codec.decode(payload, _Statement)
    if statement.type_ != STATEMENT_TYPE or statement.predicate_type != PREDICATE_TYPE or len(statement.subject) != 1:
        raise InvalidValueError("the statement is not about one vUpdate version")
    image = statement.subject[0].digest.get("sha256")
    if image is None:
        raise InvalidValueError("the statement's subject has no SHA-256 digest")
    wire = statement.predicate
    return Manifest(
        service=wire.service,
        version=_version(wire.kind, wire.version),
        image=image,
        size_bytes=wire.size_bytes,
        entries=wire.entries,
        recipe=wire.recipe,
        sources=wire.sources,
        maker=wire.maker,
        created=wire.created,
        comment=wire.comment,
        base=wire.base,
        overlay=wire.overlay,
    )


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest whose signature by the key it names has been checked.

    Whether that key is its maker's, and still is, the caller decides: once a maker is known to have changed its key,
    the newest one must have signed too. The digest is that of the payload, and stays the same however many sign.
    """

    manifest: Manifest
    envelope: Envelope

    @property
    def digest(self) -> Digest:
        """The digest of the signed statement: its name in a base reference, an offer and an assignment."""
        return Digest.of(self.envelope.payload)

    @classmethod
    def make(cls, manifest: Manifest, key: PrivateKey) -> Self:
        """``manifest`` signed by ``key``, which must be its maker's."""
        if manifest.maker.key != key.public:
            raise ValueError("a manifest is signed by the node that it names as its maker")
        return cls(manifest, Envelope.signed(PAYLOAD_TYPE, _encode(manifest), key))

    def bears(self, key: PublicKey) -> bool:
        """Whether ``key`` has signed it: its maker's, or one that took that one's place later."""
        return bool(self.envelope.signers([key]))

    def countersigned(self, key: PrivateKey) -> "SignedManifest":
        """The same with one more signature: by it a maker stands by what it signed with a key since given up."""
        return replace(self, envelope=self.envelope.with_signature(key))

    def with_signature_of(self, key: PublicKey, other: "SignedManifest") -> "SignedManifest":
        """The same with the signature by ``key`` that ``other`` bears.

        Raises:
            TamperedError: ``other`` is another manifest, or ``key`` has not signed it.
            OversizedError: too many signatures.
        """
        return replace(self, envelope=self.envelope.with_signature_of(key, other.envelope))

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The signed manifest in the envelope ``content``.

        Raises:
            TamperedError: not a manifest, or not signed by the maker it names.
            OversizedError: over a bound of ``limits``.
        """
        envelope = Envelope.from_bytes(content)
        try:
            manifest = _decode(envelope.payload)
        except (InvalidValueError, OversizedError) as error:
            raise TamperedError(f"not a version manifest: {error}") from error
        envelope.verified_payload(PAYLOAD_TYPE, [manifest.maker.key])
        return cls(manifest, envelope)
