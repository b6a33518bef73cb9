"""Has peers build: finds one that takes the order, and another one when it is lost.

A builder that can't be reached for as long as its lease runs, or that knows nothing of the order any more, has lost it:
the order goes to the next one. One that is loaded is asked again later. One that lies is named, and nothing of what it
sent is kept.
"""

import asyncio
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from build.giturl import GitUrl
from federation.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    InvalidValueError,
    RemoteError,
    TamperedError,
    UnreachableError,
    VUpdateError,
)
from federation.link.answers import PeerRefusalError, plain_text
from federation.link.builds import LOADED, BuilderState, BuildOrder, OrderedSource
from federation.manifest import Source
from federation.names import NodeName, ServiceName
from federation.provenance import BuiltSource
from federation.versions import DeveloperVersion
from node.usecases.builder_lines import BuilderLine, BuilderLines, BuilderLostError, NotCallingError, PeerKind
from node.usecases.handing_over import HandingOver
from node.usecases.ordered_build import Delivered, OrderedBuilds
from node.usecases.tasks import TaskLog, Tasks

_LOADED_SECONDS: Final = 15.0
_ASK_SECONDS: Final = 10.0
_NOT_GRANTED: Final = "it has not granted this node to have builds run"


class NoBuilderError(ConflictError):
    """No peer takes the order, and none will by waiting."""

    code = "no-builder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """A peer as a builder. ``state``: as it says; ``None``: it gave none, and ``error`` says why."""

    name: NodeName
    kind: PeerKind
    state: BuilderState | None
    error: str = ""


class Delegation:
    """Builds at peers."""

    def __init__(self, *, lines: BuilderLines, orders: OrderedBuilds, handing_over: HandingOver, tasks: Tasks) -> None:
        self._lines = lines
        self._orders = orders
        self._handing_over = handing_over
        self._tasks = tasks

    async def builders(self) -> list[Builder]:
        """All peers that may build, each with whether it takes an order of ours now; no consumer that never called."""
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(_look(one)) for one in await self._lines.all()]
        return [found for look in looks if (found := look.result()) is not None]

    async def build(self, order: BuildOrder, on: Sequence[NodeName], log: TaskLog) -> Delivered:
        """Have ``order`` built by the first of ``on`` that takes it; by any provider where that is empty.

        Waits where all are loaded. Lines of the builder's log go to ``log``.

        Raises:
            AbsentError: one of ``on`` is no peer that could build.
            NoBuilderError: nobody takes it, and waiting would not help.
            PeerBuildError: it failed there.
            TamperedError, OversizedError: what the builder gave is not what it says.
        """
        gone: set[NodeName] = set()
        while True:
            asked = _Asked()
            for line in await self._chosen(on):
                if line.name not in gone and (found := await self._at(line, order, asked, log)):
                    return found
            gone |= asked.lost
            told = "; ".join(asked.refusals) or "this node has no peer that could build for it"
            if not asked.may_help:
                raise NoBuilderError(f"no peer builds {order.service} {order.version}: {told}")
            self._tasks.tell_wait(log.task, f"waits for a builder: {told}")
            await asyncio.sleep(_LOADED_SECONDS)

    async def _chosen(self, on: Sequence[NodeName]) -> Sequence[BuilderLine]:
        if not on:
            return await self._lines.usual()
        known = {line.name: line for line in await self._lines.all()}
        if unknown := [name for name in on if name not in known]:
            raise AbsentError(f"{', '.join(unknown)}: no such peer builds for this node; 'vupdate builders' lists them")
        return [known[name] for name in on]

    async def _at(self, line: BuilderLine, order: BuildOrder, asked: "_Asked", log: TaskLog) -> Delivered | None:
        try:
            return await self._orders.build(line, await self._handing_over.prepared(order, line), log)
        except TamperedError:
            raise
        except BuilderLostError as error:
            log(f"{line.name}: {error.message}; the order goes elsewhere")
            asked.lost.add(line.name)
            asked.refusals.append(f"{line.name}: {error.message}")
        except (ConflictError, UnreachableError, RemoteError) as error:
            # It may take the order later; another one may now.
            asked.may_help |= isinstance(error, UnreachableError) or _remote_code(error) == LOADED
            asked.refusals.append(f"{line.name}: {error.message}")
        except DeniedError:
            asked.refusals.append(f"{line.name}: {_NOT_GRANTED}")
        return None


@dataclass(slots=True)
class _Asked:
    """What became of asking all builders once. ``may_help``: whether one of them may take the order later."""

    refusals: list[str] = field(default_factory=list)
    lost: set[NodeName] = field(default_factory=set)
    may_help: bool = False


async def _look(line: BuilderLine) -> Builder | None:
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            state = await line.state()
            # A peer's words are its own: they must not steer a terminal.
            return Builder(name=line.name, kind=line.kind, state=replace(state, refusal=plain_text(state.refusal)))
    except TimeoutError:
        error = "it does not answer in time"
    except DeniedError:
        error = _NOT_GRANTED
    except NotCallingError:
        return None
    except VUpdateError as other:
        error = other.message
    return Builder(name=line.name, kind=line.kind, state=None, error=error)


def order_for(
    service: ServiceName, version: DeveloperVersion, sources: Iterable[BuiltSource], since: tuple[Source, ...] = ()
) -> BuildOrder:
    """An order to build ``version`` of ``sources``; ``since``: those of the version before.

    Raises:
        InvalidValueError: the address of a source holds credentials.
    """
    ordered = tuple(OrderedSource(name=one.name, url=one.url, ref=one.ref, directory=one.directory) for one in sources)
    for one in ordered:
        url = GitUrl.read(one.url)
        if url.header:
            raise InvalidValueError(
                f"the address of {url.plain} holds credentials, and goes to no peer: keep them by 'vupdate credential "
                "put', from where a builder can be handed them"
            )
    return BuildOrder(id=uuid.uuid4().hex, service=service, version=version, sources=ordered, since=since)


def _remote_code(error: VUpdateError) -> str:
    return error.remote_code if isinstance(error, PeerRefusalError) else ""
