"""How the builds of a node are closed in."""

from dataclasses import dataclass, field
from pathlib import Path

from build.bounds import Bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """``sandbox``: a sandbox around each build; without one its commands are plain processes of the node's user.

    ``network``: whether a recipe that asks for the network may have it. What is sandboxed gets one of its own, or,
    where ``no_own_network`` says why there can be none, the host's. ``tools``: folders outside the system's own
    that builds may read.
    """

    sandbox: bool = False
    network: bool = True
    no_own_network: str = ""
    tools: tuple[Path, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
