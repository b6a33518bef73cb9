"""What ``ui_fake_node`` answers on builds, batches, builders and private files, and what may be changed of them."""

import base64
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from tests.support import ui_builds_sample, ui_sample
from tests.support.ui_fake_secrets import UiFakeSecrets
from tests.support.ui_values import Document, ago

Tell = Callable[..., None]
_RANKS = ("VIEWER", "DEVELOPER", "ADMINISTRATOR")


class UiFakeBuilds:
    """``orders``: the arguments of each build and rebuild. ``contents``: what was put as private files, by name.

    ``refused``: why no client version is begun, by service.
    """

    def __init__(self, data: Callable[[], Document], tell: Tell) -> None:
        self._data = data
        self._tell = tell
        self.orders: list[Document] = []
        self.contents: dict[str, bytes] = {}
        self.refused: dict[str, str] = {}
        self.secrets = UiFakeSecrets(data, tell)

    def root(self) -> Document:
        """The queries and mutations by name."""
        return {
            "versions": self._versions,
            "provenance": lambda _info, version, **_of: self._data()["provenance"] if "2.4.11" in version else [],
            "privateFiles": self._private_files,
            "compareVersions": lambda _info, **_which: self._data()["compareVersions"],
            "faultFiles": self._for("ADMINISTRATOR", lambda **_id: self._data()["faultFiles"]),
            "addService": self._for("DEVELOPER", self._add),
            "clientBuild": self._for("DEVELOPER", self._adapt),
            "clientBuildAll": self._for("DEVELOPER", self._adapt_all),
            "build": self._for("DEVELOPER", self._build),
            "rebuild": self._for("DEVELOPER", self._rebuild),
            "requireBuilders": self._for("ADMINISTRATOR", self._require),
            "freeBuilders": self._for("ADMINISTRATOR", self._free),
            "watchSettings": self._for("DEVELOPER", self._watch),
            "putPrivateFile": self._for("ADMINISTRATOR", self._put),
            "removePrivateFile": self._for("ADMINISTRATOR", self._remove),
            **self.secrets.root(self._for),
        }

    def _for(self, role: str, answer: Callable[..., Any]) -> Callable[..., Any]:
        def checked(_info: Any, **arguments: Any) -> Any:
            if _RANKS.index(self._data()["me"]["role"]) < _RANKS.index(role):
                raise GraphQLError(f"this needs the role {role.lower()}", extensions={"code": "denied"})
            return answer(**arguments)

        return checked

    def _versions(self, _info: Any, kind: str, service: str, first: int) -> list[Document]:
        found = [one for one in self._data()["versions"] if (one["kind"], one["service"]) == (kind, service)]
        return found[:first]

    def _private_files(self, _info: Any, service: str) -> list[Document]:
        return [one for one in self._data()["privateFiles"] if one["service"] == service]

    def _begin(self, kind: str, title: str, **order: Any) -> Document:
        self.orders.append(order)
        begun = ui_sample.task(f"b-{len(self.orders)}", kind, title, subject=f"{order['service']}/{order['version']}",
                               service=None, state="RUNNING", ended=None)  # fmt: skip
        self._data()["tasks"].insert(0, begun)
        self._tell("TASKS")
        return begun

    def _build(self, **order: Any) -> Document:
        return self._begin("BUILD", f"Build {order['service']}", **order)

    def _rebuild(self, **order: Any) -> Document:
        return self._begin("REBUILD", f"Rebuild {order['service']} {order['version']}", **order)

    def _add(self, name: str, sources: list[Document], tag: bool) -> Document:
        (found,) = [one for one in self._data()["services"] if one["name"] == name]
        found.update(sources=sources, tagged=tag)
        self._tell("SERVICES")
        return dict(found)

    def _adapt(self, service: str) -> Document:
        if service in self.refused:
            raise GraphQLError(self.refused[service], extensions={"code": "conflict"})
        (found,) = [one for one in self._data()["services"] if one["name"] == service]
        version, now = found["developerDesired"], ago(0)
        begun = ui_sample.task(f"c-{service}", "CLIENT_BUILD", f"Make the client version {version} of {service}",
                               subject=version, who="administrator", service=service, state="RUNNING", created=now,
                               started=now, ended=None)  # fmt: skip
        self._data()["tasks"].insert(0, begun)
        self._tell("TASKS")
        return begun

    def _adapt_all(self) -> list[Document]:
        return [self._adapt(one["name"]) for one in self._data()["services"] if one["running"]]

    def _require(self, **policy: Any) -> Document:
        self._free(policy["service"])
        self._data()["builderPolicies"].append(policy)
        return policy

    def _free(self, service: str) -> bool:
        data = self._data()
        data["builderPolicies"] = [one for one in data["builderPolicies"] if one["service"] != service]
        self._tell("SERVICES")
        return True

    def _watch(self, service: str, watch: str) -> Document:
        (found,) = [one for one in self._data()["services"] if one["name"] == service]
        found["site"] = {**found["site"], "watch": watch}
        found["watched"] = watch == "ON"
        found["looks"] = found["looks"] if found["watched"] else []
        self._tell("SERVICES")
        return dict(found["site"])

    def _put(self, service: str, name: str, content: str, into: str | None = None) -> Document:
        present = [one for one in self._data()["privateFiles"] if (one["service"], one["name"]) == (service, name)]
        self.contents[name] = base64.b64decode(content, validate=True)
        place = into if into is not None or not present else present[0]["into"]
        kept = ui_builds_sample.private_file(name, service=service, into=place, size=len(self.contents[name]))
        self._remove(service, name)
        self._data()["privateFiles"].append(kept)
        return kept

    def _remove(self, service: str, name: str) -> bool:
        data = self._data()
        data["privateFiles"] = [one for one in data["privateFiles"] if (one["service"], one["name"]) != (service, name)]
        self._tell("SERVICES")
        return True
