"""The one codec between domain values and JSON, for what is stored and what travels unsigned or inside an envelope.

Values are frozen dataclasses; their fields are plain types, enums, moments and the value types named here, which
are strings. Decoding checks every field, so a value that can't be built wrong can't be read wrong either.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.identity import NodeId
from federation.keys import PublicKey
from federation.names import (
    InstanceName,
    LabelName,
    NodeName,
    PrivateFileName,
    ProfileName,
    RoleName,
    ServiceKey,
    ServiceName,
)
from federation.versions import ClientVersion, DeveloperVersion

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An aware moment; a time without an offset is refused."""

_T = TypeVar("_T")

_TEXTS: frozenset[type] = frozenset(
    {
        ClientVersion,
        DeveloperVersion,
        Digest,
        InstanceName,
        LabelName,
        NodeId,
        NodeName,
        PrivateFileName,
        ProfileName,
        PublicKey,
        RoleName,
        ServiceKey,
        ServiceName,
    }
)


def _to_plain(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no stored form")


def _from_plain(kind: type, value: object) -> object:
    if kind not in _TEXTS or not isinstance(value, str):
        raise InvalidValueError(f"{str(value)[:80]!r} is not a {kind.__name__}")
    return kind(value)


def encode(value: object) -> bytes:
    """``value`` as JSON."""
    return msgspec.json.encode(value, enc_hook=_to_plain)


def decode(content: bytes, kind: type[_T]) -> _T:
    """The ``kind`` that the JSON ``content`` holds.

    Raises:
        InvalidValueError: another form; the message names the field.
    """
    try:
        return msgspec.json.decode(content, type=kind, dec_hook=_from_plain)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValueError(str(error)) from error


def moment_text(moment: datetime) -> str:
    """``moment`` as it is stored: in UTC and always with microseconds, so that texts sort as the moments do."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # at the first or last day that there is, another offset can lie outside the calendar
        return moment.isoformat(timespec="microseconds")
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_document(value: object) -> dict[str, Any]:
    """``value`` as a JSON object of plain types, for a document store."""
    document = _with_moments_as_text(msgspec.to_builtins(value, enc_hook=_to_plain, builtin_types=(datetime,)))
    if not isinstance(document, dict):
        raise TypeError(f"{type(value).__name__} is not stored as an object")
    return document


def _with_moments_as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, dict):
        return {key: _with_moments_as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_moments_as_text(item) for item in value]
    return value


def from_document(document: dict[str, Any], kind: type[_T]) -> _T:
    """The ``kind`` kept in ``document``.

    Raises:
        InvalidValueError: another form.
    """
    # By way of JSON: msgspec.convert would not check names that are keys of a dictionary.
    try:
        content = msgspec.json.encode(document)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidValueError(f"not a document of plain JSON types: {error}") from error
    return decode(content, kind)
