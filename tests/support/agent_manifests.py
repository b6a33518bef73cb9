"""A client version's manifest for tests of the agent."""

from datetime import UTC, datetime

from federation.digest import Digest
from federation.keys import PrivateKey
from federation.manifest import Maker, Manifest
from federation.names import NodeName, ServiceName
from federation.versions import ClientVersion

VERSION = ClientVersion("acme-1.0.0")


def made_manifest(key: PrivateKey) -> Manifest:
    """A client version's manifest of the service ``web``."""
    return Manifest(
        service=ServiceName("web"),
        version=VERSION,
        image=Digest.of(b"image"),
        size_bytes=1,
        entries=1,
        recipe=Digest.of(b"recipe"),
        sources=(),
        maker=Maker(node=NodeName("globex"), key=key.public),
        created=datetime(2026, 1, 1, tzinfo=UTC),
        base=Digest.of(b"base"),
        overlay=Digest.of(b"overlay"),
    )
