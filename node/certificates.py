"""Decides under which certificate this node serves TLS, and for which ones its proofs of identity vouch."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from cryptography import x509

from federation.clock import Clock
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.link import tls
from federation.link.tls import CertificateFiles
from node.config import Settings

_REPLACED_SECONDS: Final = 300.0
_MOST_REPLACED: Final = 4
_WARNED_DAYS: Final = 14
_ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # compared, not bound
_log = structlog.get_logger(__name__)

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class _Replaced:
    digest: Digest
    until: float


def _stamp(path: Path) -> _Stamp:
    """Changes with the file; ``None``: it can't be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class Certificates:
    """The certificates of one node. ``files``: what its own server shows; ``None``: it serves no TLS itself."""

    def __init__(self, settings: Settings, identity: NodeId, clock: Clock) -> None:
        """Read them, and make the self-made one if it is due.

        Raises:
            InvalidValueError: all mistakes in the operator's files, joined.
        """
        self._settings = settings
        self._clock = clock
        self._replaced: list[_Replaced] = []
        self.files = _own_files(settings)
        if self.files is not None and settings.tls_certificate is None:
            name = f"{settings.name} {identity.short}"
            tls.keep_certificate(self.files, name, _hosts(settings), clock.now())
        self._stamps = self._own_stamps()
        self._own = self._read_own()
        self._proxy_stamp = self._stamp_of_proxy()
        self._proxy = self._read_proxy()

    @property
    def own(self) -> Digest | None:
        """The certificate that this node's own server shows."""
        return self._own

    def in_use(self) -> tuple[Digest, ...]:
        """Those that a client of this node may see now, its own server's first. Looks at the disk each time."""
        self._look_at_proxy()
        now = self._clock.monotonic()
        self._replaced = [one for one in self._replaced if one.until > now]
        present = [one for one in (self._own, self._proxy) if one is not None]
        return tuple(dict.fromkeys([*present, *(one.digest for one in self._replaced)]))

    def renewed(self) -> bool:
        """Whether the files of the own certificate changed since it was read, and another one is taken from them."""
        stamps = self._own_stamps()
        if stamps == self._stamps:
            return False
        try:
            found = self._read_own()
        except InvalidValueError as error:
            # Two files are not replaced in one step: the next look may find both.
            _log.warning("the changed TLS certificate can't be used; the old one stays", error=error.message)
            return False
        self._stamps = stamps
        if found == self._own:
            return False
        self._replace(self._own)
        self._own = found
        return True

    def _own_stamps(self) -> tuple[_Stamp, ...]:
        return () if self.files is None else (_stamp(self.files.certificate), _stamp(self.files.key))

    def _read_own(self) -> Digest | None:
        if self.files is None:
            return None
        now = self._clock.now()
        certificate = tls.check_files(self.files, now)
        _warn_before_end(self.files.certificate, certificate, now)
        return tls.fingerprint(certificate)

    def _stamp_of_proxy(self) -> _Stamp:
        path = self._settings.tls_proxy_certificate
        return None if path is None else _stamp(path)

    def _read_proxy(self) -> Digest | None:
        path = self._settings.tls_proxy_certificate
        return None if path is None else tls.fingerprint(tls.read_certificate(path, "tls_proxy_certificate"))

    def _look_at_proxy(self) -> None:
        """A proxy's certificate is renewed without a word to this node."""
        stamp = self._stamp_of_proxy()
        if stamp == self._proxy_stamp:
            return
        self._proxy_stamp = stamp
        try:
            found = self._read_proxy()
        except InvalidValueError as error:
            _log.warning("the proxy's certificate can't be read; the last one is vouched for", error=error.message)
            return
        if found != self._proxy:
            self._replace(self._proxy)
            self._proxy = found

    def _replace(self, old: Digest | None) -> None:
        # What stands before the node, or its own server, may go on showing the old one for a moment.
        if old is not None:
            replaced = _Replaced(old, self._clock.monotonic() + _REPLACED_SECONDS)
            self._replaced = [*self._replaced, replaced][-_MOST_REPLACED:]


def _own_files(settings: Settings) -> CertificateFiles | None:
    if not settings.serves_tls:
        return None
    if settings.tls_certificate is not None and settings.tls_key is not None:
        return CertificateFiles(certificate=settings.tls_certificate, key=settings.tls_key)
    keys = settings.key_file.parent
    return CertificateFiles(certificate=keys / "tls.pem", key=keys / "tls-key.pem")


def _hosts(settings: Settings) -> frozenset[str]:
    """The names a browser may reach the node by, as far as they are known."""
    found = {urlsplit(settings.url).hostname or "", settings.host.strip("[]").lower()}
    return frozenset(found - _ANY_ADDRESS)


def _warn_before_end(path: Path, certificate: x509.Certificate, now: datetime) -> None:
    left = certificate.not_valid_after_utc - now
    if left.days < _WARNED_DAYS:
        _log.warning("the TLS certificate ends soon: renew it", path=str(path), days=left.days)
