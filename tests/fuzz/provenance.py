"""Provenances as fuzz targets."""

from federation.digest import Digest
from federation.manifest import PAYLOAD_TYPE, Maker
from federation.provenance import BuiltSource, Provenance, SignedProvenance
from federation.versions import DeveloperVersion
from tests.fuzz.target import Target, signed
from tests.fuzz.values import ACME, KEY, NOW, SHOP

_MADE = Provenance(
    service=SHOP,
    version=DeveloperVersion("acme-1.0.0"),
    image=Digest.of(b"image"),
    recipe=Digest.of(b"recipe"),
    sources=(BuiltSource(name="shop", url="https://git.example/shop.git", commit="0" * 40),),
    builder=Maker(node=ACME, key=KEY.public),
    walls="sandbox",
    network=False,
    invocation="7",
    started=NOW,
    finished=NOW,
)


def provenance_targets() -> tuple[Target, ...]:
    """All of them."""
    return signed(
        "provenance",
        PAYLOAD_TYPE,
        KEY,
        SignedProvenance.from_bytes,
        "federation.provenance:SignedProvenance.from_bytes",
        SignedProvenance.make(_MADE, KEY).envelope.payload,
    )
