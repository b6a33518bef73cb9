"""The service file: ``vupdate.toml`` in the root of an image, and the same keys in a recipe (domain.md §3).

Decides which keys the sections ``install`` and ``run`` have, how each is written, and its bounds. The section ``build``
of a recipe is the build's business: it is no part of an image.
"""

import itertools
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from federation import limits
from federation.errors import InvalidValueError
from federation.macros import macro_names
from federation.names import ServiceKey, ServiceName
from federation.service import Command, Faults, Health, Install, Logs, Restart, Run, RunLimits, Service, Stop
from federation.toml import (
    Key,
    Kind,
    ListOf,
    MapOf,
    Mistake,
    Place,
    Scalar,
    Shape,
    TomlMistakesError,
    read_document,
    read_values,
    write_document,
)
from federation.toml.kinds import (
    ENVIRONMENT,
    FLAG,
    PATH,
    PATHS,
    PATTERN_LIST,
    PROGRAM,
    REGEX,
    SIZE,
    SPAN,
    WORD_CHARS,
    one_of,
    time,
    whole,
    word,
)
from federation.toml.mistakes import nearest
from federation.toml.schema import TIME_PATTERN, Schema, matching
from federation.units import read_seconds, write_seconds

COMMANDS: Final = 100
SERVICES: Final = 100
SIGNALS: Final = ("ABRT", "HUP", "INT", "KILL", "QUIT", "TERM", "USR1", "USR2", "WINCH")
LOG_FORMATS: Final = ("auto", "json", "logfmt", "syslog", "classic", "plain")

HEALTH_WAYS: Final = ("http", "tcp", "command", "log")

_CPU = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)%(?:/(.+))?", re.ASCII)
_HTTP = re.compile(r"[hH][tT][tT][pP][sS]?://\S+")
_TCP = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", re.ASCII)
_MACRO: Final = r"%%[^%\s]+%%"
_TCP_WITH_MACROS: Final = rf"(?:\[(?:[0-9a-fA-F:.]|{_MACRO})+\]|(?:[A-Za-z0-9.-]|{_MACRO})+):(?:[0-9]|{_MACRO}){{1,5}}"
_NAME: Final = ServiceName.pattern.pattern
_SERVICE_KEY_PATTERN: Final = rf"{_NAME}(?::{_NAME})?"


class ServiceFileError(TomlMistakesError):
    """A service file has mistakes."""

    code: ClassVar[str] = "service-file"


def _signal(text: str) -> str:
    name = text.removeprefix("SIG")
    if name not in SIGNALS:
        raise InvalidValueError(f"unknown signal {text[:40]!r}" + nearest(name, SIGNALS))
    return name


def _cpu(text: str) -> tuple[float, float]:
    match = _CPU.fullmatch(text)
    if match is None or not float(match[1]):
        raise InvalidValueError(f'{text[:40]!r} is not a share of CPU: write "150%/30s", one core is 100%')
    window = read_seconds(match[2]) if match[2] else RunLimits().cpu_window_seconds
    if not 1 <= window <= 3600:
        raise InvalidValueError("the time that CPU is measured over must be 1s to 1h")
    return float(match[1]), window


def _write_cpu(value: tuple[float, float]) -> str:
    percent, window = value
    return f"{percent:.3f}".rstrip("0").rstrip(".") + f"%/{write_seconds(window)}"


def _filled(text: str) -> str:
    """``text`` with something harmless for each macro, for a look at the form of the whole."""
    for name in macro_names(text):
        text = text.replace(f"%%{name}%%", "1")
    return text


def _url(text: str) -> str:
    try:
        parts = urlsplit(_filled(word(text)))
        sound = _HTTP.fullmatch(text) is not None and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise InvalidValueError(f"{text[:200]!r} is not an address such as http://127.0.0.1:8080/health")
    return text


def _tcp(text: str) -> str:
    match = _TCP.fullmatch(_filled(text))
    if match is None or not 0 < int(match[2]) < 65536:
        raise InvalidValueError(f'{text[:200]!r} is not a host and port such as "127.0.0.1:5432"')
    return text


def _check_health(health: Health) -> str | None:
    ways = [name for name in HEALTH_WAYS if getattr(health, name) is not None]
    if len(ways) > 1:
        return f"has {' and '.join(ways)}: keep one way to see that the service works"
    if health.deadline_seconds < health.healthy_for_seconds:
        return "'deadline' is shorter than 'healthy_for', so the service could never pass"
    return None


