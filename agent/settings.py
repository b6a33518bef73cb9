"""What a version's tree says of how to run it, with the macros filled in, and the environment it runs in."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.errors import UnfitError
from agent.home import Unit
from agent.runs import UNIT_MARK
from federation import limits
from federation.errors import AbsentError, InvalidValueError
from federation.macros import expand
from federation.names import InstanceName, NodeName
from federation.service import FILE_NAME, Command, Health, Service
from federation.servicefile import read_service
from federation.versions import ClientVersion

_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ", "USER", "TMPDIR")
_DEFAULTS: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a service runs: the values of the macros that an agent knows."""

    node: NodeName
    instance: InstanceName


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A version as it is run: its settings, its environment without the recipe's ``run.env``, and with it."""

    service: Service
    base_env: Mapping[str, str]

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of the service itself and of its health command."""
        return {**self.base_env, **self.service.run.env, **_own(self.base_env)}


def _own(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith("VUPDATE_")}


def _macros(unit: Unit, version: ClientVersion, place: Place) -> dict[str, str]:
    return {
        "version": str(version),
        "service": str(unit.key.service),
        "role": str(unit.key.role or ""),
        "node": str(place.node),
        "instance": str(place.instance),
    }


def environment(unit: Unit, version: ClientVersion, place: Place) -> dict[str, str]:
    """What everything that runs for ``unit`` finds: little, and nothing of the agent's own secrets."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **_DEFAULTS,
        **passed,
        "PYTHONUNBUFFERED": "1",
        "VUPDATE_SERVICE": str(unit.key),
        "VUPDATE_VERSION": str(version),
        "VUPDATE_INSTANCE": str(place.instance),
        UNIT_MARK: str(unit.root),
    }


def _filled_command(command: Command, values: Mapping[str, str]) -> Command:
    return replace(
        command,
        run=tuple(expand(word, values) for word in command.run),
        env={name: expand(value, values) for name, value in command.env.items()},
    )


def _filled_health(health: Health, values: Mapping[str, str]) -> Health:
    return replace(
        health,
        http=None if health.http is None else expand(health.http, values),
        tcp=None if health.tcp is None else expand(health.tcp, values),
        command=None if health.command is None else tuple(expand(word, values) for word in health.command),
    )


def fill(service: Service, values: Mapping[str, str]) -> Service:
    """``service`` with each macro replaced.

    Raises:
        UnknownMacroError: one has no value here.
    """
    run = replace(
        service.run,
        command=tuple(expand(word, values) for word in service.run.command),
        env={name: expand(value, values) for name, value in service.run.env.items()},
        health=_filled_health(service.run.health, values),
    )
    install = replace(
        service.install,
        before_stop=tuple(_filled_command(command, values) for command in service.install.before_stop),
        after_switch=tuple(_filled_command(command, values) for command in service.install.after_switch),
    )
    return replace(service, run=run, install=install)


def _content(tree: Path) -> bytes:
    """The service file of ``tree``, never through a link and never more than its bound."""
    path = tree / FILE_NAME
    if path.is_symlink() or not path.is_file():
        raise UnfitError(f"the image has no {FILE_NAME} in its root, so nobody knows how to run it: build it anew")
    with path.open("rb") as stream:
        content = stream.read(limits.SERVICE_FILE_BYTES + 1)
    if len(content) > limits.SERVICE_FILE_BYTES:
        raise UnfitError(f"{FILE_NAME} in the image is over {limits.SERVICE_FILE_BYTES} bytes")
    return content


def load(tree: Path, unit: Unit, version: ClientVersion, place: Place) -> Runnable:
    """How to run the version unpacked in ``tree``. Blocking.

    Raises:
        UnfitError, InvalidValueError: it doesn't say, or not rightly.
    """
    try:
        service = read_service(_content(tree), unit.key.service)
    except AbsentError as error:
        raise InvalidValueError(str(error)) from error
    filled = fill(service, _macros(unit, version, place))
    return Runnable(service=filled, base_env=environment(unit, version, place))
