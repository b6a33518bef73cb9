"""Releases of public packages as unpacked trees, for tests and benches on real changes."""

import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 180


class RegistryError(Exception):
    """The registry did not give the release; the message is its own."""


@dataclass(frozen=True)
class Release:
    """What a registry gave: the archive's size and the tree that was in it."""

    archive_bytes: int
    tree: Path


def python_release(name: str, version: str, folder: Path) -> Release:
    """The wheel of ``name`` in ``version``, unpacked under ``folder``."""
    place = folder / f"{name}-{version}"
    command = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--timeout=10", "--retries=1"]
    _run([sys.executable, "-m", "pip", *command, f"--dest={place}", f"{name}=={version}"])
    return _unpacked(place)


def npm_release(name: str, version: str, folder: Path) -> Release:
    """The archive of the npm package ``name`` in ``version``, unpacked under ``folder``."""
    place = folder / f"{name.replace('/', '-')}-{version}"
    place.mkdir(parents=True)
    _run(["npm", "pack", "--silent", f"--pack-destination={place}", f"{name}@{version}"])
    return _unpacked(place)


def _run(command: list[str]) -> None:
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RegistryError(str(error)) from error
    if found.returncode != 0:
        said = found.stderr.strip().splitlines() or [f"{command[0]} ended with {found.returncode}"]
        raise RegistryError(said[-1])


def _unpacked(place: Path) -> Release:
    (archive,) = place.iterdir()
    size = archive.stat().st_size
    tree = place / "tree"
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(tree)  # noqa: S202 - the registry's own tool chose and checked it
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(tree, filter="data")
    archive.unlink()
    return Release(size, tree)
