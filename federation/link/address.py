"""Decides which web addresses a node may be reached by: http or https, a host, perhaps a port, and nothing else."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from federation.errors import InvalidValueError, TamperedError

URL_CHARS: Final = 500
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_AUTHORITY = re.compile(rf"(?P<host>{_HOST.pattern})(:(?P<port>[0-9]{{1,5}}))?", re.ASCII)


def _acceptable(url: str) -> bool:
    if len(url) > URL_CHARS or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None or int(authority["port"] or 1) not in range(1, 65536):
        return False
    return parts.path in {"", "/"} and url == f"{parts.scheme}://{parts.netloc}{parts.path}"


def check_url(url: str) -> str:
    """``url`` without a slash at its end, once it is seen to be the address of a node.

    Routes are absolute and their path is signed, so a node can't live under a prefix of another site.

    Raises:
        InvalidValueError: anything but ``http(s)://host[:port]``; a user name or password is no part of it either.
    """
    if not url.startswith(("http://", "https://")) or not _acceptable(url):
        raise InvalidValueError(f"{url[:80]!r} is not a node's address: http:// or https://, a host, perhaps :port")
    return url.removesuffix("/")


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_nowhere(url: str) -> bool:
    """Whether ``url`` names no machine: what a node that listens at all addresses calls itself."""
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_unspecified
    except ValueError:
        return False


def check_is_somewhere(url: str) -> None:
    """Refuse to give others a node's own address that leads nobody to it.

    Raises:
        InvalidValueError: see ``is_nowhere``.
    """
    if is_nowhere(url):
        raise InvalidValueError(
            f"nobody can reach this node at {url}, its 'url': set it in config.toml to the address that others reach "
            "it by, and start the node again"
        )


def check_not_weaker(present: str, url: str) -> None:
    """Refuse to give up TLS without the operator.

    Raises:
        TamperedError: ``url`` has none, and the present address has.
    """
    if present.startswith("https:") and not url.startswith("https:"):
        raise TamperedError(f"{url[:200]} has no TLS, and {present} has: only the operator may move there")
