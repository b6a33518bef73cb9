"""HOCON (the specification is ``HOCON.md`` of lightbend/config), read without resolving or including anything."""

from build.overlay.hocon.document import Document, Unknown, Value, parse
from build.overlay.hocon.tokens import NotHoconError

__all__ = ["Document", "NotHoconError", "Unknown", "Value", "parse"]
