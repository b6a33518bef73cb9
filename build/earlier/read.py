"""Reads ``update.json`` of the earlier V-update system, the older names of its keys too. Pure.

Values are held to what a recipe can say in the same place, so what can't be converted is told where it stands.
"""

import json
import re
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NoReturn

from build.earlier.values import (
    OldBuild,
    OldCommand,
    OldConditions,
    OldCopy,
    OldCpu,
    OldInstall,
    OldLogs,
    OldRun,
    OldService,
)
from build.recipe import COPY_RULES
from federation import limits
from federation.errors import InvalidValueError
from federation.names import ServiceName
from federation.servicefile import COMMANDS, SERVICES
from federation.toml import Key, Kind, ListOf, MapOf, Mistake, Place, Scalar, Shape, TomlMistakesError, read_values
from federation.toml.kinds import ENVIRONMENT, FLAG, PATH, PATTERN_LIST, REGEX, TEXT, WORDS, relative_path, whole, word

SETTINGS: Final = 200
LARGEST_MIB: Final = 2**30

_WHERE_FREE: Final = frozenset({"env", "settings"})
_LEADING_FLAGS = re.compile(r"\(\?([imsx]+)\)", re.ASCII)


class ConvertError(TomlMistakesError):
    """An ``update.json`` has mistakes, or says what no recipe can."""

    code: ClassVar[str] = "recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    name: str
    value: str


class _Settings(Kind):
    """Values of macros: an object, a list of such objects, or a list of ``{"name": …, "value": …}``."""

    def read(self, value: object, place: Place) -> dict[str, str]:
        if not isinstance(value, list):
            return dict(_SETTING_MAP.read(value, place))
        if len(value) > SETTINGS:
            place.refuse(f"must have at most {SETTINGS} items, not {len(value)}")
        found: dict[str, str] = {}
        for row, item in enumerate(value):
            for name, text in self._read_item(item, place.at(row)).items():
                if name in found:
                    place.at(row).refuse(f"gives the macro '{name[:80]}' a second value")
                found[name] = text
        return found

    def _read_item(self, item: object, place: Place) -> dict[str, str]:
        if not isinstance(item, dict) or not item.keys() & {"name", "value"}:
            return dict(_SETTING_MAP.read(item, place))
        if len(item) == 1:
            place.refuse('is ambiguous: write {"name": …, "value": …}, or all settings as one object')
        pair = _SETTING.read(item, place)
        return {pair.name: pair.value}

    def write(self, value: Any) -> object:
        return dict(value)

    def schema(self) -> dict[str, Any]:
        return {"type": ["object", "array"]}


