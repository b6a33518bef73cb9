"""Contents and trees on their way: blob stores, packs, and what an agent unpacks beside the running version.

All of it blocks; whoever lives in an event loop calls it in a thread on purpose.
"""

from federation.transfer.blobs import BlobStore, ContentSink, ContentSource, LocalBlobs
from federation.transfer.images import load_image, store_image
from federation.transfer.install import install_pack
from federation.transfer.pack import make_pack
from federation.transfer.packstore import Pack, PackStore
from federation.transfer.tree import TreeSource, add_tree, scan_tree, write_tree
from federation.transfer.unpack import unpack

__all__ = [
    "BlobStore",
    "ContentSink",
    "ContentSource",
    "LocalBlobs",
    "Pack",
    "PackStore",
    "TreeSource",
    "add_tree",
    "install_pack",
    "load_image",
    "make_pack",
    "scan_tree",
    "store_image",
    "unpack",
    "write_tree",
]
