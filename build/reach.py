"""Decides from where sources are fetched for a peer: from servers that everybody reaches, or that the operator named.

A builder lends a peer its view of the network, and no way into the networks that it stands in. So the host of a URL is
looked up here, every address of it must be one of the public internet, and Git is held to those very addresses: what
the name leads to a moment later changes nothing. A host that the operator names in full is fetched from wherever it is.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from build.errors import SourceDeniedError, SourceUnreachableError
from build.giturl import GitUrl

RESOLVE_SECONDS: Final = 20.0
ADDRESSES: Final = 16
"""So many addresses of a host are handed to Git at most; all are looked at."""

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port; none: there is no such host. Raises ``OSError`` where that can't be told now."""

_HTTPS_PORT: Final = 443
_LABEL: Final = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_COMPLETE: Final = re.compile(r"[a-z]+://[^/?#\\]+/", re.ASCII)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = 0x5EFE
_UNIVERSAL: Final = 0x0200_0000
# IETF protocol assignments (RFC 6890): Python before 3.13 knows some of them only.
_ASSIGNED: Final = IPv4Network("192.0.0.0/24")
_UNKNOWN: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses by which this machine would connect to ``host``."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in _UNKNOWN:
            return ()
        raise
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(text: str) -> bool:
    """Whether the address ``text`` is one host's on the public internet, itself and what is embedded in it.

    Of IPv6 that is within 2000::/3 (RFC 4291, 2.4), or IPv4 behind the well-known prefix of NAT64 (RFC 6052). An
    address of 6to4 (RFC 3056) or ISATAP (RFC 5214) is as good as the IPv4 address in it, one of Teredo never.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and address not in _ASSIGNED
    if address in _NAT64 or address.ipv4_mapped is not None:
        return is_public(str(IPv4Address(int(address) & 0xFFFFFFFF)))
    if address.scope_id is not None or address not in _GLOBAL_UNICAST or address.teredo:
        return False
    # Of 6to4 not each Python says the same.
    if address.sixtofour is None and not address.is_global:
        return False
    return all(is_public(str(one)) for one in _embedded(address))


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    if address.sixtofour is not None:
        yield address.sixtofour
    if int(address) >> 32 & 0xFFFFFFFF & ~_UNIVERSAL == _ISATAP:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def named(url: str, entries: Collection[str]) -> bool:
    """Whether one of ``entries`` that ``url`` begins with names its host in full: up to the sign that ends it."""
    return any(url.startswith(entry) and _is_complete(entry, url) for entry in entries)


def _is_complete(entry: str, url: str) -> bool:
    return bool(_COMPLETE.match(entry)) if "://" in url else ":" in entry


@dataclass(frozen=True, slots=True)
class PeersReach:
    """``entries``: what the operator lets the URLs of peers begin with."""

    entries: tuple[str, ...] = ()
    resolve: Resolver = field(default=resolved)

    async def pin(self, text: str) -> str:
        """What holds Git to the addresses of the URL ``text`` (``CURLOPT_RESOLVE``); empty: it needs no holding.

        Raises:
            SourceError: it is no URL of a repository.
            SourceDeniedError: it leads, or may lead, to where nothing is fetched from for a peer.
            SourceUnreachableError: the host can't be looked up now.
        """
        url = GitUrl.read(text)
        if url.local or named(text, self.entries):
            return ""
        if not url.plain.startswith("https://"):
            raise SourceDeniedError(f"{url.plain}: {_refusal('over SSH', 'ssh://git@git.example/')}")
        parts = urlsplit(url.plain)
        host, port = parts.hostname or "", parts.port or _HTTPS_PORT
        addresses = await self._addresses(url, host, port)
        if not addresses or not all(map(is_public, addresses)):
            # Which addresses it has is nobody's business who can't see them himself.
            whence = f"from {host}, which is no server on the public internet,"
            raise SourceDeniedError(f"{url.plain}: {_refusal(whence, f'https://{parts.netloc}/')}")
        written = ",".join(f"[{one}]" if ":" in one else one for one in addresses[:ADDRESSES])
        return "" if _is_address(host) else f"{host}:{port}:{written}"

    async def _addresses(self, url: GitUrl, host: str, port: int) -> Sequence[str]:
        if _is_address(host):
            return (host,)
        if not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2]):
            # Else Git could read another host in it than was looked up.
            raise SourceDeniedError(f"{url.plain}: its host is neither a plain name nor an address written in full")
        try:
            return await self.resolve(host, port)
        except OSError as error:
            raise SourceUnreachableError(f"{url.plain}: its host can't be looked up now ({error})") from error


def _refusal(whence: str, entry: str) -> str:
    return (
        f"nothing is fetched {whence} for a peer, unless the builder's operator names the host in full "
        f'in peers_sources of [build] in config.toml, as "{entry}"'
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


ONLY_PUBLIC: Final = PeersReach()
