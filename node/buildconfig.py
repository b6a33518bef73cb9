"""The table ``[build]`` of a node's settings: how it closes builds in, and what each may use at most."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from build.bounds import Bounds
from federation.errors import InvalidValueError
from federation.units import read_bytes, read_seconds

_SANDBOX: Final = ("auto", "on", "off")
_KEYS: Final = {"sandbox", "network", "tools", "memory", "disk", "processes", "time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """``sandbox``: ``on``: no build without one; ``auto``: own builds do without where none can be made; ``off``: none.

    ``network``: whether a recipe may have the network; ``tools``: folders outside the system's own that builds read.
    """

    sandbox: str = "auto"
    network: bool = True
    tools: tuple[Path, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)


def read_build_settings(table: object) -> tuple[BuildSettings, list[str]]:
    """The settings that ``table`` holds, and each mistake in it; with mistakes the settings mean nothing."""
    if not isinstance(table, dict):
        return BuildSettings(), ["build is not a table"]
    found = [f"unknown key 'build.{key}'" for key in sorted(table.keys() - _KEYS)]
    if table.get("sandbox", "auto") not in _SANDBOX:
        found.append(f"build.sandbox {table['sandbox']!r} is none of {', '.join(_SANDBOX)}")
    if not isinstance(table.get("network", True), bool):
        found.append("build.network is neither true nor false")
    tools = table.get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(one, str) and one.startswith("/") for one in tools):
        found.append('build.tools is not a list of whole paths such as ["/opt/java"]')
    bounds = _bounds(table, found)
    if found:
        return BuildSettings(), found
    return BuildSettings(
        sandbox=str(table.get("sandbox", "auto")),
        network=bool(table.get("network", True)),
        tools=tuple(map(Path, tools)),
        bounds=bounds,
    ), []


def _bounds(table: dict[str, Any], found: list[str]) -> Bounds:
    values: dict[str, Any] = {}
    for key, name, read in (
        ("memory", "memory_bytes", read_bytes),
        ("disk", "disk_bytes", read_bytes),
        ("time", "seconds", read_seconds),
    ):
        if key in table:
            try:
                values[name] = read(str(table[key]))
            except InvalidValueError as error:
                found.append(f"build.{key}: {error}")
    processes = table.get("processes", Bounds().processes)
    if not isinstance(processes, int) or isinstance(processes, bool) or processes < 2:
        found.append(f"build.processes {processes!r} is not a number from 2")
    return Bounds(processes=processes, **values) if not found else Bounds()
