"""The settings of one node: read once from ``<data>/config.toml``, all mistakes reported together."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import tomlkit

from federation.errors import AbsentError, ExistsError, InvalidValueError
from federation.files import write_atomic
from federation.keys import PrivateKey
from federation.limits import GIB
from federation.link.address import is_loopback
from federation.names import NodeName
from node.buildconfig import BuildSettings, read_build_settings

_CONFIG = "config.toml"
_CERTIFICATE_KEYS = ("tls_certificate", "tls_key", "tls_proxy_certificate")
_KEYS = {
    "name",
    "host",
    "port",
    "url",
    "tls",
    "discovery",
    *_CERTIFICATE_KEYS,
    "storage",
    "pack_budget_bytes",
    "services_side_by_side",
    "settings_watch_seconds",
    "build",
}
_TLS = ("auto", "on", "off")
_DISCOVERY = ("on", "off")
_WATCH_SECONDS = range(5, 86_401)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A node's settings. ``url``: where others reach it; ``storage``: ``sqlite`` or a ``mongodb://`` URI.

    ``tls``: ``auto`` is on unless only programs of this machine can reach the node. ``tls_certificate``, ``tls_key``:
    the operator's own, instead of a self-made one; ``tls_proxy_certificate``: that of a proxy which does TLS before it.
    ``settings_watch_seconds``: how long after a look at a settings repository the next one is; 0: none is looked at.
    ``build``: how builds are closed in and bounded.
    ``discovery``: ``on`` or ``off``; when nothing is said, on unless only programs of this machine reach the node.
    """

    name: NodeName
    data: Path
    host: str
    port: int
    url: str
    tls: str = "auto"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_proxy_certificate: Path | None = None
    discovery: str | None = None
    storage: str = "sqlite"
    pack_budget_bytes: int = 4 * GIB
    services_side_by_side: int = 2
    settings_watch_seconds: int = 300
    build: BuildSettings = field(default_factory=BuildSettings)

    @property
    def key_file(self) -> Path:
        """The node key, PKCS #8, mode 0600."""
        return self.data / "keys" / "node.pem"

    @property
    def serves_tls(self) -> bool:
        """Whether the node itself serves TLS."""
        return _serves_tls(self.tls, self.host, own_certificate=self.tls_certificate is not None)

    @property
    def only_here(self) -> bool:
        """Whether only programs of this machine reach the node."""
        return is_loopback(self.host)

    @property
    def discovers(self) -> bool:
        """Whether the node announces itself on the local network, and listens for others."""
        return self.discovery == "on" or (self.discovery is None and not self.only_here)

    @property
    def access_file(self) -> Path:
        """Where a running node leaves its address and a token for the operator's command line, mode 0600."""
        return self.data / "run" / "access.json"


def _serves_tls(tls: str, host: str, *, own_certificate: bool) -> bool:
    return tls == "on" or (tls == "auto" and (own_certificate or not is_loopback(host)))


def _tls_mistakes(document: dict[str, object]) -> list[str]:
    tls, url = document.get("tls", "auto"), str(document.get("url", ""))
    found = [
        f"{key} is not the path of a file"
        for key in _CERTIFICATE_KEYS
        if key in document and not (isinstance(document[key], str) and document[key])
    ]
    if tls not in _TLS:
        return [*found, f"tls {tls!r} is none of {', '.join(_TLS)}"]
    own = "tls_certificate" in document
    if own != ("tls_key" in document):
        found.append("tls_certificate and tls_key go together: give both, or neither for a self-made certificate")
    if tls == "off" and own:
        found.append('tls = "off", but there is a tls_certificate: take one of the two out')
    if url.startswith("http:") and _serves_tls(str(tls), str(document.get("host", "")), own_certificate=own):
        found.append(f'the node serves TLS, but its url is {url}: write https://, or tls = "off" to do without')
    if url.startswith("http:") and "tls_proxy_certificate" in document:
        found.append(f"tls_proxy_certificate is for a proxy that others reach by https://, but url is {url}")
    return found


