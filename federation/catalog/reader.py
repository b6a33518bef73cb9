"""Reads a provider's catalogue with python-tuf's own client and no network: told what was fetched, it says what next.

``read`` is called again with each answer until it gives a ``Catalogue``. The decisions are the client's
(TUF specification §5); here it is given its time, its bounds, and a disk on which what it accepted stays.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from tuf.api.exceptions import DownloadError, ExpiredMetadataError
from tuf.api.metadata import TargetFile, Timestamp
from tuf.ngclient import Updater

# Only for its type: the client gives it no public name.
from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

from federation import limits
from federation.catalog.answers import CONFIG, METADATA, Answers, MissingAnswerError
from federation.catalog.catalogue import Catalogue, TargetInfo, Wanted, check_content
from federation.catalog.filenames import TIMESTAMP_FILE, checked_target
from federation.catalog.listing import LISTING_TARGET, Listing
from federation.catalog.refusals import LIBRARY_ERRORS, refusal
from federation.catalog.root import checked_alone
from federation.catalog.trusted import TrustedState
from federation.digest import Digest
from federation.errors import CorruptError, InvalidValueError, OversizedError, TamperedError

__all__ = ["CatalogReader", "Catalogue", "TargetInfo", "Wanted"]

_TARGETS: Final = "targets/"


class CatalogReader:
    """What this node trusts of one provider, kept in ``folder``. Blocking; called in a thread, one call at a time."""

    def __init__(self, folder: Path) -> None:
        self._state = TrustedState(folder)
        self._lock = threading.Lock()

    def trust(self, root: bytes) -> None:
        """Begin trust with ``root``, which the provider's node key vouched for; replaces all earlier state.

        Raises:
            TamperedError: not a root, or not signed by its own keys.
            OversizedError: longer than a root may be.
            DiskFullError: no room.
        """
        checked_alone(root)
        with self._lock:
            self._state.begin(root)

    def forget(self) -> None:
        """Remove all that is kept of the provider."""
        with self._lock:
            self._state.forget()

    def read(self, got: Mapping[str, bytes | None], now: datetime) -> Wanted | Catalogue:
        """What to fetch next, or the verified catalogue, whose state is durable then.

        ``got``: the answers so far by the paths that were wanted, none at first; None: the provider has no such file.

        Raises:
            StaleError: expired, or older than what was seen before.
            TamperedError: not signed by whom it must be, other bytes than those named, or unreadable.
            OversizedError: an answer, or all together, longer than it may be.
            AbsentError: the provider has no catalogue for us, or no root is trusted yet.
            UnreachableError: a part that the catalogue names is not served.
            CorruptError: the trusted root on this disk is damaged.
            DiskFullError: no room.
        """
        if sum(len(content) for content in got.values() if content is not None) > limits.CATALOG_READ_BYTES:
            raise OversizedError(
                f"the provider's catalogue has more than {limits.CATALOG_READ_BYTES} bytes: it is refused; "
                "ask the provider's operator"
            )
        answers = Answers(got)
        with self._lock, self._state.trial() as folder:
            client, trusted = self._client(folder, answers, now)
            try:
                return self._read(client, trusted, answers, now)
            except MissingAnswerError as error:
                return error.wanted
            except LIBRARY_ERRORS as error:
                raise refusal(error, answers.last, now) from error

    def _client(self, folder: Path, answers: Answers, now: datetime) -> tuple[Updater, TrustedMetadataSet]:
        root = self._state.root
        try:
            client = Updater(str(folder), METADATA, fetcher=answers, config=CONFIG, bootstrap=root)
        except LIBRARY_ERRORS as error:
            raise CorruptError(
                "the root kept of this provider's catalogue is damaged: restore it from a backup, or link anew"
            ) from error
        # The one look behind the client's front: it takes its time from the machine and shows no list of targets.
        trusted = client._trusted_set  # noqa: SLF001
        trusted.reference_time = now
        return client, trusted

    def _read(self, client: Updater, trusted: TrustedMetadataSet, answers: Answers, now: datetime) -> Catalogue:
        try:
            client.refresh()
        except DownloadError:
            # Shown an expired timestamp that it held already, the client asks for a snapshot before it says so.
            known = trusted.get(Timestamp.type)
            if known is not None and not answers.last.endswith(TIMESTAMP_FILE) and known.is_expired(now):
                raise ExpiredMetadataError("timestamp.json is expired") from None
            raise
        finally:
            self._state.keep_root(trusted.root.version)
        targets = {checked_target(path): _info(path, file) for path, file in trusted.targets.targets.items()}
        content = self._listing(targets, answers)
        listing = Listing.decode(content)
        self._state.keep(content)
        signed = (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets)
        return Catalogue(
            listing=listing,
            root_version=trusted.root.version,
            timestamp_version=trusted.timestamp.version,
            targets_version=trusted.targets.version,
            expires=min(one.expires for one in signed),
            targets=targets,
        )

    def _listing(self, targets: Mapping[str, TargetInfo], answers: Answers) -> bytes:
        """The listing that ``targets`` name: the one kept if it still is it, else the one fetched."""
        info = targets.get(LISTING_TARGET)
        if info is None:
            raise TamperedError("the provider's catalogue has no listing: its signer is no vUpdate node of this kind")
        if info.length > limits.LISTING_BYTES:
            raise OversizedError(f"the listing has {info.length} bytes; more than {limits.LISTING_BYTES} are refused")
        kept = self._state.listing
        if kept is not None and Digest.of(kept) == info.sha256:
            return kept
        content = answers.answer(f"{_TARGETS}{info.sha256}.{LISTING_TARGET}", info.length)
        return check_content(LISTING_TARGET, info, content)


def _info(path: str, file: TargetFile) -> TargetInfo:
    try:
        return TargetInfo(length=file.length, sha256=Digest(file.hashes.get("sha256", "")))
    except InvalidValueError as error:
        raise TamperedError(f"the catalogue names no SHA-256 of {path[:160]!r}: it is refused") from error
