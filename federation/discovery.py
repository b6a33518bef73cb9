"""What a node tells the local network of itself, and the table of nodes that were heard there.

DNS-SD over multicast DNS (RFC 6763, RFC 6762), service type ``_vupdate._tcp.local.``. All that counts stands in the TXT
record and is signed by the node: who announces another node's id, or another address for it, is not heard. It says the
node's id, key, name and addresses, and nothing of its services, profiles, links or version.

Hearing of a node is no reason to trust it: a record shows that the key's holder once announced this name and these
addresses, and no more. Pure: ``federation.mdns`` sends and listens.
"""

import base64
import binascii
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from urllib.parse import urlsplit

from federation import limits
from federation.allowance import Allowance
from federation.errors import InvalidValueError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.link.address import check_url
from federation.names import NodeName

SERVICE_TYPE: Final = "_vupdate._tcp.local."
VERSION: Final = "1"
REPEAT_SECONDS: Final = 60.0
"""How often a node repeats its announcement; ``FORGET_SECONDS`` without one, and it is forgotten."""
FORGET_SECONDS: Final = 150.0
RENEW_SECONDS: Final = 1800.0
"""How often it is signed anew; one signed longer ago than ``OLDEST_SECONDS`` is a recording."""
OLDEST_SECONDS: Final = 3600.0
_AHEAD_SECONDS: Final = limits.SIGNATURE_AGE_SECONDS + 5

_KEYS: Final = ("v", "id", "key", "name", "url", "at", "made", "sig")
_DOMAIN: Final = b"vupdate-announcement-v1"
_STRING_BYTES: Final = 255
_AT_MOST: Final = 8
_CHECKS: Final = 100
_CHECKS_SECONDS: Final = 10.0


