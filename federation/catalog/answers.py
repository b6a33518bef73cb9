"""Gives python-tuf's client the answers that were fetched so far, and stops it at the first that is not there.

So the client's own order of checks decides what is fetched, and yet it never waits for a network.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from federation import limits
from federation.catalog.catalogue import Wanted
from federation.catalog.roles import Role

METADATA: Final = "metadata/"
CONFIG: Final = UpdaterConfig(
    max_root_rotations=limits.CATALOG_ROOT_ROTATIONS,
    max_delegations=0,  # a catalogue has none
    root_max_length=limits.CATALOG_ROOT_BYTES,
    timestamp_max_length=limits.CATALOG_TIMESTAMP_BYTES,
    snapshot_max_length=limits.CATALOG_SNAPSHOT_BYTES,
    targets_max_length=limits.CATALOG_TARGETS_BYTES,
)
_MOST_BYTES: Final = {
    Role.ROOT: limits.CATALOG_ROOT_BYTES,
    Role.TIMESTAMP: limits.CATALOG_TIMESTAMP_BYTES,
    Role.SNAPSHOT: limits.CATALOG_SNAPSHOT_BYTES,
    Role.TARGETS: limits.CATALOG_TARGETS_BYTES,
}


class MissingAnswerError(DownloadError):
    """``wanted`` has not been fetched yet."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted.path)
        self.wanted = wanted


class Answers(FetcherInterface):
    """The answers ``got`` so far, by path; None: the provider has no such file. ``last``: the path asked for last."""

    def __init__(self, got: Mapping[str, bytes | None]) -> None:
        self._got = got
        self.last = "root metadata"

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """The answer at ``url``; the whole of it is in memory already, so there is no file between."""
        return self.answer(url, min(max_length, _most_bytes(url)))

    def _fetch(self, url: str) -> Iterator[bytes]:
        return iter([self.answer(url, _most_bytes(url))])

    def answer(self, path: str, most_bytes: int) -> bytes:
        """What the provider answered for ``path``.

        Raises:
            MissingAnswerError: it was not asked yet.
            DownloadHTTPError: it has no such file.
            DownloadLengthMismatchError: the answer is longer than ``most_bytes``.
        """
        self.last = path
        if path not in self._got:
            raise MissingAnswerError(Wanted(path=path, most_bytes=most_bytes))
        content = self._got[path]
        if content is None:
            raise DownloadHTTPError(f"{path} is not there", 404)
        if len(content) > most_bytes:
            raise DownloadLengthMismatchError(f"more than {most_bytes} bytes")
        return content


def _most_bytes(path: str) -> int:
    # The length that signed metadata names may be any: it counts only below our own bound.
    return _MOST_BYTES[Role(path.split(".")[-2].removeprefix(METADATA))]
