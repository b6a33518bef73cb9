"""Orders that several use cases ask their repositories for."""

from typing import Final

from node.storage.fields import KEY
from node.storage.port import Order

BY_KEY: Final = (Order(KEY),)
"""By name, where the key is a name."""

NEWEST_KEY_FIRST: Final = (Order(KEY, descending=True),)
"""By time, where the key begins with it."""
