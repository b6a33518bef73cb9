"""What the comment of a version says where nobody wrote one: what the commits since the version before say they do.

One commit: its subject. Several: a line for each, newest first, the sources in the order of the service; the subjects
of a further source are led by its name. Without a version before, or without new commits: the subject of the last one.
"""

from collections.abc import Sequence
from typing import Final

from build.repository import subjects_since
from build.source import Checkout
from federation import limits
from federation.manifest import Source

LINES: Final = 20
_MORE: Final = "… and {} more"


def remarks_on(checkouts: Sequence[Checkout], since: Sequence[Source]) -> str:
    """The comment for a version of ``checkouts``, after one of ``since``. Blocks.

    A source that was rewritten, or fetched from elsewhere, since then says its last subject.
    """
    before = {(one.name, one.url): one.commit for one in since}
    lines: list[str] = []
    total = 0
    for number, found in enumerate(checkouts):
        old = before.get((found.source.name, found.source.url))
        if not since and number:
            break
        news = subjects_since(found.lender, old, found.source.commit, LINES) if old else None
        subjects, count = news or ([found.subject], 1)
        lines += [f"{found.source.name}: {subject}" if number else subject for subject in subjects]
        total += count
    return _bounded(lines, total) or checkouts[0].subject[: limits.COMMENT_CHARS]


def _bounded(lines: Sequence[str], total: int) -> str:
    """As many of the first ``lines`` as there is room for, and how many are left out."""
    kept = list(lines[:LINES])
    while kept:
        left = total - len(kept)
        text = "\n".join([*kept, _MORE.format(left)] if left else kept)
        if len(text) <= limits.COMMENT_CHARS:
            return text
        kept.pop()
    return ""
