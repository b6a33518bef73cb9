"""Under which circumstances a service crashed: what its host was like, and which of its crashes came before."""

from dataclasses import dataclass, fields

from federation import limits
from federation.codec import Moment
from federation.errors import InvalidValueError
from federation.versions import ClientVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What a host was like when a fault report was made there; ``None``: not known.

    Sizes in bytes. ``oom_kills``: processes that the kernel killed on the whole host, for lack of memory, while the run
    lived. ``load``: the mean number of processes that wanted to run in the last minute, in thousandths.
    """

    memory_bytes: int | None = None
    memory_free_bytes: int | None = None
    disk_bytes: int | None = None
    disk_free_bytes: int | None = None
    oom_kills: int | None = None
    processors: int | None = None
    load: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not 0 <= value <= limits.SERIAL:
                raise InvalidValueError(f"{value} is not a number of {field.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierFault:
    """A crash of the same service on the same instance before this one."""

    id: str
    occurred: Moment
    version: ClientVersion
    message: str = ""
