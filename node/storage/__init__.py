"""Where a node keeps what it knows: the port, its implementations, and repositories of typed values over it."""

from node.storage.port import Collection, Document, Order, Query, Storage, Stored, Where
from node.storage.repository import Repository

__all__ = ["Collection", "Document", "Order", "Query", "Repository", "Storage", "Stored", "Where"]
