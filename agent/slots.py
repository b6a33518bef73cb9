"""The installed versions of one service: their folders, the link to the current one, the data that outlives them.

Every step can be done twice, and each leaves the old or the new, never a mixture. Which version should be where is
decided in ``plan``. Blocking.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from agent.errors import UnfitError
from agent.home import Unit
from federation.errors import CorruptError, InvalidValueError
from federation.files import explained_disk_errors, sync_directory, write_atomic
from federation.image import Image
from federation.versions import ClientVersion


def remove_tree(path: Path) -> None:
    """Remove ``path`` if it is there, folder or link."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def installed_image(unit: Unit, version: ClientVersion) -> Image | None:
    """The index of an installed version, if its tree is there too and the index can be read."""
    try:
        return Image.decode(unit.index(version).read_bytes()) if unit.version(version).is_dir() else None
    except (FileNotFoundError, InvalidValueError):
        return None


def link_data(unit: Unit, tree: Path, names: Iterable[str]) -> None:
    """Put links into ``tree`` to the folders ``names`` that outlive a version.

    Raises:
        UnfitError: the image has something of its own there.
    """
    for name in names:
        kept = unit.data / name
        place = tree / name
        kept.mkdir(parents=True, exist_ok=True)
        _check_parents(tree, place)
        if place.is_dir() and not place.is_symlink() and not any(place.iterdir()):
            place.rmdir()
        if place.is_symlink() or place.exists():
            raise UnfitError(f"{name!r} is named under `data`, but the image has it too: take it out of the image")
        place.parent.mkdir(parents=True, exist_ok=True)
        # From the version's folder up to the unit's: versions/<v>/, and one more for each folder of the name.
        up = Path(*[".."] * (2 + name.count("/")))
        place.symlink_to(up / "data" / name)
        sync_directory(place.parent)


def _check_parents(tree: Path, place: Path) -> None:
    """Nothing is written through a link of the image."""
    for parent in place.relative_to(tree).parents:
        if (tree / parent).is_symlink():
            raise UnfitError(f"{str(parent)!r} is a link in the image, so no data folder can stand in it")


def adopt(unit: Unit, version: ClientVersion, image: Image) -> None:
    """Give the staged tree its name; from here on the version is installed."""
    with explained_disk_errors(unit.root):
        write_atomic(unit.index(version), image.encoded)
        replaced = _replaced(unit, version)
        remove_tree(replaced)
        if unit.version(version).exists():
            unit.version(version).rename(replaced)
        unit.staging.rename(unit.version(version))
        sync_directory(unit.versions)
        remove_tree(replaced)


def _replaced(unit: Unit, version: ClientVersion) -> Path:
    return unit.root / f".replaced-{version}"


def restore(unit: Unit, version: ClientVersion) -> None:
    """Put back the tree of an installed version whose adoption anew ended between its two renames."""
    replaced = _replaced(unit, version)
    if replaced.is_dir() and not unit.version(version).exists():
        replaced.rename(unit.version(version))
        sync_directory(unit.versions)
    remove_tree(replaced)


def current_version(unit: Unit) -> ClientVersion | None:
    """The version that ``current`` leads to.

    Raises:
        CorruptError: it leads elsewhere.
    """
    if not unit.current.is_symlink():
        return None
    target = unit.current.readlink()
    try:
        version = ClientVersion(target.name)
    except InvalidValueError as error:
        raise CorruptError(f"{unit.current} leads to {target}, which is no version") from error
    return version


def switch(unit: Unit, version: ClientVersion | None) -> None:
    """Let ``current`` lead to ``version``, or be absent."""
    if current_version(unit) == version:
        return
    with explained_disk_errors(unit.root):
        if version is None:
            unit.current.unlink(missing_ok=True)
        else:
            fresh = unit.root / ".current.new"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(Path("versions") / version)
            fresh.replace(unit.current)
        sync_directory(unit.root)


def clean(unit: Unit, keep: Iterable[ClientVersion]) -> None:
    """Remove every version but those to ``keep``, and what was left half made."""
    kept = {str(version) for version in keep}
    for folder in (unit.versions, unit.root / "indexes"):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in kept:
                remove_tree(path)
    for path in unit.root.glob(".replaced-*"):
        remove_tree(path)
    remove_tree(unit.packs)
