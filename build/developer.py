"""Makes a developer version: sources at recorded commits → recipe → commands → copy rules → private files → an image.

Two builds of the same commits give the same image when the recipe's commands do. Signing and storing are not done here.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from build.bounds import Bounds, room_of
from build.confinement import Confinement
from build.copying import carry_out, plan_copies
from build.credentials import NO_CREDENTIALS, CredentialSource
from build.environment import NETWORK_VARIABLES, build_environment
from build.errors import BuildFailedError, SourceError
from build.guard import guarded
from build.private import NO_PRIVATE_FILES, PrivateSource, check_present, contents_of, write_private
from build.process import Log
from build.reach import ONLY_PUBLIC, PeersReach
from build.recipe import Recipe, RecipeError, recipe_of
from build.remarks import remarks_on
from build.runner import run_command
from build.sandbox import Sandbox, named_by, own_tools
from build.source import Checkout, SourceRequest, checkout
from build.threads import Halt, in_thread
from build.walls import NO_WALLS, Rooms, Walls
from federation import limits
from federation.digest import Digest
from federation.errors import InvalidValueError
from federation.files import explained_disk_errors
from federation.image import Image
from federation.manifest import Source
from federation.names import ServiceName
from federation.service import FILE_NAME, Service
from federation.servicefile import ServiceFileError, read_service, write_service
from federation.toml import Mistake
from federation.transfer.tree import scan_tree
from federation.units import write_seconds
from federation.versions import DeveloperVersion

SOURCES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DeveloperBuild:
    """A build to make. ``work``: a fresh folder that no other build has; ``cache``: one that all builds share.

    ``confinement``: how its commands are closed in. ``trusted``: whether its sources are our own operator's.
    ``private``: the private files that the recipe may name. ``credentials``: what opens its sources; for Git alone.
    ``reach``: from where sources that are not trusted are fetched.
    ``comment``: without one, the version says what the commits say that came after ``since``, the sources of the
    version before. ``host``: this process's variables,
    of which the build's commands see only what ``environment`` lets through.
    """

    service: ServiceName
    version: DeveloperVersion
    sources: tuple[SourceRequest, ...]
    work: Path
    cache: Path
    confinement: Confinement = field(default_factory=Confinement)
    trusted: bool = True
    private: PrivateSource = NO_PRIVATE_FILES
    credentials: CredentialSource = NO_CREDENTIALS
    reach: PeersReach = ONLY_PUBLIC
    comment: str = ""
    since: tuple[Source, ...] = ()
    host: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build made: the tree in the work folder, its image, and what the manifest says of them.

    ``private``: the paths in it of private files. ``network``: whether the commands could reach it.
    """

    tree: Path
    image: Image
    recipe: Digest
    sources: tuple[Source, ...]
    comment: str
    private: tuple[str, ...] = ()
    network: bool = False


async def build_developer(request: DeveloperBuild, log: Log) -> Built:
    """Carry out ``request``; lines for people go to ``log``.

    Raises:
        SourceError, SourceAbsentError, SourceDeniedError, SourceUnreachableError: a source can't be had.
        RecipeError: the recipe has mistakes.
        BuildFailedError: a command failed, or what it made can't be an image; a private file is missing.
        CorruptError: a private file can't be opened.
        DiskFullError: no room.
    """
    _check(request)
    checkouts = await _check_out(request, log)
    first = checkouts[0]
    content = await in_thread(lambda _: _read_recipe(first.folder))
    recipe = recipe_of(content, request.service)
    await check_present(request.service, recipe.private, request.private)
    await _run(request, recipe, checkouts, log)
    tree = request.work / "tree"
    private = await contents_of(recipe.private, request.private)
    remarks = request.comment or await in_thread(lambda _: remarks_on(checkouts, request.since))
    image = await in_thread(lambda halt: _make_tree(recipe, first.folder, private, tree, halt))
    log(f"image of {len(image)} entries, {image.size} bytes: {image.digest}")
    return Built(
        tree=tree,
        image=image,
        recipe=Digest.of(content),
        sources=tuple(found.source for found in checkouts),
        comment=remarks[: limits.COMMENT_CHARS],
        network=recipe.network or not request.confinement.sandbox,
        private=tuple(sorted(private)),
    )


def _check(request: DeveloperBuild) -> None:
    names = [source.name for source in request.sources]
    if not 1 <= len(names) <= SOURCES or len(set(names)) != len(names):
        raise SourceError(f"a service has 1 to {SOURCES} sources, each with a name of its own")


