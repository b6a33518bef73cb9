"""What a node can do: one file per capability; it knows ports, and neither HTTP nor SQL."""

from dataclasses import dataclass

from federation.identity import NodeId
from federation.keys import PublicKey
from federation.names import NodeName
from node.usecases.accounts import Accounts
from node.usecases.adaptation import Adaptation
from node.usecases.audit import Audit
from node.usecases.builds import Builds
from node.usecases.changes import ChangeHub
from node.usecases.client_builds import ClientBuilds
from node.usecases.desired import Desired
from node.usecases.faults import Faults
from node.usecases.followers import Followers
from node.usecases.instances import Instances
from node.usecases.links import Links
from node.usecases.logs import Logs
from node.usecases.offers import Offers
from node.usecases.outbox import Outbox
from node.usecases.peers import Presence
from node.usecases.profiles import Profiles
from node.usecases.services import Services
from node.usecases.tasks import Tasks
from node.usecases.updates import Updates
from node.usecases.versions import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """Who this node is: its name, its key and id, where others reach it, and the version of vUpdate it runs."""

    name: NodeName
    id: NodeId
    key: PublicKey
    url: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usecases:
    """Everything that the API, the routes and the background loops of one node work with."""

    identity: NodeIdentity
    accounts: Accounts
    adaptation: Adaptation
    audit: Audit
    builds: Builds
    changes: ChangeHub
    client_builds: ClientBuilds
    desired: Desired
    faults: Faults
    followers: Followers
    instances: Instances
    links: Links
    logs: Logs
    offers: Offers
    outbox: Outbox
    presence: Presence
    profiles: Profiles
    services: Services
    tasks: Tasks
    updates: Updates
    versions: Versions
