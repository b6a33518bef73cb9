"""What callers hand in for build sources, site settings and changes of a list, turned into the node's values."""

import strawberry

from federation.errors import InvalidValueError
from federation.names import ServiceName
from federation.versions import ClientVersion, DeveloperVersion
from node.graphql import values
from node.model import desired
from node.model import version as versions


@strawberry.input(description="A Git repository to make something from.")
class GitSourceInput:
    name: str
    url: str
    ref: str | None = "HEAD"
    directory: str | None = ""

    def value(self, argument: str) -> versions.GitSource:
        """The source; a refusal names ``argument`` and the field."""
        name = values.text(f"{argument}.name", self.name, values.NAME_CHARS)
        if not name or name in (".", "..") or "/" in name:
            raise InvalidValueError(f"{argument}.name: {name!r} can't be the name of a folder")
        return versions.GitSource(
            name=name,
            url=values.repository_url(f"{argument}.url", self.url),
            ref=values.git_ref(f"{argument}.ref", self.ref or "HEAD"),
            directory=values.directory(f"{argument}.directory", self.directory or ""),
        )


def sources(argument: str, given: list[GitSourceInput]) -> tuple[versions.GitSource, ...]:
    """At most 32 sources, each name once."""
    found = values.items(argument, given, values.SOURCES, lambda one: one.value(argument))
    if len({one.name for one in found}) != len(found):
        raise InvalidValueError(f"{argument}: two have the same name")
    return found


@strawberry.input(description="The value that a %%name%% gets at this site.")
class MacroInput:
    name: str
    value: str


def macros(argument: str, given: list[MacroInput]) -> dict[str, str]:
    """The macros by name."""
    pairs = values.items(
        argument,
        given,
        values.MACROS,
        lambda one: (
            values.text(f"{argument}.name", one.name, values.NAME_CHARS),
            values.text(f"{argument}.value", one.value, values.MACRO_CHARS),
        ),
    )
    return dict(pairs)


@strawberry.input(description="One change of a list: set a service to a version, or remove it (null).")
class DeltaInput:
    service: str
    version: str | None = None

    def value(self, kind: desired.ListKind) -> desired.Delta:
        """The change of a list of ``kind``."""
        spelled = DeveloperVersion if kind is desired.ListKind.DEVELOPER else ClientVersion
        return desired.Delta(
            service=values.read("deltas.service", ServiceName, self.service),
            version=values.maybe("deltas.version", spelled, self.version),
        )


def deltas(kind: desired.ListKind, given: list[DeltaInput]) -> tuple[desired.Delta, ...]:
    """At least one change, each service once."""
    found = values.items("deltas", given, values.MOST_ITEMS, lambda one: one.value(kind))
    if not found or len({one.service for one in found}) != len(found):
        raise InvalidValueError("deltas: name at least one service, and each only once")
    return found
