"""What a node can do: one file per capability; it knows ports, and neither HTTP nor SQL."""

from dataclasses import dataclass

from federation.identity import NodeId
from federation.keys import PublicKey
from federation.names import NodeName
from node.usecases.accounts import Accounts
from node.usecases.adaptation import Adaptation
from node.usecases.addresses import Addresses
from node.usecases.alarms import Alarms
from node.usecases.audit import Audit
from node.usecases.builds import Builds
from node.usecases.callers import Callers
from node.usecases.calling_in import CallingIn
from node.usecases.catalog_keys import CatalogKeys
from node.usecases.catalogs import Catalogs
from node.usecases.changes import ChangeHub
from node.usecases.client_builds import ClientBuilds
from node.usecases.credentials import Credentials
from node.usecases.delegation import Delegation
from node.usecases.delivery import Delivery
from node.usecases.desired import Desired
from node.usecases.explaining import Explanations
from node.usecases.farewells import Farewells
from node.usecases.fault_files import FaultFiles
from node.usecases.faults import Faults
from node.usecases.followers import Followers
from node.usecases.following import Following
from node.usecases.handing_over import HandingOver
from node.usecases.images import Images
from node.usecases.instances import Instances
from node.usecases.key_changes import KeyChanges
from node.usecases.links import Links
from node.usecases.logs import Logs
from node.usecases.marks import Marks
from node.usecases.moves import Moves
from node.usecases.nearby import Nearby
from node.usecases.outbox import Outbox
from node.usecases.packmaker import PackMaker
from node.usecases.pairing import PairingDesk
from node.usecases.peers import Presence
from node.usecases.penalties import Penalties
from node.usecases.pins import Pins
from node.usecases.placements import Placements
from node.usecases.private_files import PrivateFiles
from node.usecases.profiles import Profiles
from node.usecases.proofs import Proofs
from node.usecases.provenances import Provenances
from node.usecases.rebuilds import Rebuilds
from node.usecases.received import Received
from node.usecases.reports import Reports
from node.usecases.resuming import Resuming
from node.usecases.runs import Runs
from node.usecases.services import Services
from node.usecases.settings_watch import SettingsWatch
from node.usecases.tasks import Tasks
from node.usecases.transfers import Transfers
from node.usecases.updates import Updates
from node.usecases.versions import Versions
from node.usecases.withdrawals import Withdrawals
from node.usecases.withdrawn_running import WithdrawnRunning
from node.usecases.workshop import Workshop


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
    addresses: Addresses
    alarms: Alarms
    audit: Audit
    builds: Builds
    callers: Callers
    calling_in: CallingIn
    catalog_keys: CatalogKeys
    catalogs: Catalogs
    changes: ChangeHub
    client_builds: ClientBuilds
    credentials: Credentials
    delegation: Delegation
    handing_over: HandingOver
    delivery: Delivery
    desired: Desired
    explanations: Explanations
    farewells: Farewells
    fault_files: FaultFiles
    faults: Faults
    followers: Followers
    following: Following
    images: Images
    instances: Instances
    key_changes: KeyChanges
    links: Links
    logs: Logs
    moves: Moves
    nearby: Nearby
    marks: Marks
    outbox: Outbox
    packs: PackMaker
    pairing: PairingDesk
    penalties: Penalties
    pins: Pins
    placements: Placements
    provenances: Provenances
    presence: Presence
    private_files: PrivateFiles
    profiles: Profiles
    proofs: Proofs
    received: Received
    rebuilds: Rebuilds
    reports: Reports
    resuming: Resuming
    runs: Runs
    services: Services
    settings_watch: SettingsWatch
    tasks: Tasks
    transfers: Transfers
    updates: Updates
    versions: Versions
    withdrawals: Withdrawals
    withdrawn_running: WithdrawnRunning
    workshop: Workshop
