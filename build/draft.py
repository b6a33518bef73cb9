"""An image being changed: the base's entries, and beside them the few contents that are new."""

from pathlib import Path
from typing import BinaryIO

from build.errors import OverlayError
from build.settings import SettingsFile
from federation.digest import Digest
from federation.errors import AbsentError, CorruptError
from federation.files import explained_disk_errors
from federation.image import Entry, Image, Kind
from federation.transfer.blobs import ContentSource


class NewContents:
    """The contents that a client build added, before those of its base.

    New ones lie in the work folder or in an overlay, and are read from there: they must stay until they are stored.
    """

    def __init__(self, folder: Path, base: ContentSource) -> None:
        self._folder = folder
        self._base = base
        self._places: dict[Digest, Path] = {}

    def open(self, digest: Digest) -> BinaryIO:
        """The content as a stream; what is new is checked against its digest by who takes it in, as all is."""
        place = self._places.get(digest)
        return self._base.open(digest) if place is None else place.open("rb")

    def write(self, content: bytes) -> Digest:
        """Keep ``content`` in the work folder."""
        digest = Digest.of(content)
        place = self._folder / digest
        with explained_disk_errors(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        self._places[digest] = place
        return digest

    def refer(self, digest: Digest, place: Path) -> None:
        """Note that the content ``digest`` lies at ``place``."""
        self._places[digest] = place


class Draft:
    """The image as it stands, and what changes it."""

    def __init__(self, base: Image, contents: NewContents) -> None:
        self._entries = dict(base.by_path)
        self.contents = contents

    @property
    def image(self) -> Image:
        """The image as it stands."""
        return Image.of(self._entries.values())

    def has_file(self, path: str) -> bool:
        """Whether a file stands at ``path``."""
        entry = self._entries.get(path)
        return entry is not None and entry.digest is not None

    def read(self, path: str, most_bytes: int) -> bytes:
        """The content of the file at ``path``.

        Raises:
            AbsentError: there is no such file.
            OverlayError: it is larger than ``most_bytes``.
            CorruptError: what is stored is not what the image says.
        """
        entry = self._entries.get(path)
        if entry is None or entry.digest is None:
            raise AbsentError(f"the image has no file {path!r}")
        if entry.size > most_bytes:
            raise OverlayError(f"{path}: larger than {most_bytes} bytes, and so neither merged nor expanded")
        with self.contents.open(entry.digest) as stream:
            content = stream.read(entry.size + 1)
        if Digest.of(content) != entry.digest:
            raise CorruptError(f"the stored content of {path!r} is damaged: fetch the base version again")
        return content

    def rewrite(self, path: str, content: bytes) -> bool:
        """Give the file at ``path`` another content, its mode kept; return whether that changed anything."""
        entry = self._entries[path]
        if Digest.of(content) == entry.digest:
            return False
        self._entries[path] = Entry(path, entry.kind, len(content), self.contents.write(content))
        return True

    def put(self, path: str, file: SettingsFile) -> bool:
        """Add or replace the file at ``path``; return whether that changed anything.

        Raises:
            OverlayError: a folder stands there, or something that is none stands where a folder is needed.
        """
        entry = self._entries.get(path)
        if entry is not None and (entry.digest, entry.kind) == (file.digest, file.kind):
            return False
        if entry is not None and entry.kind is Kind.DIRECTORY:
            raise OverlayError(f"{path}: a file in the overlay, a folder in the base")
        self._check_parents(path)
        self.contents.refer(file.digest, file.place)
        self._entries[path] = Entry(path, file.kind, file.size, file.digest)
        return True

    def put_content(self, path: str, content: bytes) -> None:
        """Add or replace the plain file at ``path``.

        Raises:
            OverlayError: as ``put``.
        """
        entry = self._entries.get(path)
        if entry is not None and entry.kind is Kind.DIRECTORY:
            raise OverlayError(f"{path}: a folder of the base stands there")
        self._check_parents(path)
        self._entries[path] = Entry(path, Kind.FILE, len(content), self.contents.write(content))

    def _check_parents(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        while parent:
            entry = self._entries.get(parent)
            if entry is not None and entry.kind is not Kind.DIRECTORY:
                raise OverlayError(f"{path}: the base has {parent!r} as a file or a link, not as a folder")
            parent = parent.rpartition("/")[0]