async def _check_out(request: DeveloperBuild, log: Log) -> Sequence[Checkout]:
    into = request.work / "sources"
    return [
        await checkout(
            source,
            into=into,
            cache=request.cache,
            log=log,
            trusted=request.trusted,
            credentials=request.credentials,
            reach=request.reach,
        )
        for source in request.sources
    ]


def _read_recipe(folder: Path) -> bytes:
    path = folder / FILE_NAME
    if not path.is_file() or path.is_symlink():
        raise RecipeError([Mistake(0, "", f"the first source has no file {FILE_NAME} in its folder: write the recipe")])
    with path.open("rb") as file:
        return file.read(limits.SERVICE_FILE_BYTES + 1)


async def _run(request: DeveloperBuild, recipe: Recipe, checkouts: Sequence[Checkout], log: Log) -> None:
    first, confinement = checkouts[0], request.confinement
    if recipe.network and not confinement.network:
        why = f": {confinement.no_own_network}" if confinement.no_own_network else ""
        raise BuildFailedError(f"the recipe asks for the network, and this node lets no build have it{why}")
    if recipe.network and confinement.sandbox and confinement.no_own_network:
        log(f"the commands have the host's network, its loopback too: {confinement.no_own_network}")
    rooms = Rooms(
        sources=request.work / "sources",
        home=request.work / "home",
        temporary=request.work / "tmp",
        # One service's downloads only: what one build puts there, the next one runs.
        cache=request.cache / "packages" / request.service,
    )
    await in_thread(lambda _: _make_rooms(rooms, confinement.bounds))
    walls = await in_thread(lambda _: _walls(request, recipe, rooms, checkouts))
    env = build_environment(request.host, rooms, walls, network=recipe.network, epoch=first.epoch)
    env |= {"VUPDATE_SERVICE": request.service, "VUPDATE_VERSION": request.version}
    try:
        async with (
            guarded((request.work, rooms.cache), confinement.bounds) as guard,
            asyncio.timeout(confinement.bounds.seconds),
        ):
            for number, command in enumerate(recipe.commands, 1):
                log(f"command {number} of {len(recipe.commands)}, in a {walls.told}")
                await run_command(command, root=first.folder, env=env, log=log, walls=walls, guard=guard)
    except TimeoutError as error:
        limit = write_seconds(confinement.bounds.seconds)
        raise BuildFailedError(f"the build's commands were not done after {limit} and were stopped") from error


def _walls(request: DeveloperBuild, recipe: Recipe, rooms: Rooms, checkouts: Sequence[Checkout]) -> Walls:
    confinement = request.confinement
    if not confinement.sandbox:
        return NO_WALLS
    named = named_by(request.host, NETWORK_VARIABLES) if recipe.network else []
    lenders = [found.lender for found in checkouts]
    return Sandbox(
        rooms=rooms,
        own=request.work / "etc",
        network=recipe.network,
        own_network=not confinement.no_own_network,
        processes=confinement.bounds.processes,
        read_only=(*own_tools(), *confinement.tools, *named, *lenders),
    )


def _make_rooms(rooms: Rooms, bounds: Bounds) -> None:
    if room_of([rooms.cache], bounds).size_bytes > bounds.disk_bytes // 2:
        # Fetched again: else what earlier builds left there would use up the room of this one.
        shutil.rmtree(rooms.cache)
    for folder in (rooms.home, rooms.temporary):
        folder.mkdir(parents=True, mode=0o700)
    rooms.cache.mkdir(parents=True, exist_ok=True)


def _make_tree(recipe: Recipe, root: Path, private: Mapping[str, bytes], tree: Path, halt: Halt) -> Image:
    plan = plan_copies(root, recipe.copy, halt)
    tree.mkdir()
    carry_out(plan, tree, halt)
    with explained_disk_errors(tree):
        write_private(tree, private, plan.expand, halt)
    _write_service_file(tree, recipe.service, plan.expand)
    try:
        return scan_tree(tree)
    except InvalidValueError as error:
        raise BuildFailedError(f"what was built can't be an image: {error}") from error


def _write_service_file(tree: Path, service: Service, expand: tuple[str, ...]) -> None:
    path = tree / FILE_NAME
    if path.is_dir() and not path.is_symlink():
        raise BuildFailedError(f"the copy rules make a folder {FILE_NAME}, where the service file belongs")
    path.unlink(missing_ok=True)
    named = tuple(name for name in expand if name != FILE_NAME)
    content = write_service(Service(name=service.name, run=service.run, install=service.install, expand=named))
    try:
        read_service(content, service.name)
    except ServiceFileError as error:
        raise BuildFailedError(f"the patterns of 'expand' name too many files: {error}") from error
    path.write_bytes(content)
    path.chmod(0o644)