def _is_here_only(host: str) -> bool:
    """Whether ``host`` means another machine on each machine, or none."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified or address.is_multicast


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def endpoint(address: str, port: int) -> str:
    """``address`` and ``port`` as they stand in a URL."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What a node says of itself. ``url``: where it says others reach it; ``at``: addresses on its local networks.

    ``made``: when it was signed, in seconds since 1970; of two announcements of one node the later one counts.
    """

    key: PublicKey
    name: NodeName
    url: str
    at: tuple[str, ...] = ()
    made: int

    def __post_init__(self) -> None:
        check_url(self.url)
        if len(self.at) > _AT_MOST:
            raise InvalidValueError(f"an announcement names at most {_AT_MOST} local addresses")
        if not 0 <= self.made <= limits.SERIAL:
            raise InvalidValueError("an announcement is made at some time after 1970")
        for url in self.urls:
            check_url(url)
        for string in self._strings():
            if len(string) > _STRING_BYTES:
                raise InvalidValueError(f"a part of an announcement has at most {_STRING_BYTES} bytes")

    @property
    def id(self) -> NodeId:
        """The node's id."""
        return self.key.id

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the node may be reached: its own word first, then its local addresses by the same scheme."""
        scheme = urlsplit(self.url).scheme
        return tuple(dict.fromkeys((self.url.removesuffix("/"), *(f"{scheme}://{one}" for one in self.at))))

    @classmethod
    def of(
        cls, *, key: PublicKey, name: NodeName, url: str, addresses: Iterable[str], port: int, tls: bool, now: datetime
    ) -> Self:
        """The announcement of a node that listens at ``addresses``; one that others can use stands in for ``url``.

        Raises:
            InvalidValueError: there is no address that others can use, or the URL is too long to be announced.
        """
        scheme = "https" if tls else "http"
        at = tuple(endpoint(one, port) for one in addresses)[:_AT_MOST]
        if _is_here_only(_host(url)) and at and not _is_here_only(_host(f"{scheme}://{at[0]}")):
            url = f"{scheme}://{at[0]}"
        elif urlsplit(url).scheme != scheme:
            # Something before the node does TLS for it: behind it, the node is reached otherwise.
            at = ()
        return cls(key=key, name=name, url=url, at=at, made=int(now.timestamp()))

    def _values(self) -> dict[str, str]:
        return {
            "v": VERSION,
            "id": str(self.id),
            "key": str(self.key),
            "name": str(self.name),
            "url": self.url,
            "at": ",".join(self.at),
            "made": str(self.made),
        }

    def _strings(self) -> list[bytes]:
        return [f"{key}={value}".encode() for key, value in self._values().items()]

    def _signed_part(self) -> bytes:
        """Each part with its length before it, so that no two announcements are signed alike."""
        return b"".join(len(one).to_bytes(2, "big") + one for one in (_DOMAIN, *self._strings()))

    def to_txt(self, key: PrivateKey) -> bytes:
        """The content of the TXT record (RFC 6763 §6), signed."""
        signature = base64.b64encode(key.sign(self._signed_part()))
        return b"".join(bytes([len(one)]) + one for one in (*self._strings(), b"sig=" + signature))

    @classmethod
    def from_txt(cls, content: bytes) -> Self:
        """The announcement in the content of a TXT record.

        Raises:
            InvalidValueError: not an announcement of this version.
            TamperedError: not signed by the node that it names.
        """
        values = _read_strings(content)
        try:
            made = int(values["made"]) if values["made"].isdecimal() and len(values["made"]) <= 16 else -1
            at = tuple(values["at"].split(",")) if values["at"] else ()
            signature = base64.b64decode(values["sig"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidValueError("not an announcement: its signature is no base64") from error
        found = cls(key=PublicKey(values["key"]), name=NodeName(values["name"]), url=values["url"], at=at, made=made)
        if values["id"] != found.id:
            raise TamperedError("an announcement names another node's id than that of its key: ignored")
        written = found._values() | {"sig": base64.b64encode(signature).decode("ascii")}
        if written != values:
            raise InvalidValueError("an announcement has one spelling, and this is another: ignored")
        if not found.key.verifies(signature, found._signed_part()):
            raise TamperedError(f"an announcement of {found.id.short}… is not signed by it: ignored")
        return found

    def check_reachable(self, *, on_loopback: bool) -> None:
        """Refuse addresses that would lead every hearer to its own machine, unless this one listens only there.

        Raises:
            InvalidValueError: there is one.
        """
        if not on_loopback and any(_is_here_only(_host(url)) for url in self.urls):
            raise InvalidValueError("an announcement leads to the hearer's own machine: ignored")


class Announcer:
    """Signs a node's announcement: anew when its addresses change, and when the last one grows old."""

    def __init__(self, *, key: PrivateKey, name: NodeName, url: str, port: int, tls: bool) -> None:
        """``url``: where the node is reached by its own word; ``port``, ``tls``: as it listens itself."""
        self._key = key
        self._name = name
        self._url = url
        self._port = port
        self._tls = tls
        self._addresses: tuple[str, ...] | None = None
        self._txt = b""
        self._made = datetime.min.replace(tzinfo=UTC)

    def txt(self, addresses: tuple[str, ...], now: datetime) -> bytes:
        """The content of the TXT record at ``now``."""
        if addresses != self._addresses or abs((now - self._made).total_seconds()) >= RENEW_SECONDS:
            announcement = Announcement.of(
                key=self._key.public,
                name=self._name,
                url=self._url,
                addresses=addresses,
                port=self._port,
                tls=self._tls,
                now=now,
            )
            self._addresses, self._made, self._txt = addresses, now, announcement.to_txt(self._key)
        return self._txt


def _read_strings(content: bytes) -> dict[str, str]:
    """The keys and values of a TXT record: exactly those of an announcement, each once."""
    if len(content) > limits.ANNOUNCEMENT_BYTES:
        raise InvalidValueError(f"an announcement has at most {limits.ANNOUNCEMENT_BYTES} bytes")
    values: dict[str, str] = {}
    for string in _cut(content):
        key, _, value = string.partition("=")
        if key in values:
            raise InvalidValueError("an announcement names a key twice")
        values[key] = value
    if values.get("v") != VERSION or values.keys() != set(_KEYS):
        raise InvalidValueError("not an announcement of this version")
    return values


def _cut(content: bytes) -> Iterator[str]:
    start = 0
    while start < len(content):
        end = start + 1 + content[start]
        if end > len(content):
            raise InvalidValueError("a TXT record is cut off")
        try:
            yield content[start + 1 : end].decode("ascii")
        except UnicodeDecodeError as error:
            raise InvalidValueError("an announcement is ASCII") from error
        start = end


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A TXT record that came from the network under the mDNS name ``instance``. ``gone``: a goodbye."""

    instance: str
    txt: bytes = b""
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A node on the local network. ``since``: first heard; ``heard``: heard last."""

    announcement: Announcement
    instance: str
    since: datetime
    heard: datetime

    @property
    def id(self) -> NodeId:
        """The node's id."""
        return self.announcement.id


