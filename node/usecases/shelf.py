"""One profile's catalogue on disk: decides whether there is something to publish, and under which serial.

The serial stands in the published listing and nowhere else, so it lasts as long as the keys that sign it, and a
publication that was interrupted left no number behind that anybody could have seen.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from federation.catalog.filenames import prefixed
from federation.catalog.listing import LISTING_TARGET, Listing
from federation.catalog.publisher import CatalogPublisher
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError, TamperedError
from node.usecases.contents import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is published: the serial, and the digest of each target by its path."""

    serial: int
    targets: Mapping[str, Digest]


class _Version(msgspec.Struct):
    version: int


class _Target(msgspec.Struct):
    hashes: dict[str, Digest]


class _Signed(msgspec.Struct):
    meta: dict[str, _Version] = {}
    targets: dict[str, _Target] = {}


class _Metadata(msgspec.Struct):
    signed: _Signed


class Shelf:
    """The catalogue of one profile. Blocking; one publication at a time, whoever asks from whichever thread."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.publisher: Final = CatalogPublisher(folder, clock)
        self._turn = threading.Lock()
        self._standing: Standing | None = None

    def put(self, content: Content) -> Standing:
        """Publish ``content`` if anything of it is new, else sign again what is due; what then stands.

        Raises:
            DiskFullError: no room; what was published before still stands.
            OversizedError: more than a catalogue may hold.
            CorruptError: a key or a part of the catalogue is missing or damaged.
        """
        with self._turn:
            standing = self._standing or self._read()
            # Unknown, should this be interrupted: then the disk is asked again.
            self._standing = None
            if standing is not None and _digests(content.targets(standing.serial)) == standing.targets:
                self._refresh(content.targets(standing.serial))
            else:
                serial = standing.serial + 1 if standing else 1
                targets = content.targets(serial)
                self.publisher.publish(targets)
                standing = Standing(serial=serial, targets=_digests(targets))
            self._standing = standing
            return standing

    def _refresh(self, targets: Mapping[str, bytes]) -> None:
        try:
            self.publisher.refresh()
        except CorruptError:
            # Publishing the same again mends what it can, and says what it can't.
            self.publisher.publish(targets)

    def _read(self) -> Standing | None:
        """What was published before; ``None``: nothing yet, or nothing that can be read any more."""
        self.publisher.create()
        try:
            snapshot = self._signed("timestamp.json").meta["snapshot.json"].version
            targets = self._signed(f"{snapshot}.snapshot.json").meta["targets.json"].version
            found = self._signed(f"{targets}.targets.json").targets
            digests = {path: one.hashes["sha256"] for path, one in found.items()}
            path = self.publisher.target(prefixed(LISTING_TARGET, digests[LISTING_TARGET]))
            listing = Listing.decode(path.read_bytes())
        except (AbsentError, KeyError, TamperedError, msgspec.DecodeError):
            return None
        return Standing(serial=listing.serial, targets=digests)

    def _signed(self, name: str) -> _Signed:
        content = self.publisher.metadata(name).read_bytes()
        return msgspec.json.decode(content, type=_Metadata, dec_hook=lambda kind, value: kind(value)).signed


def _digests(targets: Mapping[str, bytes]) -> dict[str, Digest]:
    return {path: Digest.of(content) for path, content in targets.items()}
