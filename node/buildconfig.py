"""The table ``[build]`` of a node's settings: how it closes builds in, and what each may use at most."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from build.bounds import Bounds
from federation.errors import InvalidValueError
from federation.units import read_bytes, read_seconds
from node.model.orders import MOST_LOAD

_PEERS_MOST: Final = 64
_LOAD_MOST: Final = 1000
_SANDBOX: Final = ("auto", "on", "off")
_KEYS: Final = {
    "sandbox", "network", "tools", "memory", "disk", "processes", "time",
    "peers", "peers_load", "peers_without_sandbox", "peers_network", "peers_sources",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """``sandbox``: ``on``: no build without one; ``auto``: own builds do without where none can be made; ``off``: none.

    ``network``: whether a recipe may have the network; ``tools``: folders outside the system's own that builds read.
    ``peers``: so many builds for peers run side by side, 0: none; ``peers_load``: none is begun where more processes
    than that are runnable for each processor. ``peers_without_sandbox``: even where there can be no sandbox.
    ``peers_network``: whether their recipes may have the network; ``peers_sources``: how the URLs that are fetched for
    them must begin; only one that names a host in full allows one that is not on the public internet.
    """

    sandbox: str = "auto"
    network: bool = True
    tools: tuple[Path, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    peers: int = 1
    peers_load: float = MOST_LOAD
    peers_without_sandbox: bool = False
    peers_network: bool = False
    peers_sources: tuple[str, ...] = ("https://",)


def read_build_settings(table: object) -> tuple[BuildSettings, list[str]]:
    """The settings that ``table`` holds, and each mistake in it; with mistakes the settings mean nothing."""
    if not isinstance(table, dict):
        return BuildSettings(), ["build is not a table"]
    found = [f"unknown key 'build.{key}'" for key in sorted(table.keys() - _KEYS)]
    if table.get("sandbox", "auto") not in _SANDBOX:
        found.append(f"build.sandbox {table['sandbox']!r} is none of {', '.join(_SANDBOX)}")
    flags = ("network", "peers_without_sandbox", "peers_network")
    found += [f"build.{key} is neither true nor false" for key in flags if not isinstance(table.get(key, True), bool)]
    tools = _words(table, "tools", "/", '["/opt/java"]', found)
    sources = _words(table, "peers_sources", "", '["https://git.example/"]', found)
    peers = table.get("peers", 1)
    if not isinstance(peers, int) or isinstance(peers, bool) or not 0 <= peers <= _PEERS_MOST:
        found.append(f"build.peers {peers!r} is not a number from 0 to {_PEERS_MOST}")
    load = table.get("peers_load", MOST_LOAD)
    if not isinstance(load, int | float) or isinstance(load, bool) or not 0 < load <= _LOAD_MOST:
        found.append(f"build.peers_load {load!r} is not a number above 0, to {_LOAD_MOST}")
    bounds = _bounds(table, found)
    if found:
        return BuildSettings(), found
    return BuildSettings(
        sandbox=str(table.get("sandbox", "auto")),
        network=bool(table.get("network", True)),
        tools=tuple(map(Path, tools)),
        bounds=bounds,
        peers=peers,
        peers_load=load,
        peers_without_sandbox=bool(table.get("peers_without_sandbox", False)),
        peers_network=bool(table.get("peers_network", False)),
        peers_sources=tuple(sources) if "peers_sources" in table else BuildSettings().peers_sources,
    ), []


def _words(table: dict[str, Any], key: str, begin: str, example: str, found: list[str]) -> list[str]:
    words = table.get(key, [])
    if isinstance(words, list) and all(isinstance(one, str) and one and one.startswith(begin) for one in words):
        return words
    found.append(f"build.{key} is not a list such as {example}")
    return []


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
