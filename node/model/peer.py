"""The two ends of a link as a node keeps them: its providers, its consumers, and invitations not yet redeemed."""

import enum
from dataclasses import dataclass

from federation.codec import Moment
from federation.digest import Digest
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.names import NodeName, ProfileName
from federation.offer import Offer


class AutoUpdate(enum.Enum):
    """What happens by itself when a provider offers something new."""

    OFF = "off"
    DOWNLOAD = "download"
    INSTALL = "install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A node that this one takes versions from. ``offer``: the newest one verified; ``connected``: its event stream."""

    name: NodeName
    key: PublicKey
    url: str
    profile: ProfileName
    linked: Moment
    auto_update: AutoUpdate = AutoUpdate.INSTALL
    offer: Offer | None = None
    checked: Moment | None = None
    error: str = ""

    @property
    def id(self) -> NodeId:
        """The provider's node id."""
        return self.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A node that takes versions of one profile from this one."""

    name: NodeName
    key: PublicKey
    profile: ProfileName
    linked: Moment
    seen: Moment | None = None

    @property
    def id(self) -> NodeId:
        """The consumer's node id."""
        return self.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInvitation:
    """An invitation of this node. Only the digest of its secret is kept; ``used_by`` once redeemed."""

    secret: Digest
    profile: ProfileName
    expires: Moment
    used_by: NodeName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The key by which the versions of an origin were signed when first seen here."""

    node: NodeName
    key: PublicKey
    seen: Moment
    through: NodeName | None = None