@dataclass(slots=True)
class Nearby:
    """The nodes heard on the local network, within bounds, by id.

    ``known`` says whether a node is linked: such a one finds room also in a full table. ``own``: this node, skipped.
    """

    own: NodeId
    on_loopback: bool = False
    _found: dict[NodeId, Found] = field(default_factory=dict)
    _texts: dict[bytes, NodeId] = field(default_factory=dict)
    _checks: Allowance = field(default_factory=lambda: Allowance(_CHECKS, _CHECKS_SECONDS))

    def hear(self, heard: Heard, now: datetime, at: float, *, known: frozenset[NodeId] = frozenset()) -> bool:
        """Take in one record at ``now`` and monotonic ``at``; whether what is shown changed.

        Raises:
            InvalidValueError, TamperedError: it was ignored, and why.
        """
        if heard.gone:
            return self._forget_instance(heard.instance)
        same = self._texts.get(heard.txt)
        if same is not None:
            return self._again(self._found[same], heard.instance, now)
        if not self._checks.take(at):
            raise InvalidValueError("too many announcements at once: ignored")
        announcement = Announcement.from_txt(heard.txt)
        if announcement.id == self.own:
            return False
        self._check(announcement, now)
        if self.full and announcement.id not in self._found:
            self._make_room(announcement.id in known, known)
        return self._keep(announcement, heard, now)

    def _again(self, present: Found, instance: str, now: datetime) -> bool:
        self._check(present.announcement, now)
        self._found[present.id] = Found(
            announcement=present.announcement, instance=instance, since=present.since, heard=now
        )
        return False

    def _check(self, announcement: Announcement, now: datetime) -> None:
        announcement.check_reachable(on_loopback=self.on_loopback)
        age = now.timestamp() - announcement.made
        if not -_AHEAD_SECONDS <= age <= OLDEST_SECONDS:
            raise InvalidValueError(
                f"an announcement of {announcement.name} was made {age:.0f} s ago: a recording, or a wrong clock"
            )

    def _make_room(self, wanted: bool, known: frozenset[NodeId]) -> None:
        stranger = next((one for one in self._found if one not in known), None) if wanted else None
        if stranger is None:
            raise InvalidValueError(f"more than {limits.NEARBY_NODES} nodes on the local network: ignored")
        self._drop(stranger)

    def _keep(self, announcement: Announcement, heard: Heard, now: datetime) -> bool:
        present = self._found.get(announcement.id)
        if present is not None and announcement.made < present.announcement.made:
            return False
        since = present.since if present is not None else now
        if present is not None:
            self._drop(present.id)
        self._found[announcement.id] = Found(announcement=announcement, instance=heard.instance, since=since, heard=now)
        self._texts[heard.txt] = announcement.id
        return present is None or _shown(present.announcement) != _shown(announcement)

    def _forget_instance(self, instance: str) -> bool:
        gone = [one.id for one in self._found.values() if one.instance == instance]
        for node in gone:
            self._drop(node)
        return bool(gone)

    def _drop(self, node: NodeId) -> None:
        del self._found[node]
        self._texts = {text: owner for text, owner in self._texts.items() if owner != node}

    def prune(self, now: datetime) -> bool:
        """Forget whoever was not heard for long; whether there was one."""
        last = now - timedelta(seconds=FORGET_SECONDS)
        silent = [one.id for one in self._found.values() if one.heard < last]
        for node in silent:
            self._drop(node)
        return bool(silent)

    @property
    def full(self) -> bool:
        """Whether a node that is not linked finds no room."""
        return len(self._found) >= limits.NEARBY_NODES

    def nodes(self) -> list[Found]:
        """All, by name and then by id."""
        return sorted(self._found.values(), key=lambda one: (one.announcement.name, one.id))

    def get(self, node: NodeId) -> Found | None:
        """One node."""
        return self._found.get(node)


def _shown(announcement: Announcement) -> tuple[object, ...]:
    return announcement.name, announcement.urls