def _mistakes(document: dict[str, object]) -> list[str]:
    found = [f"unknown key {key!r}" for key in sorted(document.keys() - _KEYS)]
    try:
        NodeName(str(document.get("name", "")))
    except InvalidValueError as error:
        found.append(str(error))
    port = document.get("port")
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        found.append(f"port {port!r} is not a number from 1 to 65535")
    if not isinstance(document.get("host"), str) or not document["host"]:
        found.append("host is missing: the address to listen at, e.g. 127.0.0.1")
    url = urlsplit(str(document.get("url", "")))
    if url.scheme not in ("http", "https") or not url.hostname:
        found.append(
            f"url {document.get('url')!r} is not an http:// or https:// address that others reach this node by"
        )
    storage = document.get("storage", "sqlite")
    if storage != "sqlite" and not str(storage).startswith("mongodb"):
        found.append(f"storage {str(storage)[:20]!r} is neither 'sqlite' nor a mongodb:// address")
    for key in ("pack_budget_bytes", "services_side_by_side"):
        value = document.get(key, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            found.append(f"{key} {value!r} is not a positive number")
    watch = document.get("settings_watch_seconds", 0)
    if not isinstance(watch, int) or isinstance(watch, bool) or not (watch == 0 or watch in _WATCH_SECONDS):
        least, most = _WATCH_SECONDS[0], _WATCH_SECONDS[-1]
        found.append(f"settings_watch_seconds {watch!r} is neither 0 nor a number from {least} to {most}")
    discovery = document.get("discovery", "off")
    if discovery not in _DISCOVERY:
        found.append(f"discovery {discovery!r} is neither 'on' nor 'off'")
    return found + _tls_mistakes(document) + read_build_settings(document.get("build", {}))[1]


def _settings(data: Path, document: dict[str, object]) -> Settings:
    mistakes = _mistakes(document)
    if mistakes:
        raise InvalidValueError(f"{data / _CONFIG}: " + "; ".join(mistakes))
    paths = {key: data / str(document[key]) for key in _CERTIFICATE_KEYS if key in document}
    build, _ = read_build_settings(document.get("build", {}))
    values = {**document, **paths, "name": NodeName(str(document["name"])), "data": data, "build": build}
    return Settings(**values)  # type: ignore[arg-type]  # each value's type was checked above


def load_settings(data: Path) -> Settings:
    """The settings kept in ``data``.

    Raises:
        AbsentError: no node was made there.
        InvalidValueError: all mistakes of the file, joined.
    """
    data = data.absolute()
    try:
        text = (data / _CONFIG).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise AbsentError(f"there is no node in {data}: make one with 'vupdate init --name NAME'") from error
    try:
        return _settings(data, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidValueError(f"{data / _CONFIG}: {error}") from error


def create_node(
    data: Path, *, name: NodeName, host: str, port: int, url: str | None, storage: str = "sqlite", tls: str = "auto"
) -> Settings:
    """Make a node in ``data``: its settings and its key. Without ``url``, it is reached where it listens.

    Raises:
        ExistsError: there is one already; its key is never overwritten.
        InvalidValueError: a value is wrong.
    """
    data = data.absolute()
    if (data / _CONFIG).exists() or (data / "keys" / "node.pem").exists():
        raise ExistsError(f"there is a node in {data} already")
    reached = f"[{host}]" if ":" in host else host
    scheme = "https" if _serves_tls(tls, host, own_certificate=False) else "http"
    document: dict[str, object] = {
        "name": str(name),
        "host": host,
        "port": port,
        "url": url or f"{scheme}://{reached}:{port}",
    }
    if tls != "auto":
        document["tls"] = tls
    if storage != "sqlite":
        document["storage"] = storage
    settings = _settings(data, document)
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    PrivateKey.generate().save(settings.key_file)
    write_atomic(data / _CONFIG, tomlkit.dumps(document).encode(), mode=0o600)
    return settings