class _AnyTable(Kind):
    """An object whose keys nobody knows any more."""

    def read(self, value: object, place: Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            place.refuse("must be a table")
        return value

    def write(self, value: Any) -> object:
        return dict(value)

    def schema(self) -> dict[str, Any]:
        return {"type": "object"}


def _macro(text: str) -> str:
    if not text or len(text) > 200 or "%" in text or not text.isprintable():
        raise InvalidValueError("not the name of a macro: 1 to 200 printable characters, no '%'")
    return text


def _program(text: str) -> str:
    if not word(text):
        raise InvalidValueError("the program is empty")
    return text


def _destination(text: str) -> str:
    """``text`` below the image's root, from which an absolute path was counted too."""
    return relative_path(text.strip("/") or ".")


def _whole_output(text: str) -> str:
    """A regular expression that is found where ``text`` matches the whole output, as it had to."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            REGEX.convert(text)
        except FutureWarning as error:
            raise InvalidValueError(f"{text[:80]!r} has a set in a set, which means something else here") from error
    flags = _LEADING_FLAGS.match(text)
    on = "".join(sorted(set(flags[1]))) if flags else ""
    off = "" if "m" in on else "-m"
    found: str = REGEX.convert(rf"\A(?{on}{off}:{text[flags.end() :] if flags else text})\Z")
    return found


def _source(text: str) -> str:
    if not word(text):
        raise InvalidValueError("the path is empty")
    return text


_PROGRAM_WORD: Final = Scalar(str, "a text", _program)
_PATTERN: Final = Scalar(str, "a regular expression", word)
_ARGS: Final = ListOf(TEXT, "texts", WORDS - 1)
_SETTING: Final = Shape(_Setting, (Key("name", Scalar(str, "a text", _macro)), Key("value", TEXT)))
_SETTING_MAP: Final = MapOf(_macro, TEXT, SETTINGS)
_COMMAND: Final = Shape(
    OldCommand,
    (
        Key("command", _PROGRAM_WORD),
        Key("args", _ARGS),
        Key("env", ENVIRONMENT),
        Key("directory", PATH),
        Key("exitCode", whole(0, 255), ("exit_code",)),
        Key("outputMatch", Scalar(str, "a regular expression", _whole_output), ("output_match",)),
    ),
)
_COMMANDS: Final = ListOf(_COMMAND, "commands", COMMANDS)
_COPY: Final = Shape(
    OldCopy,
    (
        Key("sourceFile", Scalar(str, "a path", _source), ("source",)),
        Key("destinationFile", Scalar(str, "a path", _destination), ("destination",)),
        Key("except", PATTERN_LIST, ("excluded",)),
        Key("settings", _Settings()),
    ),
)
_LOGS: Final = Shape(
    OldLogs,
    (
        Key("directory", TEXT),
        Key("filePrefix", TEXT, ("prefix",)),
        Key("maxFileSizeMB", whole(1, LARGEST_MIB), ("max_mib",)),
        Key("maxFilesCount", whole(1, 10_000), ("files",)),
        Key("dateFormat", TEXT, ("date_format",)),
    ),
)
_CPU: Final = Shape(OldCpu, (Key("percents", whole(1, 999_999)), Key("durationSec", whole(1, 3600), ("seconds",))))
_CONDITIONS: Final = Shape(
    OldConditions,
    (
        Key("maxMemoryMB", whole(1, LARGEST_MIB), ("memory_mib",)),
        Key("maxCpu", _CPU, ("cpu",)),
        Key("makeCore", FLAG, ("core",)),
        Key("checkTimeoutMs", whole(0, 2**53), ("check_ms",)),
    ),
)
_RUN: Final = Shape(
    OldRun,
    (
        Key("command", _PROGRAM_WORD),
        Key("args", _ARGS),
        Key("env", ENVIRONMENT),
        Key("writeLogs", _LOGS, ("write_logs",)),
        Key("logWriter", _LOGS, ("log_writer",)),
        Key("uploadLogs", FLAG, ("upload",)),
        Key("logUploader", _AnyTable(), ("uploader",)),
        Key("faultFilesMatch", _PATTERN, ("fault_files",)),
        Key("restartOnFault", FLAG, ("restart",)),
        Key("restartConditions", _CONDITIONS, ("conditions",)),
    ),
    OldRun.twice,
)
_INSTALL: Final = Shape(
    OldInstall,
    (
        Key("installCommands", _COMMANDS, ("before",)),
        Key("postInstallCommands", _COMMANDS, ("after",)),
        Key("runService", _RUN, ("run",)),
    ),
)
_BUILD: Final = Shape(
    OldBuild,
    (
        Key("buildCommands", _COMMANDS, ("commands",)),
        Key("copyFiles", ListOf(_COPY, "files", COPY_RULES), ("copies",)),
        Key("install", _INSTALL),
    ),
)
_SERVICE: Final = Shape(
    OldService,
    (
        Key("service", Scalar(str, "a service's name", ServiceName), ("name",)),
        Key("build", _BUILD),
        Key("install", _INSTALL),
    ),
    OldService.twice,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OldFile:
    update: tuple[OldService, ...]

    def repeated(self) -> str | None:
        """What is wrong with its services taken together, if anything."""
        names = [service.name for service in self.update]
        twice = sorted({name for name in names if names.count(name) > 1})
        return f"describes more than once: {', '.join(twice)}" if twice else None


_FILE: Final = Shape(
    _OldFile, (Key("update", ListOf(_SERVICE, "services", SERVICES, least=1)),), check=_OldFile.repeated
)


class _Pairs(list[tuple[str, object]]):
    """A JSON object with the keys that it repeats."""


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def _object(pairs: _Pairs, place: Place) -> dict[str, Any]:
    """The keys of an object that are not null: a key that was null stood for one left out."""
    found: dict[str, Any] = {}
    for name, item in pairs:
        if not _is_text(name):
            place.note("has a key that holds half of a character")
        elif name in found:
            place.at(name).note("stands here more than once")
        else:
            found[name] = _plain(item, place.at(name))
    free = not _WHERE_FREE.isdisjoint(place.path)
    for name in [name for name, item in found.items() if item is None]:
        if free:
            place.at(name).note("must be a text, not null")
        del found[name]
    return found


def _plain(value: object, place: Place) -> Any:
    if isinstance(value, _Pairs):
        return _object(value, place)
    if isinstance(value, list):
        for row in [row for row, item in enumerate(value) if item is None]:
            place.at(row).note("is null")
        return [_plain(item, place.at(row)) for row, item in enumerate(value)]
    if isinstance(value, str) and not _is_text(value):
        place.note("holds half of a character: not a text")
    return value


def read_old(content: bytes) -> tuple[OldService, ...]:
    """The services that the ``update.json`` ``content`` describes, in its order.

    Raises:
        ConvertError: what is wrong with it, each mistake with the place of its key.
    """
    if len(content) > limits.SERVICE_FILE_BYTES:
        raise ConvertError([Mistake(0, "", f"the file is longer than {limits.SERVICE_FILE_BYTES} bytes")])
    place = Place()
    try:
        text = content.decode().removeprefix("\ufeff")
        values = _plain(json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_number), place)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConvertError([Mistake(line, "", "not UTF-8 text")]) from error
    except json.JSONDecodeError as error:
        raise ConvertError([Mistake(error.lineno, "", f"not JSON: {error.msg}")]) from error
    except (ValueError, RecursionError) as error:
        raise ConvertError([Mistake(0, "", f"not JSON that can be read: {error}")]) from error
    if place.mistakes:
        raise ConvertError(place.mistakes)
    file: _OldFile = read_values(values, _FILE, error=ConvertError)
    return file.update