class _HealthTable(Shape[Health]):
    """The table ``health``, whose schema knows too that one way is enough."""

    def schema(self) -> Schema:
        pairs = [{"required": list(pair)} for pair in itertools.combinations(HEALTH_WAYS, 2)]
        return super().schema() | {"not": {"anyOf": pairs}}


COMMAND: Final = Shape(
    Command,
    (
        Key("run", PROGRAM, about="The program and its arguments; no shell reads them."),
        Key("dir", PATH, about="The folder that it runs in, below the build's or the version's."),
        Key("env", ENVIRONMENT, about="Environment variables, beside those that vUpdate sets."),
        Key("timeout", time(0.01), ("timeout_seconds",), "How long it may take; then it is killed and has failed."),
        Key("exit", whole(0, 255), ("exit_status",), "The exit status that it must end with."),
        Key("output_match", REGEX, about="A regular expression that must be found in what it prints."),
    ),
)
COMMAND_LIST: Final = ListOf(COMMAND, "commands", COMMANDS)

_SIGNAL_FORM: Final = {"enum": [*SIGNALS, *(f"SIG{name}" for name in SIGNALS)]}
_STOP: Final = Shape(
    Stop,
    (
        Key(
            "signal",
            Scalar(str, "a signal's name in quotes", _signal, form=_SIGNAL_FORM),
            about="The signal that asks the service to end.",
        ),
        Key("grace", time(0.0), ("grace_seconds",), "How long it may take to end; then it is killed."),
    ),
)
_RESTART: Final = Shape(
    Restart,
    (
        Key(
            "policy",
            one_of("policy", "always", "on-failure", "never"),
            about="After which ends that nobody asked for it is started again.",
        ),
        Key(
            "backoff",
            SPAN,
            ("backoff_min_seconds", "backoff_max_seconds"),
            "The wait before the first new start, and the longest one: it doubles from end to end.",
        ),
        Key("reset_after", time(0.01), ("reset_after_seconds",), "After a run as long as this the waits begin anew."),
    ),
)
_CPU_KIND: Final = Scalar(
    str,
    'a share in quotes, such as "150%/30s"',
    _cpu,
    _write_cpu,
    matching(rf"[0-9]{{1,6}}(?:\.[0-9]{{1,3}})?%(?:/{TIME_PATTERN})?"),
)
_LIMITS: Final = Shape(
    RunLimits,
    (
        Key("memory", SIZE, ("memory_bytes",), "The memory that all its processes may use together."),
        Key(
            "cpu",
            _CPU_KIND,
            ("cpu_percent", "cpu_window_seconds"),
            'The processor time that all its processes may use together, measured over a time: "150%/30s" is one and '
            "a half cores over 30 seconds.",
        ),
        Key("core_dump", FLAG, about="Whether a crash leaves a core dump."),
    ),
)
_HEALTH: Final = _HealthTable(
    Health,
    (
        Key(
            "http",
            Scalar(str, "an address in quotes", _url, form=matching(_HTTP.pattern) | {"maxLength": WORD_CHARS}),
            about="An address that answers with a status of 200 to 399 while the service is well.",
        ),
        Key(
            "tcp",
            Scalar(str, "a host and port in quotes", _tcp, form=matching(_TCP_WITH_MACROS)),
            about="A host and port that takes connections while the service is well.",
        ),
        Key("command", PROGRAM, about="A command that ends with status 0 while the service is well."),
        Key("log", REGEX, about="A regular expression for the line that the service writes once it is ready."),
        Key("interval", time(0.05), ("interval_seconds",), "How long from one check to the next."),
        Key("timeout", time(0.05, 600), ("timeout_seconds",), "How long one check may take."),
        Key(
            "healthy_for",
            time(0.0),
            ("healthy_for_seconds",),
            "How long a new version must be well without a break, to stay.",
        ),
        Key(
            "deadline",
            time(0.1),
            ("deadline_seconds",),
            "How long a new version has for that; then the old one is put back.",
        ),
    ),
    _check_health,
)
_LOGS: Final = Shape(
    Logs,
    (
        Key("format", one_of("log format", *LOG_FORMATS), about="How its lines are written."),
        Key("upload", FLAG, about="Whether its lines go to the node."),
        Key("max_file", SIZE, ("max_file_bytes",), "The size of a log file, after which the next one is begun."),
        Key("files", whole(1, 10_000), about="How many log files of a run stay on the instance."),
    ),
)
_FAULTS: Final = Shape(
    Faults,
    (
        Key("files", PATTERN_LIST, about="Files that belong to a report when the service wrote them, e.g. core*."),
        Key("keep", whole(1, 10_000), about="How many reports stay on the instance."),
    ),
)
_SERVICE_KEY: Final = Scalar(str, "a service in quotes", ServiceKey, str, matching(_SERVICE_KEY_PATTERN))

