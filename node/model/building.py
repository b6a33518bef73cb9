"""Who built what, and which builders a service's versions need before they may be desired. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.codec import Moment
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.names import NodeName, ServiceName
from federation.provenance import SignedProvenance
from federation.versions import DeveloperVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProvenance:
    """The last word of one builder about one version. ``envelope``: as received; ``image``: what it says it built.

    ``difference``: how that image differs from the version's, where somebody compared them; empty otherwise.
    """

    service: ServiceName
    version: DeveloperVersion
    image: Digest
    builder: NodeId
    node: NodeName
    envelope: bytes
    stored: Moment
    difference: tuple[str, ...] = ()

    @property
    def signed(self) -> SignedProvenance:
        """The provenance, its signature checked again."""
        return SignedProvenance.from_bytes(self.envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderPolicy:
    """That versions of ``service`` need ``require`` of ``builders`` to have built the very same image."""

    service: ServiceName
    builders: tuple[NodeId, ...]
    require: int

    def __post_init__(self) -> None:
        if len(set(self.builders)) != len(self.builders):
            raise InvalidValueError("a builder is named once: each counts once")
        if not 1 <= self.require <= len(self.builders):
            raise InvalidValueError(f"require = {self.require} of {len(self.builders)} builders can't be met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a version stands to its policy: which builders agree, which built another image, which have not spoken."""

    require: int
    agreeing: tuple[StoredProvenance, ...]
    differing: tuple[StoredProvenance, ...]
    silent: tuple[NodeId, ...]

    @property
    def is_met(self) -> bool:
        """Whether enough builders agree."""
        return len(self.agreeing) >= self.require

    @property
    def told(self) -> str:
        """How it stands, in words."""
        told = f"{len(self.agreeing)} of the {self.require} builds that its policy asks for"
        if self.agreeing:
            told += f" (by {', '.join(one.node for one in self.agreeing)})"
        if self.differing:
            told += f"; {', '.join(one.node for one in self.differing)} built another image"
        if self.silent:
            told += f"; nothing from {', '.join(f'{one.short}…' for one in self.silent)}"
        return told


def judge(policy: BuilderPolicy, image: Digest, found: Iterable[StoredProvenance]) -> Judgement:
    """How a version with ``image``, of which ``found`` tells, stands to ``policy``."""
    by_builder = {one.builder: one for one in found if one.builder in policy.builders}
    return Judgement(
        require=policy.require,
        agreeing=tuple(one for one in by_builder.values() if one.image == image),
        differing=tuple(one for one in by_builder.values() if one.image != image),
        silent=tuple(one for one in policy.builders if one not in by_builder),
    )
