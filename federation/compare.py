"""How two images differ, path by path.

Pure. Decides what counts as a difference and what each one is called; which images, and how they are shown, is left to
others. Owners and times are not part of an image, so nothing is said of them.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from federation.errors import InvalidValueError
from federation.image import Entry, Image, Kind


class Change(enum.Enum):
    """What happened to a path. A file may change its content and its mode at once; the others stand alone."""

    ADDED = "added"
    REMOVED = "removed"
    CONTENT = "content"
    MODE = "mode"
    KIND = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One path at which two images differ: what stands there in each, ``None`` for nothing."""

    path: str
    before: Entry | None
    after: Entry | None

    def __post_init__(self) -> None:
        if self.before == self.after:
            raise InvalidValueError("what stands at a path in both images alike is no difference")
        strays = [one.path for one in (self.before, self.after) if one is not None and one.path != self.path]
        if strays:
            raise InvalidValueError(f"{strays[0]!r} does not stand at {self.path!r}")

    @property
    def changes(self) -> tuple[Change, ...]:
        """What happened there, one at least."""
        before, after = self.before, self.after
        if before is None:
            return (Change.ADDED,)
        if after is None:
            return (Change.REMOVED,)
        if _nature(before) != _nature(after):
            return (Change.KIND,)
        content = (before.digest, before.target) != (after.digest, after.target)
        found = ((Change.CONTENT, content), (Change.MODE, before.kind is not after.kind))
        return tuple(change for change, happened in found if happened)

    def mirrored(self) -> Self:
        """The same difference, seen from the other image."""
        return type(self)(path=self.path, before=self.after, after=self.before)


def _nature(entry: Entry) -> Kind:
    """A file is the same sort of thing whether it may be executed or not."""
    return Kind.FILE if entry.kind is Kind.EXECUTABLE else entry.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How many paths were added, removed and changed."""

    added: int = 0
    removed: int = 0
    changed: int = 0

    @classmethod
    def of(cls, differences: Iterable[Difference]) -> Self:
        """The totals of ``differences``."""
        seen = [(one.before is None, one.after is None) for one in differences]
        return cls(added=seen.count((True, False)), removed=seen.count((False, True)), changed=seen.count((False,) * 2))


def compare(before: Image, after: Image) -> tuple[Difference, ...]:
    """The paths at which ``before`` and ``after`` differ, sorted; none exactly if their digests are equal."""
    old, new = before.by_path, after.by_path
    return tuple(
        Difference(path=path, before=old.get(path), after=new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )
