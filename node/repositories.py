"""The collections of one node: their names, their indexes, and what stands in each."""

from dataclasses import dataclass
from typing import Self

from federation.outbox import Checkpoint, Entry
from federation.profile import Profile
from federation.tally import Tally
from node.model.account import AuditEntry, LoginLink, Session
from node.model.alarm import Alarm
from node.model.building import BuilderPolicy, StoredProvenance
from node.model.desired import Revision
from node.model.entrusted import Entrusted
from node.model.following import Failure, Followed
from node.model.instance import EnrolmentToken, Instance, StoredFault
from node.model.labels import Placement
from node.model.peer import Consumer, Farewell, PendingInvitation, Pin, Provider
from node.model.penalty import Penalty
from node.model.report import OwnMark, ReceivedCounts, ReceivedMark, ReceivedStates, ReportQueued, SentLetter
from node.model.runs import KeptRuns, runs_key
from node.model.settings import MadeOf
from node.model.task import Task
from node.model.version import DevelopedService, SiteSettings, StoredVersion, Transfer
from node.model.withdrawal import KeptWithdrawal
from node.storage.port import Collection, Storage
from node.storage.repository import Repository
from node.usecases import (
    adaptation,
    alarms,
    audit,
    consumers,
    desired,
    farewells,
    faults,
    following,
    instances,
    outbox,
    provenances,
    received,
    runs,
    tasks,
    transfers,
    versions,
    withdrawals,
)
from node.usecases.key_changes import Countersigned, countersigned_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """The repositories of one node."""

    adapted: Repository[adaptation.Adapted]
    alarms: Repository[Alarm]
    audit: Repository[AuditEntry]
    consumers: Repository[Consumer]
    countersigned: Repository[Countersigned]
    developed: Repository[DevelopedService]
    entrusted: Repository[Entrusted]
    farewells: Repository[Farewell]
    failures: Repository[Failure]
    faults: Repository[StoredFault]
    followed: Repository[Followed]
    instances: Repository[Instance]
    invitations: Repository[PendingInvitation]
    logins: Repository[LoginLink]
    outbox: Repository[Entry]
    outbox_checkpoints: Repository[Checkpoint]
    outbox_sent: Repository[SentLetter]
    outbox_tallies: Repository[Tally]
    own_marks: Repository[OwnMark]
    penalties: Repository[Penalty]
    pins: Repository[Pin]
    placements: Repository[Placement]
    policies: Repository[BuilderPolicy]
    profiles: Repository[Profile]
    provenances: Repository[StoredProvenance]
    providers: Repository[Provider]
    received_counts: Repository[ReceivedCounts]
    received_marks: Repository[ReceivedMark]
    received_states: Repository[ReceivedStates]
    reports_queued: Repository[ReportQueued]
    revisions: Repository[Revision]
    runs: Repository[KeptRuns]
    sessions: Repository[Session]
    settings_made: Repository[MadeOf]
    sites: Repository[SiteSettings]
    tasks: Repository[Task]
    tokens: Repository[EnrolmentToken]
    transfers: Repository[Transfer]
    versions: Repository[StoredVersion]
    withdrawals: Repository[KeptWithdrawal]

    @classmethod
    def open(cls, storage: Storage) -> Self:
        """The collections of ``storage``, made where need be."""

        def kept(name: str, *indexes: str) -> Collection:
            return storage.collection(name, indexes)

        return cls(
            adapted=Repository(kept("adapted"), adaptation.Adapted, lambda one: one.service, "adaptation"),
            alarms=Repository(kept("alarms", *alarms.INDEXES), Alarm, lambda one: one.id, "alarm"),
            audit=Repository(kept("audit"), AuditEntry, audit.entry_key, "audit entry"),
            consumers=Repository(kept("consumers", *consumers.INDEXES), Consumer, lambda one: one.name, "consumer"),
            countersigned=Repository(kept("countersigned"), Countersigned, countersigned_key, "countersignature"),
            developed=Repository(kept("developed"), DevelopedService, lambda one: one.name, "service"),
            entrusted=Repository(kept("entrusted"), Entrusted, lambda one: one.service, "entrusted service"),
            farewells=Repository(kept("farewells", *farewells.INDEXES), Farewell, lambda one: one.id, "farewell"),
            failures=Repository(kept("failures"), Failure, following.failure_key, "failure of an update"),
            faults=Repository(kept("faults", *faults.INDEXES), StoredFault, lambda one: one.report.id, "fault report"),
            followed=Repository(kept("followed"), Followed, lambda one: one.service, "followed service"),
            instances=Repository(kept("instances", *instances.INDEXES), Instance, lambda one: one.name, "instance"),
            invitations=Repository(kept("invitations"), PendingInvitation, lambda one: one.secret, "invitation"),
            logins=Repository(kept("logins", "expires"), LoginLink, lambda one: one.secret, "log-in link"),
            outbox=Repository(kept("outbox", *outbox.INDEXES), Entry, lambda one: one.id, "outbox entry"),
            penalties=Repository(kept("penalties"), Penalty, lambda one: one.provider, "penalty"),
            outbox_checkpoints=Repository(
                kept("outbox_checkpoints"), Checkpoint, lambda one: one.receiver, "checkpoint of the outbox"
            ),
            outbox_sent=Repository(
                kept("outbox_sent", *outbox.SENT_INDEXES), SentLetter, lambda one: one.entry, "sent letter"
            ),
            outbox_tallies=Repository(kept("outbox_tallies"), Tally, lambda one: one.receiver, "tally"),
            own_marks=Repository(kept("own_marks"), OwnMark, lambda one: one.id, "tested mark"),
            pins=Repository(kept("pins"), Pin, lambda one: one.node, "pinned key"),
            placements=Repository(kept("placements"), Placement, lambda one: one.key, "placement"),
            policies=Repository(kept("policies"), BuilderPolicy, lambda one: one.service, "policy for builders"),
            profiles=Repository(kept("profiles"), Profile, lambda one: one.name, "profile"),
            provenances=Repository(
                kept("provenances", *provenances.INDEXES), StoredProvenance, provenances.provenance_key, "provenance"
            ),
            providers=Repository(kept("providers"), Provider, lambda one: one.name, "provider"),
            received_counts=Repository(
                kept("received_counts"), ReceivedCounts, lambda one: one.consumer, "received counts"
            ),
            received_marks=Repository(
                kept("received_marks", *received.MARK_INDEXES), ReceivedMark, lambda one: one.id, "tested mark"
            ),
            received_states=Repository(
                kept("received_states"), ReceivedStates, lambda one: one.consumer, "received state report"
            ),
            reports_queued=Repository(
                kept("reports_queued"), ReportQueued, lambda one: one.provider, "queued state report"
            ),
            revisions=Repository(kept("revisions", *desired.INDEXES), Revision, desired.revision_key, "revision"),
            runs=Repository(kept("runs", *runs.INDEXES), KeptRuns, runs_key, "list of runs"),
            sessions=Repository(kept("sessions", "expires"), Session, lambda one: one.secret, "session"),
            settings_made=Repository(kept("settings_made"), MadeOf, lambda one: one.service, "settings"),
            sites=Repository(kept("sites"), SiteSettings, lambda one: one.service, "site settings"),
            tasks=Repository(kept("tasks", *tasks.INDEXES), Task, lambda one: one.id, "task"),
            tokens=Repository(kept("enrolments"), EnrolmentToken, lambda one: one.secret, "enrolment"),
            transfers=Repository(kept("transfers", *transfers.INDEXES), Transfer, transfers.transfer_key, "transfer"),
            versions=Repository(kept("versions", *versions.INDEXES), StoredVersion, versions.version_key, "version"),
            withdrawals=Repository(
                kept("withdrawals", *withdrawals.INDEXES), KeptWithdrawal, withdrawals.withdrawal_key, "withdrawal"
            ),
        )
