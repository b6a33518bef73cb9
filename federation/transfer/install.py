"""Unpacking a version beside the one that runs, out of a pack and what is installed already.

Unchanged files share their blocks with the old version where the file system can, else they are copies; never hard
links, through which a running service could change the version that is kept for the way back.
"""

from pathlib import Path

from federation.digest import Digest
from federation.image import Image
from federation.transfer.newtree import NewTree, new_tree
from federation.transfer.reader import open_pack
from federation.transfer.tree import TreeSource


def install_pack(pack: Path, *, expected: Digest, base: Image | None, base_tree: Path | None, target: Path) -> Image:
    """Unpack image ``expected`` into the folder ``target``, which this makes; durable when it returns.

    ``base`` is the image whose tree stands in ``base_tree``; a full pack does not need it.

    Raises:
        TamperedError: the pack is not genuine, or rests on another base.
        CorruptError: the tree in ``base_tree`` was altered: the full pack will do.
        ExistsError: ``target`` exists already; it is left alone.
        InvalidValueError, OversizedError: the signed index itself is not a safe one.
        DiskFullError: no room. After any other error too there is no ``target``.
    """
    with open_pack(pack, expected=expected, base=base) as reader, new_tree(reader.image, target) as tree:
        old = None if reader.base is None or base_tree is None else TreeSource(base_tree, reader.base)
        for digest, content in reader.contents(old):
            tree.add(content, digest)
        if old is not None:
            _take_unchanged(reader.image, old, tree)
        return reader.image


def _take_unchanged(image: Image, old: TreeSource, tree: NewTree) -> None:
    for digest in image.contents:
        if not tree.has(digest):
            with old.open_unverified(digest) as file:
                tree.take(file, digest)
