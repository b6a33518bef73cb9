"""Values of provenances and policies for tests of how they are shown."""

from datetime import timedelta

from federation.limits import GIB
from federation.link.builds import BuilderState
from federation.manifest import Maker
from federation.names import NodeName
from federation.provenance import BuiltSource, Provenance, SignedProvenance
from federation.versions import DeveloperVersion
from node.model.building import BuilderPolicy, StoredProvenance
from node.model.entrusted import Entrusted
from node.usecases.builder_lines import PeerKind
from node.usecases.delegation import Builder
from tests.support.graphql_values import GUESTBOOK, KEY, NOW, PEER_KEY, digest

ENTRUSTED = Entrusted(service=GUESTBOOK, builders=(PEER_KEY.public.id, KEY.id))
POLICY = BuilderPolicy(service=GUESTBOOK, builders=(PEER_KEY.public.id,), require=1)

BUILDERS = [
    Builder(
        name=NodeName("acme"),
        kind=PeerKind.PROVIDER,
        state=BuilderState(
            refusal="", running=0, most=1, load=0.5, cpus=4, free_memory_bytes=2 * GIB, free_disk_bytes=9 * GIB
        ),
    ),
    Builder(
        name=NodeName("globex"),
        kind=PeerKind.CONSUMER,
        state=None,
        error="it has not granted this node to have builds run",
    ),
]


def stored_provenance() -> StoredProvenance:
    """globex built another image than acme."""
    made = Provenance(
        service=GUESTBOOK,
        version=DeveloperVersion("acme-1.0.0"),
        image=digest("another image"),
        recipe=digest("recipe"),
        sources=(BuiltSource(name="main", url="https://git.example/guestbook.git", commit="0" * 40),),
        builder=Maker(node=NodeName("globex"), key=PEER_KEY.public),
        walls="sandbox",
        network=False,
        invocation="7",
        started=NOW,
        finished=NOW + timedelta(minutes=1),
    )
    return StoredProvenance(
        service=made.service,
        version=made.version,
        image=made.image,
        builder=made.builder.key.id,
        node=made.builder.node,
        envelope=SignedProvenance.make(made, PEER_KEY).to_bytes(),
        stored=NOW,
        difference=("app.py: other content",),
    )
