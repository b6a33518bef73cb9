"""Versions as a node keeps them, the services it builds, and the settings of its site."""

from dataclasses import dataclass

from federation import codec
from federation.codec import Moment
from federation.digest import Digest
from federation.manifest import SignedManifest
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.model.desired import ListKind
from node.model.settings import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """A version whose image is here whole. ``envelope``: its signed manifest as received, never re-encoded.

    ``private_files``: the paths in its image of private files, its base's among them.
    """

    kind: ListKind
    service: ServiceName
    version: str
    image: Digest
    manifest: Digest
    envelope: bytes
    stored: Moment
    received_from: NodeName | None = None
    private_files: tuple[str, ...] = ()

    @property
    def private(self) -> bool:
        """Whether its image holds secrets of this node, so that no other node may have anything of it."""
        return bool(self.private_files)

    @property
    def developer_key(self) -> tuple[ServiceName, DeveloperVersion]:
        """The service with the developer version that this is, or rests on."""
        client = self.kind is ListKind.CLIENT
        return self.service, ClientVersion(self.version).base if client else DeveloperVersion(self.version)

    @property
    def signed(self) -> SignedManifest:
        """The signed manifest, its signature checked again."""
        return SignedManifest.from_bytes(self.envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitSource:
    """A Git repository: the name of its folder in the build, its URL, and a branch, tag or commit."""

    name: str
    url: str
    ref: str = "HEAD"
    directory: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopedService:
    """A service that this node builds: its sources, the first of which holds the recipe.

    ``tag``: whether the sources of each version are tagged where they came from.
    """

    name: ServiceName
    sources: tuple[GitSource, ...]
    tag: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """How this site adapts one service: overlay directories in order, macro values, and whether they are watched."""

    service: ServiceName
    overlays: tuple[GitSource, ...] = ()
    macros: dict[str, str] | None = None
    watch: Watch = Watch.AUTO

    @property
    def content(self) -> bytes:
        """What client versions are made by, for comparison; whether it is watched is no part of that."""
        # In the form in which nodes have compared it since before anything was watched.
        return codec.encode({"service": self.service, "overlays": self.overlays, "macros": self.macros})


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One image received from a provider: what moved, and what the whole would have been.

    ``repaired_bytes``: of what moved, what would not have had to if all that came had been right.
    """

    provider: NodeName
    service: ServiceName
    version: str
    base: str | None
    moved_bytes: int
    full_bytes: int
    seconds: float
    at: Moment
    repaired_bytes: int = 0
