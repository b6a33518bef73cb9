"""The collections of one node: their names, their indexes, and what stands in each."""

from dataclasses import dataclass
from typing import Self

from federation.outbox import Entry
from federation.profile import Profile
from node.model.account import AuditEntry, LoginLink, Session
from node.model.desired import Revision
from node.model.instance import EnrolmentToken, Instance, StoredFault
from node.model.peer import Consumer, PendingInvitation, Pin, Provider
from node.model.task import Task
from node.model.version import DevelopedService, SiteSettings, StoredVersion, Transfer
from node.storage.port import Collection, Storage
from node.storage.repository import Repository
from node.usecases import adaptation, audit, desired, faults, links, outbox, profiles, tasks, updates, versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """The repositories of one node."""

    adapted: Repository[adaptation.Adapted]
    audit: Repository[AuditEntry]
    consumers: Repository[Consumer]
    developed: Repository[DevelopedService]
    faults: Repository[StoredFault]
    instances: Repository[Instance]
    invitations: Repository[PendingInvitation]
    logins: Repository[LoginLink]
    outbox: Repository[Entry]
    pins: Repository[Pin]
    profile_counts: Repository[profiles.ProfileCount]
    profiles: Repository[Profile]
    providers: Repository[Provider]
    revisions: Repository[Revision]
    sessions: Repository[Session]
    sites: Repository[SiteSettings]
    tasks: Repository[Task]
    tokens: Repository[EnrolmentToken]
    transfers: Repository[Transfer]
    versions: Repository[StoredVersion]

    @classmethod
    def open(cls, storage: Storage) -> Self:
        """The collections of ``storage``, made where need be."""

        def kept(name: str, *indexes: str) -> Collection:
            return storage.collection(name, indexes)

        return cls(
            adapted=Repository(kept("adapted"), adaptation.Adapted, lambda one: one.service, "adaptation"),
            audit=Repository(kept("audit"), AuditEntry, audit.entry_key, "audit entry"),
            consumers=Repository(
                kept("consumers", *links.CONSUMER_INDEXES), Consumer, lambda one: one.name, "consumer"
            ),
            developed=Repository(kept("developed"), DevelopedService, lambda one: one.name, "service"),
            faults=Repository(kept("faults", *faults.INDEXES), StoredFault, lambda one: one.report.id, "fault report"),
            instances=Repository(kept("instances"), Instance, lambda one: one.name, "instance"),
            invitations=Repository(kept("invitations"), PendingInvitation, lambda one: one.secret, "invitation"),
            logins=Repository(kept("logins", "expires"), LoginLink, lambda one: one.secret, "log-in link"),
            outbox=Repository(kept("outbox", *outbox.INDEXES), Entry, lambda one: one.id, "outbox entry"),
            pins=Repository(kept("pins"), Pin, lambda one: one.node, "pinned key"),
            profile_counts=Repository(
                kept("profile_counts"), profiles.ProfileCount, lambda _: profiles.COUNT_KEY, "count of profile changes"
            ),
            profiles=Repository(kept("profiles"), Profile, lambda one: one.name, "profile"),
            providers=Repository(kept("providers"), Provider, lambda one: one.name, "provider"),
            revisions=Repository(kept("revisions", *desired.INDEXES), Revision, desired.revision_key, "revision"),
            sessions=Repository(kept("sessions", "expires"), Session, lambda one: one.secret, "session"),
            sites=Repository(kept("sites"), SiteSettings, lambda one: one.service, "site settings"),
            tasks=Repository(kept("tasks", *tasks.INDEXES), Task, lambda one: one.id, "task"),
            tokens=Repository(kept("enrolments"), EnrolmentToken, lambda one: one.secret, "enrolment"),
            transfers=Repository(
                kept("transfers", *updates.TRANSFER_INDEXES), Transfer, updates.transfer_key, "transfer"
            ),
            versions=Repository(kept("versions", *versions.INDEXES), StoredVersion, versions.version_key, "version"),
        )
