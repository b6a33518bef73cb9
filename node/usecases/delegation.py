"""Has peers build: finds one that takes the order, follows it, and takes over what came out once it is verified.

The order goes to providers of this node that granted it; they are asked, so none has to reach this node. A builder that
can't be reached until its lease has run out counts as gone, and the order goes to the next one. A builder is believed
that an image came from its build, which its signature says, and no more: the image's bytes are checked against that.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from build.giturl import GitUrl
from federation import codec
from federation.clock import Clock
from federation.errors import (
    ConflictError,
    DeniedError,
    InvalidValueError,
    RemoteError,
    TamperedError,
    UnreachableError,
    VUpdateError,
)
from federation.image import Image
from federation.limits import IMAGE_BYTES, RESPONSE_BODY_BYTES
from federation.link.answers import PeerRefusalError
from federation.link.builds import (
    LEASE_SECONDS,
    LOADED,
    BuilderState,
    BuildOrder,
    BuildReport,
    BuildStand,
    OrderedSource,
)
from federation.names import NodeName, ServiceName
from federation.provenance import BuiltSource, SignedProvenance
from federation.versions import DeveloperVersion
from node.model.peer import Provider
from node.usecases.credentials import Credentials
from node.usecases.images import Images
from node.usecases.links import Links
from node.usecases.peers import ConnectPeer, Peer
from node.usecases.tasks import TaskLog, Tasks

PATH: Final = "/federation/v1/builds"
STATE_PATH: Final = "/federation/v1/builder"
_RETRY_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.2
_ORDER_SECONDS: Final = 6 * 3600.0
"""So long a builder may work on an order, whatever it says."""

_LOADED_SECONDS: Final = 15.0
_CANCEL_SECONDS: Final = 10.0
_ASK_SECONDS: Final = 10.0
_PACK_MARGIN: Final = 64 * 1024 * 1024


class NoBuilderError(ConflictError):
    """No peer takes the order, and none will by waiting."""

    code = "no-builder"


class BuilderLostError(UnreachableError):
    """A builder could not be asked until its lease had run out, or does not know the order any more."""

    code = "builder-lost"


class PeerBuildError(VUpdateError):
    """The build failed at the builder; the log has what it said."""

    code = "build-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """A provider as a builder. ``state``: as it says; ``None``: it gave none, and ``error`` says why."""

    name: NodeName
    state: BuilderState | None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a builder gave: an image that is here whole, and its signed word on how it made it."""

    builder: NodeName
    image: Image
    signed: SignedProvenance


