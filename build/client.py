"""Makes a client version: a base image with a site's settings over it, its macros filled in, then its private files.

Only what changes is read and written; everything else is the base's, by digest. Signing, storing and choosing the
version's number are not done here.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from build.draft import Draft, NewContents
from build.errors import OverlayConflictError, OverlayError
from build.overlay import MERGED_BYTES, defines, merge, replaces
from build.private import PrivatePart
from build.process import Log
from build.settings import SettingsFile, Step, Use, list_overlay, overlay_digest, steps
from build.threads import Halt, in_thread
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.image import Image
from federation.macros import BUILT_IN, expand, is_macro_name, macro_names
from federation.names import NodeName, ServiceName
from federation.service import FILE_NAME, Service
from federation.servicefile import ServiceFileError, read_service, service_of_values, write_service
from federation.transfer.blobs import ContentSource
from federation.versions import ClientVersion

EXPANDED_BYTES: Final = 16 * 1024 * 1024
"""Bound of a file whose macros are expanded."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBuild:
    """A client build to make. ``overlays``: folders in the order they are laid; ``work``: a fresh folder.

    ``private``: the site's private files. ``sealed``: the paths of those that the base holds: they may be replaced, but
    nothing is merged or filled in there, as an error of that could quote them.
    """

    service: ServiceName
    version: ClientVersion
    node: NodeName
    base: Image
    contents: ContentSource
    overlays: tuple[Path, ...]
    macros: Mapping[str, str]
    work: Path
    private: tuple[PrivatePart, ...] = ()
    sealed: frozenset[str] = frozenset()

    @property
    def fingerprints(self) -> dict[str, str]:
        """What tells the site's private files from others, by their paths."""
        return {part.target: part.fingerprint for part in self.private}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBuilt:
    """The image made. ``contents``: all of it; ``new``: what the base has not; ``overlay``: names the settings.

    ``private``: the paths in it of private files, the base's among them.
    """

    image: Image
    contents: NewContents
    new: frozenset[Digest]
    overlay: Digest
    private: tuple[str, ...] = ()


async def build_client(request: ClientBuild, log: Log) -> ClientBuilt:
    """Carry out ``request``; lines for people go to ``log``.

    Raises:
        OverlayConflictError: overlays for files that the base does not have, each named.
        OverlayError: an overlay that can't be used: its form, or a clash with the base.
        UnknownMacroError: a file uses a macro without a value.
        ServiceFileError: the base's service file has mistakes.
        DiskFullError: no room.
    """
    lines: list[str] = []
    try:
        return await in_thread(lambda halt: _build(request, lines.append, halt))
    finally:
        for line in lines:
            log(line)


async def client_overlay(
    overlays: Sequence[Path], *, node: NodeName, macros: Mapping[str, str], private: Mapping[str, str] | None = None
) -> Digest:
    """What ``build_client`` would give as ``overlay``: if that and the base are as before, a build changes nothing."""
    listed = await in_thread(lambda halt: [list_overlay(folder, halt) for folder in overlays])
    return overlay_digest(listed, node=node, macros=macros, private=private)


def _build(request: ClientBuild, log: Log, halt: Halt) -> ClientBuilt:
    for name in request.macros:
        if name in BUILT_IN or not is_macro_name(name):
            raise InvalidValueError(
                f"{name[:80]!r} can't be a site's macro: vUpdate gives it a value, or it is not plain"
            )
    contents = NewContents(request.work / "contents", request.contents)
    draft = Draft(request.base, contents)
    overlays = [list_overlay(folder, halt) for folder in request.overlays]
    plan = steps(overlays, request.base)
    _check_conflicts(plan, draft)
    _check_sealed(request.sealed, (step.target for step in plan if step.use is not Use.PUT))
    for step in plan:
        halt.check()
        _apply(step, draft, log)
    values = {**request.macros, "version": request.version, "service": request.service, "node": request.node}
    defined = _defined(plan)
    service = _settle_service(draft, request, defined.get(FILE_NAME, {}))
    _check_sealed(request.sealed, service.expand)
    _expand_files(service, draft, values, defined, halt)
    for part in request.private:
        draft.put_content(part.target, part.content)
        log(f"put the private file {part.target} into the image")
    digest = overlay_digest(overlays, node=request.node, macros=request.macros, private=request.fingerprints)
    image = draft.image
    new = frozenset(image.contents.keys() - request.base.contents.keys())
    private = tuple(sorted(request.sealed | request.fingerprints.keys()))
    return ClientBuilt(image=image, contents=contents, new=new, overlay=digest, private=private)


