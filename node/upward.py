"""Puts together what flows upward: the outbox and its senders at the consumer's end, what is received at the other."""

import random
from dataclasses import dataclass

from federation.clock import Clock
from federation.keys import PrivateKey
from federation.names import NodeName
from federation.outbox import Budget
from node.repositories import Repositories
from node.usecases import faults, marks, outbox, reports
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub
from node.usecases.countings import Countings
from node.usecases.delivery import Delivery
from node.usecases.desired import Desired
from node.usecases.faults import Faults
from node.usecases.instances import Instances
from node.usecases.links import Links
from node.usecases.marks import Marks
from node.usecases.outbox import Outbox
from node.usecases.peers import ConnectPeer
from node.usecases.profiles import Profiles
from node.usecases.received import Received
from node.usecases.redactors import Redactors
from node.usecases.reports import Reports
from node.usecases.versions import Versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Upward:
    """The use cases of the way up."""

    outbox: Outbox
    delivery: Delivery
    faults: Faults
    marks: Marks
    reports: Reports
    received: Received


def upward(
    *,
    node: NodeName,
    key: PrivateKey,
    kept: Repositories,
    links: Links,
    profiles: Profiles,
    desired: Desired,
    versions: Versions,
    instances: Instances,
    connect: ConnectPeer,
    hub: ChangeHub,
    audit: Audit,
    clock: Clock,
    rng: random.Random,
) -> Upward:
    """The way up of one node."""
    queue = Outbox(
        entries=kept.outbox,
        checkpoints=kept.outbox_checkpoints,
        tallies=kept.outbox_tallies,
        sent=kept.outbox_sent,
        hub=hub,
        audit=audit,
        clock=clock,
        budget=Budget(),
    )
    redactors = Redactors(key)
    fault_reports = Faults(
        node=node,
        node_id=key.id,
        kept=kept.faults,
        versions=versions,
        profiles=profiles,
        outbox=queue,
        redactors=redactors,
        hub=hub,
        clock=clock,
    )
    state_reports = Reports(
        queued=kept.reports_queued,
        links=links,
        desired=desired,
        versions=versions,
        instances=instances,
        outbox=queue,
        redactors=redactors,
        hub=hub,
        clock=clock,
    )
    tested_marks = Marks(
        kept=kept.own_marks,
        links=links,
        desired=desired,
        versions=versions,
        outbox=queue,
        redactors=redactors,
        audit=audit,
        clock=clock,
    )
    return Upward(
        outbox=queue,
        delivery=Delivery(
            outbox=queue,
            links=links,
            senders={
                faults.KIND: fault_reports,
                reports.KIND: state_reports,
                marks.KIND: tested_marks,
                outbox.COUNTS: Countings(queue, clock),
            },
            connect=connect,
            hub=hub,
            clock=clock,
            rng=rng,
        ),
        faults=fault_reports,
        marks=tested_marks,
        reports=state_reports,
        received=Received(
            states=kept.received_states,
            counts=kept.received_counts,
            marks=kept.received_marks,
            links=links,
            profiles=profiles,
            desired=desired,
            hub=hub,
            clock=clock,
        ),
    )