class Delegation:
    """Builds at peers. ``work``: where their packs arrive."""

    def __init__(
        self,
        *,
        links: Links,
        images: Images,
        tasks: Tasks,
        credentials: Credentials,
        connect: ConnectPeer,
        clock: Clock,
        work: Path,
    ) -> None:
        self._links = links
        self._images = images
        self._tasks = tasks
        self._credentials = credentials
        self._connect = connect
        self._clock = clock
        self._work = work

    async def builders(self) -> list[Builder]:
        """All providers, each with whether it takes an order of ours now."""
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._look(one)) for one in await self._links.providers()]
        return [look.result() for look in looks]

    async def _look(self, provider: Provider) -> Builder:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                content = await self._connect(provider.url, provider.key).get(
                    STATE_PATH, most_bytes=RESPONSE_BODY_BYTES
                )
            return Builder(name=provider.name, state=codec.decode(content, BuilderState))
        except TimeoutError:
            return Builder(name=provider.name, state=None, error="it does not answer in time")
        except DeniedError:
            return Builder(name=provider.name, state=None, error="it has not granted this node to have builds run")
        except VUpdateError as error:
            return Builder(name=provider.name, state=None, error=error.message)

    async def build(self, order: BuildOrder, on: Sequence[NodeName], log: TaskLog) -> Delivered:
        """Have ``order`` built by the first of ``on`` that takes it; by any provider where that is empty.

        Waits where all are loaded. Lines of the builder's log go to ``log``.

        Raises:
            NoBuilderError: nobody takes it, and waiting would not help.
            PeerBuildError: it failed there.
            TamperedError, OversizedError: what the builder gave is not what it says.
        """
        gone: set[NodeName] = set()
        while True:
            names = list(on) or [one.name for one in await self._links.providers()]
            refusals: list[str] = []
            may_help = False
            for name in names:
                if name in gone:
                    continue
                try:
                    return await self._at(await self._links.provider(name), order, log)
                except TamperedError:
                    raise
                except BuilderLostError as error:
                    log(f"{name}: {error.message}; the order goes elsewhere")
                    gone.add(name)
                    refusals.append(f"{name}: {error.message}")
                except (ConflictError, UnreachableError, RemoteError) as error:
                    # It may take the order later; another one may now.
                    may_help |= isinstance(error, UnreachableError) or _remote_code(error) == LOADED
                    refusals.append(f"{name}: {error.message}")
                except DeniedError:
                    refusals.append(f"{name}: it has not granted this node to have builds run")
            told = "; ".join(refusals) or "this node has no provider, and so nobody to build for it"
            if not may_help:
                raise NoBuilderError(f"no peer builds {order.service} {order.version}: {told}")
            self._tasks.tell_wait(log.task, f"waits for a builder: {told}")
            await asyncio.sleep(_LOADED_SECONDS)

    async def _at(self, provider: Provider, order: BuildOrder, log: TaskLog) -> Delivered:
        # Each try is an order of its own: what a lost builder still makes of the last one is not mixed up with it.
        tried = BuildOrder(id=uuid.uuid4().hex, service=order.service, version=order.version, sources=order.sources)
        peer = self._connect(provider.url, provider.key)
        await peer.post(PATH, codec.encode(tried))
        self._tasks.tell_wait(log.task, "")
        log(f"{provider.name} took the order {tried.id}")
        ended = False
        try:
            async with asyncio.timeout(_ORDER_SECONDS):
                report = await self._followed(peer, provider.name, tried, log)
            if report.stand is not BuildStand.SUCCEEDED or report.provenance is None:
                hint = await self._credentials.hint(one.url for one in tried.sources)
                raise PeerBuildError(
                    f"the build at {provider.name} {report.stand.value}: {report.why or 'no reason given'}{hint}"
                )
            signed = _verified(report.provenance, provider, tried)
            image = await self._fetch(peer, provider.name, tried.id, signed)
            ended = True
            return Delivered(builder=provider.name, image=image, signed=signed)
        except TimeoutError as error:
            raise PeerBuildError(
                f"the build at {provider.name} was not done in {_ORDER_SECONDS / 3600:.0f} h"
            ) from error
        finally:
            await asyncio.shield(self._dismiss(peer, tried.id, patient=not ended))

    async def _followed(self, peer: Peer, name: NodeName, order: BuildOrder, log: TaskLog) -> BuildReport:
        """Ask until the order is over; its log goes to ``log``."""
        seen, heard = 0, self._clock.now()
        while True:
            try:
                query = {"after": str(seen)}
                content = await peer.get(f"{PATH}/{order.id}", query, most_bytes=RESPONSE_BODY_BYTES)
                report = codec.decode(content, BuildReport)
            except UnreachableError as error:
                if self._clock.now() - heard > timedelta(seconds=LEASE_SECONDS):
                    raise BuilderLostError(
                        f"it could not be asked for {LEASE_SECONDS:.0f} s ({error.message})"
                    ) from error
                self._tasks.tell_wait(log.task, f"{name} can't be reached: {error.message}")
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            except DeniedError as error:
                raise BuilderLostError(f"it lets this node ask no more ({error.message})") from error
            except VUpdateError as error:
                raise BuilderLostError(f"it does not know the order any more ({error.message})") from error
            heard = self._clock.now()
            self._tasks.tell_wait(log.task, f"queued at {name}: {report.why}" if report.why and not seen else "")
            fresh = [record for record in report.log if record.sequence > seen]
            for record in fresh:
                seen = max(seen, record.sequence)
                log(f"{name}: {record.message}", record.level)
            if not fresh:
                if report.stand.is_over:
                    return report
                # An honest builder waits for news before it answers; one that doesn't is not asked without a pause.
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _fetch(self, peer: Peer, name: NodeName, order_id: str, signed: SignedProvenance) -> Image:
        """Bring the image here that the builder says it made."""
        target = self._work / f"{order_id}.pack"
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        try:
            await peer.download(f"{PATH}/{order_id}/pack", {}, target, most_bytes=IMAGE_BYTES + _PACK_MARGIN)
            got = await self._images.salvage(target, expected=signed.provenance.image, base=None)
            if got.missing or got.wrong is not None:
                raise TamperedError(f"{name} sent another image than it says it built: refused")
            await self._images.complete(got.image)
            return got.image
        finally:
            await asyncio.to_thread(target.unlink, missing_ok=True)

    async def _dismiss(self, peer: Peer, order_id: str, *, patient: bool) -> None:
        """Tell the builder that the order is over for us; one that can't be told ends it with its lease."""
        with contextlib.suppress(VUpdateError, TimeoutError):
            async with asyncio.timeout(_CANCEL_SECONDS if patient else _ASK_SECONDS / 5):
                await peer.post(f"{PATH}/{order_id}/cancel", b"{}")


def order_for(service: ServiceName, version: DeveloperVersion, sources: Iterable[BuiltSource]) -> BuildOrder:
    """An order to build ``version`` of ``sources``.

    Raises:
        InvalidValueError: a source can be had with credentials only, and those are given to no peer.
    """
    ordered = tuple(OrderedSource(name=one.name, url=one.url, ref=one.ref, directory=one.directory) for one in sources)
    for one in ordered:
        url = GitUrl.read(one.url)
        if url.header:
            raise InvalidValueError(
                f"{url.plain} is reached with credentials: they are given to no peer; build it here"
            )
    return BuildOrder(id=uuid.uuid4().hex, service=service, version=version, sources=ordered)


def _remote_code(error: VUpdateError) -> str:
    return error.remote_code if isinstance(error, PeerRefusalError) else ""


def _verified(content: bytes, provider: Provider, order: BuildOrder) -> SignedProvenance:
    """What the builder says of the build, once it is seen to be its own word about this very order.

    Raises:
        TamperedError: it is not.
    """
    signed = SignedProvenance.from_bytes(content)
    said = signed.provenance
    if said.builder.key != provider.key:
        raise TamperedError(f"{provider.name} sent the word of another builder: refused")
    ordered = {(one.name, one.ref, one.directory) for one in order.sources}
    built = {(one.name, one.ref, one.directory) for one in said.sources}
    same = (said.service, said.version, said.invocation) == (order.service, order.version, order.id)
    if not same or ordered != built:
        raise TamperedError(f"{provider.name} built something else than was ordered: refused")
    return signed
