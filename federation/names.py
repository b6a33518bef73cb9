"""The names of things: strings that can't be built wrong, and can never be a path out of a folder."""

import re
from typing import ClassVar, Self

from federation import limits
from federation.errors import InvalidValueError
from federation.image import checked_path


class _Name(str):
    """A string that matches its class's pattern; the pattern never admits ``/``, ``.`` or an empty string."""

    __slots__ = ()
    what: ClassVar[str]
    pattern: ClassVar[re.Pattern[str]]
    most: ClassVar[int]
    form: ClassVar[str]

    def __new__(cls, text: str) -> Self:
        if type(text) is cls:
            return text
        if len(text) > cls.most:
            raise InvalidValueError(f"{cls.what} is longer than {cls.most} characters: {text[:20]!r}…")
        if not cls.pattern.fullmatch(text):
            raise InvalidValueError(f"{text!r} is not a {cls.what}: {cls.form}")
        return super().__new__(cls, text)


class NodeName(_Name):
    """The name of a node, e.g. ``acme`` or ``acme-labs``."""

    __slots__ = ()
    what = "node name"
    pattern = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
    most = limits.NODE_NAME_CHARS
    form = "lower-case letters and digits in groups joined by single '-', a letter first"


class ServiceName(_Name):
    """The name of a service, e.g. ``guestbook``."""

    __slots__ = ()
    what = "service name"
    pattern = re.compile(r"[a-z][a-z0-9_-]*", re.ASCII)
    most = limits.SERVICE_NAME_CHARS
    form = "lower-case letters, digits, '_' and '-', a letter first"


class RoleName(ServiceName):
    """The role that one instance of a service plays, e.g. ``worker`` in ``shop:worker``."""

    __slots__ = ()
    what = "role name"


class ProfileName(ServiceName):
    """The name of a profile, e.g. ``public-services``."""

    __slots__ = ()
    what = "profile name"
    most = limits.PROFILE_NAME_CHARS


class ServiceKey(str):
    """A service, or one role of it: ``service`` or ``service:role``."""

    service: ServiceName
    role: RoleName | None

    def __new__(cls, text: str) -> Self:
        if type(text) is cls:
            return text
        service, colon, role = text.partition(":")
        self = super().__new__(cls, text)
        self.service = ServiceName(service)
        self.role = RoleName(role) if colon else None
        return self


class InstanceName(_Name):
    """The name of an instance: a host name's label, e.g. ``web-1``."""

    __slots__ = ()
    what = "instance name"
    pattern = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*", re.ASCII)
    most = limits.INSTANCE_NAME_CHARS
    form = "lower-case letters and digits in groups joined by single '-' or '_'"


class LabelName(_Name):
    """What instances have in common: a word, or a word with a value, e.g. ``gpu`` or ``site=berlin``."""

    __slots__ = ()
    what = "label"
    pattern = re.compile(r"[a-z0-9]+([=_-][a-z0-9]+)*", re.ASCII)
    most = limits.LABEL_CHARS
    form = "lower-case letters and digits in groups joined by single '-', '_' or '='"


class PrivateFileName(str):
    """The name of a private file of a service: a plain relative path, e.g. ``tls.key`` or ``db/password``."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if type(text) is cls:
            return text
        if len(text) > limits.PRIVATE_NAME_CHARS:
            raise InvalidValueError(
                f"the name of a private file is longer than {limits.PRIVATE_NAME_CHARS} characters: {text[:20]!r}…"
            )
        return super().__new__(cls, checked_path(text))
