"""What an operator wants of a service on this host, whatever its node orders. Durable: it outlives the agent.

What follows from a wish is decided in ``plan``.
"""

from dataclasses import dataclass
from typing import Final

from agent.home import Unit
from federation import codec
from federation.errors import CorruptError, InvalidValueError
from federation.files import write_atomic


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """``halted``: it does not run until it is started. ``held``: it runs on, but no update begins until its release."""

    halted: bool = False
    held: bool = False

    @property
    def keeps_updates_off(self) -> bool:
        """Whether no update may begin."""
        return self.halted or self.held


NO_WISH: Final = Wish()


def read_wish(unit: Unit) -> Wish:
    """What is wanted of ``unit``. Blocking.

    Raises:
        CorruptError: it can't be read. Guessing could start what somebody stopped.
    """
    try:
        return codec.decode(unit.wish.read_bytes(), Wish)
    except FileNotFoundError:
        return NO_WISH
    except InvalidValueError as error:
        raise CorruptError(f"{unit.wish} is damaged ({error}): remove it and say again what is wanted") from error


def keep_wish(unit: Unit, wish: Wish) -> None:
    """Make ``wish`` durable. Blocking.

    Raises:
        DiskFullError: what was wanted before is still wanted.
    """
    if wish == NO_WISH:
        unit.wish.unlink(missing_ok=True)
    else:
        write_atomic(unit.wish, codec.encode(wish))
