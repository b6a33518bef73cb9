"""Decides whether what came from a provider may be believed as its origin's: by the origin's key."""

from federation.errors import TamperedError
from federation.keys import PublicKey
from federation.names import NodeName


class OriginKeyChangedError(TamperedError):
    """A node's versions are suddenly signed by another key than the one first seen."""

    code = "origin-key-changed"


def check_origin_key(node: NodeName, pinned: PublicKey | None, seen: PublicKey) -> None:
    """Accept ``seen`` as the key of ``node`` when none is pinned yet or when it is the pinned one.

    Raises:
        OriginKeyChangedError: another key is pinned.
    """
    if pinned is not None and pinned != seen:
        raise OriginKeyChangedError(
            f"versions of {node} are signed by {seen.id.short}… but were signed by {pinned.id.short}… before: "
            f"the update is stopped; ask the operator of {node} whether the key was changed"
        )
