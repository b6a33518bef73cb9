"""What an ``update.json`` of the earlier V-update system says of services: values only, as read from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from federation.names import ServiceName


@dataclass(frozen=True, slots=True, kw_only=True)
class OldCommand:
    """A program to run to its end. Without ``exit_code`` any status was a success."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    directory: str = "."
    exit_code: int | None = None
    output_match: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldCopy:
    """A file or folder of the sources and the path that it has in the image. ``settings``: values of its macros."""

    source: str
    destination: str
    excluded: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldLogs:
    """How output was kept in files."""

    directory: str
    prefix: str
    max_mib: int
    files: int
    date_format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldCpu:
    """The processor time over which a service was restarted."""

    percents: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OldConditions:
    """What a running service was restarted for."""

    memory_mib: int | None = None
    cpu: OldCpu | None = None
    core: bool = False
    check_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRun:
    """How a service was started and watched. ``uploader``: the older form of ``upload``."""

    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    write_logs: OldLogs | None = None
    log_writer: OldLogs | None = None
    upload: bool | None = None
    uploader: Mapping[str, Any] | None = None
    fault_files: str = "core"
    restart: bool = True
    conditions: OldConditions | None = None

    def twice(self) -> str | None:
        """What is wrong with its keys taken together, if anything."""
        if self.write_logs and self.log_writer:
            return "'logWriter' is the older name of 'writeLogs': keep one of them"
        if self.upload is not None and self.uploader is not None:
            return "'logUploader' is the older form of 'uploadLogs': keep one of them"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldInstall:
    """Commands around the switch to a new version, and the service itself, if it was one that runs."""

    before: tuple[OldCommand, ...] = ()
    after: tuple[OldCommand, ...] = ()
    run: OldRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldBuild:
    """How a version was built. ``install``: where the published description shows it."""

    copies: tuple[OldCopy, ...]
    commands: tuple[OldCommand, ...] = ()
    install: OldInstall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OldService:
    """One service. ``install``: where the files themselves had it."""

    name: ServiceName
    build: OldBuild
    install: OldInstall | None = None

    def twice(self) -> str | None:
        """What is wrong with its keys taken together, if anything."""
        if self.install and self.build.install:
            return "'install' stands both beside and inside 'build': keep one of them"
        return None
