"""What a person may change at the node of ``ui_fake_node``: its mutations, as far as the page uses them."""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from tests.support import ui_links_sample, ui_sample
from tests.support.ui_values import Document, ago

Tell = Callable[..., None]


class UiFakeChanges:
    """Changes ``data`` as a real node would, and tells of it. ``confirmed``: the arguments of each confirmation."""

    def __init__(self, data: Callable[[], Document], tell: Tell) -> None:
        self._data = data
        self._tell = tell
        self.confirmed: list[Document] = []

    def root(self) -> Document:
        """The mutations by name. All of them are an administrator's."""
        changes: dict[str, Callable[..., Any]] = {
            "dismissAlarm": self._dismiss,
            "checkProvider": self._check,
            "updateProvider": self._update,
            "setConsumerRights": self._set_rights,
            "setProviderBuilds": self._set_builds,
            "startPairing": self._start,
            "confirmPairing": self._confirm,
            "rejectPairing": self._reject,
        }
        return {name: self._guarded(change) for name, change in changes.items()}

    def change_pairing(self, key: str, **changes: Any) -> Document:
        """Something happened to a pairing, e.g. at its other end."""
        found = _one(self._data()["pairings"], "id", key)
        found.update(changes)
        if found["confirmedHere"] and found["confirmedThere"] and found["stage"] == "COMPARING":
            found["stage"] = "LINKED"
        self._tell("NEARBY")
        return found

    def _guarded(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def checked(_info: Any, **arguments: Any) -> Any:
            if self._data()["me"]["role"] != "ADMINISTRATOR":
                raise GraphQLError("this needs the role administrator", extensions={"code": "denied"})
            return change(**arguments)

        return checked

    def _dismiss(self, id: str) -> Document:  # noqa: A002  # its name
        data = self._data()
        found = _one(data["alarms"], "id", id)
        data["alarms"] = [one for one in data["alarms"] if one is not found]
        self._tell("ALARMS")
        return found

    def _set_builds(self, provider: str, builds: bool) -> Document:
        found = _one(self._data()["providers"], "name", provider)
        found["builds"] = builds
        self._tell("LINKS")
        return found

    def _check(self, name: str) -> Document:
        found = _one(self._data()["providers"], "name", name)
        found.update(checked=ago(0))
        self._tell("LINKS")
        return found

    def _update(self, name: str) -> Document:
        title = f"Take what {name} offers"
        begun = ui_sample.task("t-9", "PROVIDER_UPDATE", title, subject=name, service=None, state="RUNNING", ended=None)
        self._data()["tasks"].insert(0, begun)
        self._tell("TASKS")
        return begun

    def _set_rights(self, name: str, rights: list[str]) -> Document:
        found = _one(self._data()["consumers"], "name", name)
        found["rights"] = sorted(rights)
        self._tell("LINKS")
        return found

    def _start(self, target: str, wish: str, profile: str | None = None) -> Document:
        data = self._data()
        near = [one for one in data["nearby"]["nodes"] if one["id"] == target]
        if not near:
            raise GraphQLError(f"{target} does not answer: is the node running?", extensions={"code": "unreachable"})
        begun = ui_links_sample.pairing(near[0]["name"], provides=wish == "GIVE", profile=profile)
        data["pairings"].insert(0, begun)
        self._tell("NEARBY")
        return begun

    def _confirm(self, id: str, **arguments: Any) -> Document:  # noqa: A002  # its name
        self.confirmed.append(arguments)
        profile = arguments["profile"]
        return self.change_pairing(id, confirmedHere=True, **({"profile": profile} if profile else {}))

    def _reject(self, id: str) -> Document:  # noqa: A002  # its name
        return self.change_pairing(id, stage="REJECTED", reason="rejected on globex")


def _one(documents: list[Document], name: str, value: str) -> Document:
    for one in documents:
        if one[name] == value:
            return one
    raise GraphQLError(f"there is no {value}", extensions={"code": "absent"})
