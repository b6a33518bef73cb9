"""Decides whether what came from a provider may be believed: origin keys and the order of offers."""

from federation.errors import StaleError, TamperedError
from federation.keys import PublicKey
from federation.names import NodeName
from federation.offer import Offer


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


def check_offer_order(previous: Offer | None, offer: Offer) -> None:
    """Refuse an offer older than one already seen from the same provider.

    Raises:
        StaleError: its serial went back, or came again with other versions.
    """
    if previous is None:
        return
    if offer.serial < previous.serial:
        raise StaleError(f"offer {offer.serial} is older than offer {previous.serial} seen before: refused")
    if offer.serial == previous.serial and offer.versions != previous.versions:
        raise StaleError(f"offer {offer.serial} was seen before with other versions: refused")
