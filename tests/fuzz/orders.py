"""Orders to build as fuzz targets."""

from federation.link.builds import BuildOrder, OrderedSource
from federation.versions import DeveloperVersion
from tests.fuzz.target import Target, value
from tests.fuzz.values import SHOP


def order_target() -> Target:
    """The order that a consumer sends."""
    source = OrderedSource(name="shop", url="https://git.example/shop.git", ref="main", directory="src")
    return value(
        BuildOrder, BuildOrder(id="0" * 32, service=SHOP, version=DeveloperVersion("globex-1.0.0"), sources=(source,))
    )
