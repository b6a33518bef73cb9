"""Tells how the images of two versions of a service differ."""

import asyncio
from dataclasses import dataclass, field

from federation.compare import Difference, compare
from federation.names import ServiceName
from node.model.desired import ListKind
from node.model.version import StoredVersion
from node.usecases.images import Images
from node.usecases.versions import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two versions, and all paths at which their images differ."""

    before: StoredVersion
    after: StoredVersion
    differences: tuple[Difference, ...] = field(default=())

    @property
    def same(self) -> bool:
        """Whether both have one image: then whatever else their manifests say, they are the same files."""
        return self.before.image == self.after.image


async def compare_versions(
    versions: Versions, images: Images, *, kind: ListKind, service: ServiceName, version: str, other: str
) -> Comparison:
    """How the image of ``other`` differs from that of ``version``; both are of ``kind``.

    Raises:
        AbsentError: one of them is not here.
        CorruptError: what is stored of one is damaged.
    """
    before = await versions.get(kind, service, version)
    after = await versions.get(kind, service, other)
    if before.image == after.image:
        return Comparison(before=before, after=after)
    old, new = await images.load(before.image), await images.load(after.image)
    return Comparison(before=before, after=after, differences=await asyncio.to_thread(compare, old, new))
