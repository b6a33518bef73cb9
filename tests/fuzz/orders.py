"""Orders to build, and what is handed over for them, as fuzz targets."""

from federation.link.builds import BuildOrder, HandedCredential, HandedFile, HandOver, OrderedSource, Sealed
from federation.names import PrivateFileName
from federation.versions import DeveloperVersion
from tests.fuzz.target import Target, value
from tests.fuzz.values import SHOP


def order_target() -> Target:
    """The order that a consumer sends."""
    source = OrderedSource(name="shop", url="https://git.example/shop.git", ref="main", directory="src")
    return value(
        BuildOrder, BuildOrder(id="0" * 32, service=SHOP, version=DeveloperVersion("globex-1.0.0"), sources=(source,))
    )


def hand_over_targets() -> list[Target]:
    """What an asker hands over, sealed and opened."""
    file = HandedFile(name=PrivateFileName("tls.key"), content=b"-----")
    credential = HandedCredential(reach="https://git.example/", user="robot", secret=b"s", known_hosts=b"k")
    return [
        value(Sealed, Sealed(content=b"sealed")),
        value(HandOver, HandOver(files=(file,), credentials=(credential,))),
    ]
