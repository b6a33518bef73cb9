"""The root of every error a person or a peer can meet.

Each class has a stable ``code`` (the key of the table that maps errors to HTTP and GraphQL) and each instance one
sentence that says what is wrong and, where it helps, what to do. ``RemoteError``: the other side misbehaved or is away.
``LocalError``: this installation is at fault. Absent, corrupt and unreachable are three different things.
"""

from typing import ClassVar


class VUpdateError(Exception):
    """An error with a stable code and a sentence for its reader."""

    code: ClassVar[str] = "internal"

    @property
    def message(self) -> str:
        """The sentence for the reader."""
        return str(self)


class InvalidValueError(VUpdateError, ValueError):
    """A value given from outside does not have the form its type demands."""

    code = "invalid-value"


class AbsentError(VUpdateError):
    """What was asked for does not exist, or not for this caller."""

    code = "not-found"


class ConflictError(VUpdateError):
    """The change rests on a state that is no longer the current one."""

    code = "conflict"


class ExistsError(ConflictError):
    """The same thing can't be made twice."""

    code = "exists"


class DeniedError(VUpdateError):
    """The caller is not who he says, or has no right to this."""

    code = "denied"


class RemoteError(VUpdateError):
    """The other side misbehaved or could not be used."""

    code = "remote"


class UnreachableError(RemoteError):
    """The other side did not answer."""

    code = "unreachable"


class TamperedError(RemoteError):
    """Bytes from outside do not match their digest or their signature."""

    code = "tampered"


class StaleError(RemoteError):
    """A statement is expired, or older than one already seen: an attack until shown otherwise."""

    code = "stale"


class OversizedError(RemoteError):
    """A message or file is larger than its bound in ``limits``."""

    code = "too-large"


class LocalError(VUpdateError):
    """This installation is at fault."""

    code = "local"


class CorruptError(LocalError):
    """Something stored here no longer matches its digest or format."""

    code = "corrupt"


class DiskFullError(LocalError):
    """No room is left on the device; nothing was changed."""

    code = "disk-full"
