"""What a node keeps of the runs of a service on one of its instances."""

from dataclasses import dataclass

from federation.names import InstanceName, ServiceKey
from federation.run import RunSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRuns:
    """The newest runs, oldest first, as the agent told them last."""

    instance: InstanceName
    service: ServiceKey
    runs: tuple[RunSummary, ...]


def runs_key(kept: KeptRuns) -> str:
    """Names what is kept of a service on an instance."""
    return f"{kept.instance}/{kept.service}"