def _check_conflicts(plan: Sequence[Step], draft: Draft) -> None:
    """Refuse settings for a file that is not there; one that definitions are for may also come with an overlay."""
    brought = {step.target for step in plan if step.use is Use.PUT}
    missing = {
        step.file.path
        for step in plan
        if step.use is not Use.PUT
        and not draft.has_file(step.target)
        and not (step.use is Use.DEFINE and step.target in brought)
        # Variables are a site's own: no base has to have such a file.
        and not (step.use is Use.MERGE and step.target.endswith(".env"))
    }
    if missing:
        raise OverlayConflictError(tuple(sorted(missing)))


def _check_sealed(sealed: frozenset[str], changed: Iterable[str]) -> None:
    found = sorted(sealed.intersection(changed))
    if found:
        raise OverlayError(
            f"{', '.join(found)}: a private file of the base, in which nothing is merged or filled in; "
            "put a private file of this site in its place"
        )


def _apply(step: Step, draft: Draft, log: Log) -> None:
    path = step.file.path
    if step.use is Use.MERGE:
        if not draft.has_file(step.target):
            _put(step, draft, log)
            return
        base, content = draft.read(step.target, MERGED_BYTES), step.file.read()
        whole = _named(path, lambda: replaces(step.target, base, content))
        if draft.rewrite(step.target, _named(path, lambda: merge(step.target, base, content))):
            log(f"replaced {step.target} by {path}: it is not HOCON, which would merge" if whole else f"merged {path}")
    elif step.use is Use.PUT:
        _put(step, draft, log)


def _put(step: Step, draft: Draft, log: Log) -> None:
    if draft.put(step.target, step.file):
        log(f"put {step.file.path} into the image")


def _defined(plan: Sequence[Step]) -> dict[str, dict[str, str]]:
    """The macro values that ``.defines`` give, by the file they are for; of two the later counts."""
    found: dict[str, dict[str, str]] = {}
    for step in plan:
        if step.use is Use.DEFINE:
            found.setdefault(step.target, {}).update(_definitions(step.file))
    return found


def _definitions(file: SettingsFile) -> dict[str, str]:
    text = _text(file.read(), file.path)
    return _named(file.path, lambda: defines.parse(text))


def _settle_service(draft: Draft, request: ClientBuild, defined: Mapping[str, str]) -> Service:
    """The service file with the site's macros filled in; those that only an agent knows stay for it."""
    content = draft.read(FILE_NAME, EXPANDED_BYTES)
    try:
        service = read_service(content, request.service)
        text = content.decode().removeprefix("\ufeff")
        if not macro_names(text) - BUILT_IN:
            return service
        values = _filled(tomllib.loads(text), {**request.macros, **defined})
        service = service_of_values(values, request.service)
    except ServiceFileError as error:
        if content == _base_content(request):
            raise
        told = "; ".join(f"{mistake.key}: {mistake.text}" for mistake in error.mistakes)
        raise OverlayError(f"{FILE_NAME} with this site's settings over it: {told}") from error
    draft.rewrite(FILE_NAME, write_service(service))
    return service


def _base_content(request: ClientBuild) -> bytes:
    return Draft(request.base, NewContents(request.work, request.contents)).read(FILE_NAME, EXPANDED_BYTES)


def _filled(value: Any, macros: Mapping[str, str]) -> Any:
    """``value`` with the macros in its texts filled in: by value, so that none can break out of its quotes."""
    if isinstance(value, str):
        return expand(value, macros, keep=BUILT_IN, where=FILE_NAME)
    if isinstance(value, list):
        return [_filled(item, macros) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, macros) for key, item in value.items()}
    return value


def _expand_files(
    service: Service, draft: Draft, values: Mapping[str, str], defined: Mapping[str, Mapping[str, str]], halt: Halt
) -> None:
    idle = sorted(defined.keys() - {FILE_NAME, *service.expand})
    if idle:
        raise OverlayError(
            f"{', '.join(idle)}: has a .defines, but the recipe's 'expand' does not name it: nothing would be filled in"
        )
    for path in service.expand:
        halt.check()
        if not draft.has_file(path):
            raise OverlayError(f"{path}: the service file lists it in 'expand', but the image has no such file")
        text = _text(draft.read(path, EXPANDED_BYTES), path)
        draft.rewrite(path, expand(text, {**values, **defined.get(path, {})}, where=path).encode())


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise OverlayError(f"{path}: not UTF-8 text") from error


def _named(path: str, work: Callable[[], _T]) -> _T:
    """What ``work`` returns; its error names the overlay's file."""
    try:
        return work()
    except OverlayError as error:
        raise OverlayError(f"{path}: {error}") from error