RUN: Final = Shape(
    Run,
    (
        Key("command", PROGRAM, about="The program and its arguments, started in the version's folder."),
        Key("env", ENVIRONMENT, about="Environment variables, beside those that vUpdate sets."),
        Key("stop", _STOP, about="How the service is asked to end."),
        Key("restart", _RESTART, about="What follows an end that nobody asked for."),
        Key("limits", _LIMITS, about="What the service may use; over it, it is stopped as a fault."),
        Key("health", _HEALTH, about="How to see that the service works."),
        Key("logs", _LOGS, about="What becomes of its output."),
        Key("faults", _FAULTS, about="What becomes of reports of its faults."),
        Key("data", PATHS, about="Folders that outlive an update; the image holds nothing there."),
        Key(
            "after",
            ListOf(_SERVICE_KEY, "services", SERVICES),
            about="Services of the same instance that it is started and updated after.",
        ),
    ),
)
INSTALL: Final = Shape(
    Install,
    (
        Key("before_stop", COMMAND_LIST, about="Commands of the new version, while the old one still runs."),
        Key("after_switch", COMMAND_LIST, about="Commands of the new version, once it is current and not yet started."),
    ),
)

RUN_KEYS: Final = (
    Key("install", INSTALL, about="Commands around the switch to a new version."),
    Key("run", RUN, about="How the service is started, watched and stopped."),
)
"""What a recipe and a service file say in the same words."""


class _ServiceTable(Shape[Service]):
    """The table of one service, whose name is the key that it stands under."""

    def read(self, value: object, place: Place) -> Service:
        return Service(name=ServiceName(str(place.path[-1])), **self.read_fields(value, place))


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    services: dict[ServiceName, Any]


def file_of(service: Kind) -> Shape[_File]:
    """A document with the table ``services``, in which ``service`` reads each under its name."""
    names = matching(_NAME) | {"maxLength": ServiceName.most}
    about = "The services that the file describes, by their names."
    return Shape(_File, (Key("services", MapOf(ServiceName, service, SERVICES, names), about=about),))


_SERVICE: Final = _ServiceTable(Service, (Key("expand", PATHS), *RUN_KEYS))
_FILE: Final = file_of(_SERVICE)


def _named(file: _File, name: ServiceName) -> Service:
    service = file.services.get(name)
    if not isinstance(service, Service):
        others = ", ".join(file.services) or "none"
        raise ServiceFileError([Mistake(0, "", f"describes no service '{name}', only: {others}")])
    return service


def read_service(content: bytes, name: ServiceName) -> Service:
    """The service ``name`` that the service file ``content`` describes.

    Raises:
        ServiceFileError: what is wrong with it, by line and key.
    """
    file = read_document(content, _FILE, most_bytes=limits.SERVICE_FILE_BYTES, error=ServiceFileError)
    return _named(file, name)


def service_of_values(values: dict[str, Any], name: ServiceName) -> Service:
    """The service ``name`` from the values of a service file that were changed after it was parsed.

    Raises:
        ServiceFileError: what is wrong with them, by key.
    """
    return _named(read_values(values, _FILE, error=ServiceFileError), name)


def write_service(service: Service) -> bytes:
    """The service file that ``read_service`` reads as ``service``: equal services give equal bytes."""
    table = _SERVICE.write(service)
    header = f"services.{service.name}"
    tables: dict[str, dict[str, object]] = {header: {"expand": table["expand"]}} if "expand" in table else {}
    for section in ("install", "run"):
        found = table.get(section)
        if isinstance(found, dict):
            tables[f"{header}.{section}"] = found
    return write_document(tables)
