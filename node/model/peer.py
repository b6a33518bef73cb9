"""The two ends of a link as a node keeps them: its providers, its consumers, and invitations not yet redeemed."""

import enum
from dataclasses import dataclass, field

from federation.catalog.listing import Listing
from federation.codec import Moment
from federation.digest import Digest
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.link.rights import USUAL_RIGHTS
from federation.link.rights import Right as Right  # noqa: PLC0414  named by all who ask what a consumer may
from federation.names import NodeName, ProfileName
from federation.redaction import Redaction


class AutoUpdate(enum.Enum):
    """What happens by itself when a provider offers something new."""

    OFF = "off"
    DOWNLOAD = "download"
    INSTALL = "install"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSeen:
    """The newest catalogue of a provider that was verified here. ``listing``: what it lists; ``read``: when."""

    listing: Listing
    root_version: int
    targets_version: int
    expires: Moment
    read: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A node that this one takes versions from. ``catalog``: the newest one verified.

    ``window``: when this node updates from it by itself, as ``node.model.window`` spells it; ``tested_by``: whose
    tested mark a version needs before it is taken by itself. ``checked``: when it was last asked, whatever came of it;
    ``refused``: since when its answers can't be believed.

    ``rights`` and ``revision``: what the provider said last of the link; ``offered_url``: where it says to be reached,
    as long as it was not found there; ``ended``: since when it knows this node no more; ``redaction``: what goes to it;
    ``builds``: whether this node calls in there for builds to run.
    """

    name: NodeName
    key: PublicKey
    url: str
    profile: ProfileName
    linked: Moment
    auto_update: AutoUpdate = AutoUpdate.INSTALL
    window: str = ""
    tested_by: NodeName | None = None
    catalog: CatalogSeen | None = None
    checked: Moment | None = None
    refused: Moment | None = None
    error: str = ""
    rights: frozenset[Right] = USUAL_RIGHTS
    revision: int = 0
    offered_url: str = ""
    ended: Moment | None = None
    redaction: Redaction = field(default_factory=Redaction)
    builds: bool = False

    @property
    def id(self) -> NodeId:
        """The provider's node id."""
        return self.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """A node that takes versions of one profile from this one.

    ``revision`` grows with each change of the link; ``tester``: whether its tested marks are shown to the others;
    ``former``: ids that it was known by before it changed its key, the newest last: what it wrote then, it sends still;
    ``id`` follows from the key, and is stored to be found by.
    """

    name: NodeName
    key: PublicKey
    profile: ProfileName
    linked: Moment
    rights: frozenset[Right] = USUAL_RIGHTS
    revision: int = 0
    tester: bool = False
    seen: Moment | None = None
    former: tuple[NodeId, ...] = ()
    id: NodeId = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", self.key.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingInvitation:
    """An invitation of this node. Only the digest of its secret is kept; ``used_by`` once redeemed."""

    secret: Digest
    profile: ProfileName
    expires: Moment
    rights: frozenset[Right] = USUAL_RIGHTS
    used_by: NodeName | None = None

    @property
    def spent(self) -> bool:
        """Whether it was redeemed."""
        return self.used_by is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """The word to a provider that its link was ended here, ``at`` that moment. ``due``: when to try again."""

    provider: NodeName
    key: PublicKey
    url: str
    at: Moment
    due: Moment
    attempts: int = 0

    @property
    def id(self) -> NodeId:
        """Its key: whom it is for."""
        return self.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The newest key known of an origin, from the first one ``seen`` here on; what is believed, ``pin`` decides.

    ``changes``: the statements that led to ``key``, to be passed on; ``awaited``: the id of the one key that an
    administrator lets take its place without a statement.
    """

    node: NodeName
    key: PublicKey
    seen: Moment
    through: NodeName | None = None
    changes: tuple[bytes, ...] = ()
    awaited: NodeId | None = None
