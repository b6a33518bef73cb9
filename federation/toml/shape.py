"""Shapes: which keys a table has, how each is read from TOML and written to it, and the schema that says so."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from federation.errors import InvalidValueError
from federation.toml.mistakes import Place, Refused, described, nearest
from federation.toml.schema import Schema

_T = TypeVar("_T")
_NO_DEFAULT: Final = object()
_TYPES: Final[Mapping[type[Any], str]] = {str: "string", int: "integer", bool: "boolean"}


class Kind(Protocol):
    """How one sort of value is read from TOML and written to it."""

    def read(self, value: object, place: Place) -> Any:
        """The value that ``value`` stands for; notes mistakes at ``place``, and refuses there if there is no value."""
        ...

    def write(self, value: Any) -> object:
        """What ``read`` reads as ``value``."""
        ...

    def schema(self) -> Schema:
        """A JSON Schema that accepts whatever ``read`` does."""
        ...


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Scalar(Kind):
    """A value of one TOML type, checked and converted by ``convert``, whose ``InvalidValueError`` is the message.

    ``form``: what a schema can say of it beyond its type.
    """

    type_: type[Any]
    what: str
    convert: Callable[[Any], Any] = _same
    back: Callable[[Any], object] = _same
    form: Mapping[str, Any] = field(default_factory=dict)

    def read(self, value: object, place: Place) -> Any:
        if type(value) is not self.type_:
            place.refuse(f"must be {self.what}, not {described(value)}")
        try:
            return self.convert(value)
        except InvalidValueError as error:
            place.refuse(str(error))

    def write(self, value: Any) -> object:
        return self.back(value)

    def schema(self) -> Schema:
        return {"type": _TYPES[self.type_], **self.form}


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list of at least ``least`` and at most ``most`` items of one kind; read as a tuple."""

    item: Kind
    what: str
    most: int
    least: int = 0

    def read(self, value: object, place: Place) -> tuple[Any, ...]:
        if not isinstance(value, list):
            place.refuse(f"must be a list of {self.what}, not {described(value)}")
        if not self.least <= len(value) <= self.most:
            place.refuse(f"must have {self.least} to {self.most} {self.what}, not {len(value)}")
        return tuple(place.each((row, self._reader(item)) for row, item in enumerate(value)))

    def _reader(self, value: object) -> Callable[[Place], Any]:
        return lambda place: self.item.read(value, place)

    def write(self, value: Any) -> object:
        return [self.item.write(item) for item in value]

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema(), "minItems": self.least, "maxItems": self.most}


@dataclass(frozen=True, slots=True)
class MapOf(Kind):
    """A table from free keys, each converted by ``key``, to values of one kind. ``names``: the schema of the keys."""

    key: Callable[[str], Any]
    item: Kind
    most: int
    names: Mapping[str, Any] = field(default_factory=dict)

    def read(self, value: object, place: Place) -> dict[Any, Any]:
        if not isinstance(value, dict):
            place.refuse(f"must be a table, not {described(value)}")
        if len(value) > self.most:
            place.refuse(f"must have at most {self.most} keys, not {len(value)}")
        return dict(place.each((name, self._reader(name, item)) for name, item in value.items()))

    def _reader(self, name: str, value: object) -> Callable[[Place], tuple[Any, Any]]:
        def read(place: Place) -> tuple[Any, Any]:
            try:
                key = self.key(name)
            except InvalidValueError as error:
                place.refuse(str(error))
            return key, self.item.read(value, place)

        return read

    def write(self, value: Any) -> object:
        return {str(key): self.item.write(item) for key, item in value.items()}

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": dict(self.names),
            "additionalProperties": self.item.schema(),
            "maxProperties": self.most,
        }


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: its kind, and the fields of the value that it fills; for several the kind gives a tuple.

    ``about``: what it is for, in a sentence for those who write the file.
    """

    name: str
    kind: Kind
    fields: tuple[str, ...] = ()
    about: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """The fields that this key fills."""
        return self.fields or (self.name,)

    def read(self, value: object, place: Place) -> dict[str, Any]:
        """The fields that this key fills, from ``value``."""
        found = self.kind.read(value, place)
        return dict(zip(self.targets, found, strict=True)) if len(self.targets) > 1 else {self.targets[0]: found}

    def write(self, values: tuple[Any, ...]) -> object:
        """What ``read`` reads as ``values`` of the targets."""
        return self.kind.write(values if len(self.targets) > 1 else values[0])

    def schema(self) -> Schema:
        """The kind's schema, and what the key is for."""
        found = self.kind.schema()
        told = " ".join(filter(None, (self.about, found.get("description"))))
        return found | ({"description": told} if told else {})


def _nothing_wrong(_: object) -> str | None:
    return None


@dataclass(frozen=True)
class Shape(Kind, Generic[_T]):
    """A table that is read as the dataclass ``make``. A key is required when a field it fills has no default.

    ``check`` looks at the finished value and says what is wrong with its keys taken together, if anything.
    """

    make: type[_T]
    keys: tuple[Key, ...]
    check: Callable[[_T], str | None] = _nothing_wrong
    defaults: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, Any] = {}
        for item in dataclasses.fields(self.make):  # type: ignore[arg-type]  # make is a dataclass
            if item.default is not dataclasses.MISSING:
                found[item.name] = item.default
            elif item.default_factory is not dataclasses.MISSING:
                found[item.name] = item.default_factory()
        object.__setattr__(self, "defaults", found)

    def read(self, value: object, place: Place) -> _T:
        made = self.make(**self.read_fields(value, place))
        fault = self.check(made)
        if fault:
            place.refuse(fault)
        return made

    def read_fields(self, value: object, place: Place) -> dict[str, Any]:
        """The fields that the table ``value`` fills."""
        if not isinstance(value, dict):
            place.refuse(f"must be a table, not {described(value)}")
        names = {key.name: key for key in self.keys}
        for name in value.keys() - names.keys():
            place.at(name).note("unknown key" + nearest(name, names))
        missing = [name for name, key in names.items() if name not in value and self._required(key)]
        for name in missing:
            place.note(f"'{name}' is missing")
        fields: dict[str, Any] = {}
        for found in place.each((name, self._reader(names[name], value[name])) for name in names if name in value):
            fields |= found
        if missing:
            raise Refused
        return fields

    def _required(self, key: Key) -> bool:
        return any(name not in self.defaults for name in key.targets)

    def _reader(self, key: Key, value: object) -> Callable[[Place], dict[str, Any]]:
        return lambda place: key.read(value, place)

    def write(self, value: Any) -> dict[str, object]:
        table: dict[str, object] = {}
        for key in self.keys:
            found = tuple(getattr(value, name) for name in key.targets)
            if found != tuple(self.defaults.get(name, _NO_DEFAULT) for name in key.targets):
                table[key.name] = key.write(found)
        return table

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {key.name: key.schema() | self._default_of(key) for key in self.keys},
            "required": [key.name for key in self.keys if self._required(key)],
            "additionalProperties": False,
        }

    def _default_of(self, key: Key) -> Schema:
        """The default as it would be written; nothing where leaving the key out says it better."""
        values = tuple(self.defaults.get(name) for name in key.targets)
        written = None if None in values else key.write(values)
        return {} if written in (None, {}, []) else {"default": written}
