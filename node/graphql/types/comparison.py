"""How two versions differ."""

from typing import Self

import strawberry

from federation import compare
from federation import image as images
from federation.compare import Change
from federation.image import Kind
from node.usecases import comparing

strawberry.enum(Change, name="ImageChange", description="What happened to a path of an image.")
strawberry.enum(Kind, name="ImageEntryKind", description="What stands at a path of an image.")


@strawberry.type(description="What stands at a path of an image.")
class ImageEntry:
    kind: Kind
    size_bytes: float | None = strawberry.field(description="Of a file; null: it is none.")
    target: str | None = strawberry.field(description="Where a link points; null: it is none.")

    @classmethod
    def maybe(cls, entry: images.Entry | None) -> Self | None:
        if entry is None:
            return None
        size = None if entry.digest is None else float(entry.size)
        return cls(kind=entry.kind, size_bytes=size, target=entry.target or None)


@strawberry.type(description="One path at which two images differ.")
class ImageDifference:
    path: str
    changes: list[Change] = strawberry.field(description="A file may change its content and its mode at once.")
    before: ImageEntry | None = strawberry.field(description="Null: nothing stood there.")
    after: ImageEntry | None = strawberry.field(description="Null: nothing stands there.")

    @classmethod
    def of(cls, difference: compare.Difference) -> Self:
        return cls(
            path=difference.path,
            changes=list(difference.changes),
            before=ImageEntry.maybe(difference.before),
            after=ImageEntry.maybe(difference.after),
        )


@strawberry.type(description="How the image of one version differs from that of another.")
class VersionComparison:
    same: bool = strawberry.field(description="Whether both have one image.")
    image_before: str = strawberry.field(description="SHA-256 of its image index.")
    image_after: str = strawberry.field(description="SHA-256 of its image index.")
    size_bytes_before: float
    size_bytes_after: float
    added: int = strawberry.field(description="Paths, of all that differ.")
    removed: int
    changed: int
    differences: list[ImageDifference] = strawberry.field(description="The first of them, by path.")

    @classmethod
    def of(cls, comparison: comparing.Comparison, first: int) -> Self:
        before, after = comparison.before, comparison.after
        totals = compare.Totals.of(comparison.differences)
        return cls(
            same=comparison.same,
            image_before=before.image,
            image_after=after.image,
            size_bytes_before=float(before.signed.manifest.size_bytes),
            size_bytes_after=float(after.signed.manifest.size_bytes),
            added=totals.added,
            removed=totals.removed,
            changed=totals.changed,
            differences=[ImageDifference.of(one) for one in comparison.differences[:first]],
        )
