"""What ``ui_fake_node`` answers on credentials and on builders that are handed secrets, and what may be changed."""

import base64
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from tests.support import ui_builds_sample
from tests.support.ui_values import Document

Tell = Callable[..., None]
Guard = Callable[[str, Callable[..., Any]], Callable[..., Any]]


class UiFakeSecrets:
    """``given``: the secret, and the keys of the host, of each credential that was put, by its prefix."""

    def __init__(self, data: Callable[[], Document], tell: Tell) -> None:
        self._data = data
        self._tell = tell
        self.given: dict[str, tuple[bytes, bytes]] = {}

    def root(self, guard: Guard) -> Document:
        """The queries and mutations by name. ``guard``: lets a role and those above it through."""
        return {
            "credentials": guard("ADMINISTRATOR", lambda: self._data()["credentials"]),
            "putCredential": guard("ADMINISTRATOR", self._put),
            "removeCredential": guard("ADMINISTRATOR", self._remove),
            "entrust": guard("ADMINISTRATOR", self._entrust),
            "withdrawTrust": guard("ADMINISTRATOR", self._withdraw),
        }

    def _put(self, prefix: str, secret: str, user: str, knownHosts: str) -> Document:  # noqa: N803  # its name
        found = base64.b64decode(secret, validate=True), base64.b64decode(knownHosts, validate=True)
        if prefix.startswith("ssh:") and b"PRIVATE KEY" not in found[0]:
            raise GraphQLError("that is not a private key as ssh-keygen writes it", extensions={"code": "invalid"})
        self.given[prefix] = found
        kind = "KEY" if prefix.startswith("ssh:") else "PASSWORD"
        kept = ui_builds_sample.credential(prefix, kind=kind, user=user, knownHosts=knownHosts != "")
        self._forget("credentials", "prefix", prefix)
        self._data()["credentials"].append(kept)
        self._tell("SERVICES")
        return kept

    def _remove(self, prefix: str) -> bool:
        self._forget("credentials", "prefix", prefix)
        self._tell("SERVICES")
        return True

    def _entrust(self, service: str, peers: list[str]) -> Document:
        known = {one["name"]: one["id"] for one in self._data()["providers"]}
        handed = {"service": service, "builders": [{"id": known[name], "name": name} for name in peers]}
        self._forget("entrusted", "service", service)
        self._data()["entrusted"].append(handed)
        self._tell("SERVICES")
        return handed

    def _withdraw(self, service: str) -> bool:
        self._forget("entrusted", "service", service)
        self._tell("SERVICES")
        return True

    def _forget(self, name: str, key: str, value: str) -> None:
        data = self._data()
        data[name] = [one for one in data[name] if one[key] != value]
