"""The settings of one node: read once from ``<data>/config.toml``, all mistakes reported together."""

import ipaddress
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import tomlkit

from federation.errors import AbsentError, ExistsError, InvalidValueError
from federation.files import write_atomic
from federation.keys import PrivateKey
from federation.limits import GIB
from federation.names import NodeName

_CONFIG = "config.toml"
_KEYS = {"name", "host", "port", "url", "storage", "pack_budget_bytes", "services_side_by_side"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A node's settings. ``url``: where others reach it; ``storage``: ``sqlite`` or a ``mongodb://`` URI."""

    name: NodeName
    data: Path
    host: str
    port: int
    url: str
    storage: str = "sqlite"
    pack_budget_bytes: int = 4 * GIB
    services_side_by_side: int = 2

    @property
    def key_file(self) -> Path:
        """The node key, PKCS #8, mode 0600."""
        return self.data / "keys" / "node.pem"

    @property
    def access_file(self) -> Path:
        """Where a running node leaves its address and a token for the operator's command line, mode 0600."""
        return self.data / "run" / "access.json"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    return found


def _settings(data: Path, document: dict[str, object]) -> Settings:
    mistakes = _mistakes(document)
    if mistakes:
        raise InvalidValueError(f"{data / _CONFIG}: " + "; ".join(mistakes))
    values = {**document, "name": NodeName(str(document["name"])), "data": data}
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
    data: Path, *, name: NodeName, host: str, port: int, url: str | None, storage: str = "sqlite"
) -> Settings:
    """Make a node in ``data``: its settings and its key.

    Raises:
        ExistsError: there is one already; its key is never overwritten.
        InvalidValueError: a value is wrong.
    """
    data = data.absolute()
    if (data / _CONFIG).exists() or (data / "keys" / "node.pem").exists():
        raise ExistsError(f"there is a node in {data} already")
    reached = f"[{host}]" if ":" in host else host
    document: dict[str, object] = {
        "name": str(name),
        "host": host,
        "port": port,
        "url": url or f"http://{reached}:{port}",
    }
    if storage != "sqlite":
        document["storage"] = storage
    settings = _settings(data, document)
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    PrivateKey.generate().save(settings.key_file)
    write_atomic(data / _CONFIG, tomlkit.dumps(document).encode(), mode=0o600)
    return settings
