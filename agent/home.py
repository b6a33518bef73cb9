"""Where an agent keeps what: the folders of its home and of each service in it, and whom it is attached to."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import tomlkit

from agent.errors import NotEnrolledError
from federation import limits
from federation.errors import CorruptError, InvalidValueError
from federation.files import write_atomic
from federation.keys import PublicKey
from federation.names import InstanceName, NodeName, ServiceKey
from federation.state import PROBLEM_CHARS
from federation.versions import ClientVersion

_JOURNAL_SUFFIX = ".record"


def _fixed(listed: object) -> tuple[ServiceKey, ...] | None:
    """What ``services`` of an agent's file allows.

    Raises:
        InvalidValueError: it is no list of services.
    """
    if listed is None:
        return None
    if not isinstance(listed, list) or len(listed) > limits.FIXED_SERVICES:
        raise InvalidValueError('services is a list of up to 200 names like ["shop", "shop:worker"]')
    return tuple(sorted({ServiceKey(str(one)) for one in listed}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The node that this agent serves, and the name it has there.

    ``fixed``: the services that its host's operator allows it, whatever the node says; ``None``: all.
    """

    url: str
    node: NodeName
    node_key: PublicKey
    instance: InstanceName
    fixed: tuple[ServiceKey, ...] | None = None

    def allows(self, key: ServiceKey) -> bool:
        """Whether ``key`` may run here."""
        return self.fixed is None or key in self.fixed


@dataclass(frozen=True, slots=True)
class Unit:
    """The folder of one service."""

    key: ServiceKey
    root: Path

    @property
    def versions(self) -> Path:
        return self.root / "versions"

    def version(self, version: ClientVersion) -> Path:
        """The tree of ``version``."""
        return self.versions / version

    @property
    def staging(self) -> Path:
        """Where a tree is made before it takes its name: no version begins with a dot."""
        return self.versions / ".staging"

    def index(self, version: ClientVersion) -> Path:
        """The image index of an installed version, the base of a delta."""
        return self.root / "indexes" / version

    @property
    def packs(self) -> Path:
        return self.root / "incoming"

    @property
    def current(self) -> Path:
        """The link to the version that should run."""
        return self.root / "current"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def history(self) -> Path:
        return self.root / "history"

    @property
    def faults(self) -> Path:
        return self.root / "faults"

    @property
    def run_record(self) -> Path:
        """Written by the shim: which processes run, and how they ended."""
        return self.root / "run.record"

    @property
    def wish(self) -> Path:
        """What an operator wants of it; absent: nothing out of the ordinary."""
        return self.root / "wish.json"

    @property
    def condemned(self) -> Path:
        """Which run the agent stopped as a fault, and why."""
        return self.root / "condemned.json"

    @property
    def lock(self) -> Path:
        """Held by the shim for as long as it lives."""
        return self.root / "run.lock"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one agent."""

    root: Path

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The home in ``folder``, by its one real path: marks and links are compared as text."""
        return cls(folder.resolve())

    @property
    def config(self) -> Path:
        return self.root / "agent.toml"

    @property
    def key(self) -> Path:
        return self.root / "keys" / "agent.pem"

    @property
    def lock(self) -> Path:
        return self.root / "agent.lock"

    @property
    def assignment(self) -> Path:
        """The last assignment that was verified, as received."""
        return self.root / "assignment.json"

    @property
    def _problem(self) -> Path:
        return self.root / "problem"

    @property
    def problem(self) -> str:
        """Why the node's last word was refused; nothing where it was not."""
        try:
            return self._problem.read_text("utf-8", errors="replace")[:PROBLEM_CHARS]
        except FileNotFoundError:
            return ""

    def keep_problem(self, problem: str) -> None:
        """Keep it for whoever looks at this host."""
        if problem:
            write_atomic(self._problem, problem.encode())
        else:
            self._problem.unlink(missing_ok=True)

    @property
    def spool(self) -> Path:
        return self.root / "spool"

    def journal(self, key: ServiceKey) -> Path:
        return self.root / "journal" / f"{key}{_JOURNAL_SUFFIX}"

    def unit(self, key: ServiceKey) -> Unit:
        return Unit(key, self.root / "services" / key)

    def journaled(self) -> list[ServiceKey]:
        """The services that this agent looks after, by their journals."""
        names = (path.name.removesuffix(_JOURNAL_SUFFIX) for path in self.journal(ServiceKey("x")).parent.glob("[!.]*"))
        return sorted(ServiceKey(name) for name in names)

    def attached(self) -> Attached:
        """Whom this agent serves.

        Raises:
            NotEnrolledError: nobody yet.
            CorruptError: the file can't be read.
        """
        try:
            table = tomllib.loads(self.config.read_text("utf-8"))
            return Attached(
                url=str(table["url"]),
                node=NodeName(table["node"]),
                node_key=PublicKey(table["node_key"]),
                instance=InstanceName(table["instance"]),
                fixed=_fixed(table.get("services")),
            )
        except FileNotFoundError as error:
            raise NotEnrolledError(
                f"{self.root} holds no agent: get an enrolment on the node and run `vupdate agent enroll`"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, InvalidValueError) as error:
            raise CorruptError(f"{self.config} is damaged ({error}): restore it, or enrol this agent anew") from error

    def attach(self, attached: Attached) -> None:
        """Keep whom this agent serves."""
        table: dict[str, str | list[str]] = {
            "url": attached.url,
            "node": str(attached.node),
            "node_key": str(attached.node_key),
            "instance": str(attached.instance),
        }
        if attached.fixed is not None:
            table["services"] = [str(key) for key in attached.fixed]
        write_atomic(self.config, tomlkit.dumps(table).encode())
