"""One order at one builder: given, followed, supply with what it may have, and taken over once it is verified."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from build.giturl import GitUrl
from federation.clock import Clock
from federation.errors import AbsentError, DeniedError, TamperedError, UnreachableError, VUpdateError
from federation.image import Image
from federation.keys import PublicKey
from federation.link.answers import plain_text
from federation.link.builds import LEASE_SECONDS, BuildOrder, BuildReport, BuildStand
from federation.names import NodeName
from federation.provenance import SignedProvenance
from node.usecases.builder_lines import BuilderLine, BuilderLostError, PeerBuildError
from node.usecases.credentials import Credentials
from node.usecases.handing_over import HandingOver, Supply
from node.usecases.images import Images
from node.usecases.tasks import TaskLog, Tasks

RETRY_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.2
ORDER_SECONDS: Final = 6 * 3600.0
"""So long a builder may work on an order, and give what came out, whatever it says."""

_CANCEL_SECONDS: Final = 10.0
_DONE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What a builder gave: an image that is here whole, and its signed word on how it made it.

    ``comment``: what it says that the commits say. ``private_files``: the paths in the image at which private files
    stand that it was handed.
    """

    builder: NodeName
    image: Image
    signed: SignedProvenance
    comment: str = ""
    private_files: tuple[str, ...] = ()


class OrderedBuilds:
    """Gives orders to builders. ``work``: where their packs arrive."""

    def __init__(
        self,
        *,
        images: Images,
        tasks: Tasks,
        credentials: Credentials,
        handing_over: HandingOver,
        clock: Clock,
        work: Path,
    ) -> None:
        self._images = images
        self._tasks = tasks
        self._credentials = credentials
        self._handing_over = handing_over
        self._clock = clock
        self._work = work

    async def build(self, line: BuilderLine, order: BuildOrder, log: TaskLog) -> Delivered:
        """Have the builder at ``line`` carry out ``order``, which no other try shares.

        Raises:
            BuilderLostError, DeniedError, PeerRefusalError, UnreachableError: it does not take the order, or lost it.
            PeerBuildError: it failed there, or needs what it may not have.
            TamperedError, OversizedError: what the builder gave is not what it says.
        """
        taken = await line.offer(order)
        self._tasks.tell_wait(log.task, "")
        log(f"{line.name} took the order {order.id}")
        ended = False
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                delivered = await self._carried_out(line, order, taken.sealing, log)
            ended = True
            return delivered
        except TimeoutError as error:
            raise PeerBuildError(f"the build at {line.name} was not done in {ORDER_SECONDS / 3600:.0f} h") from error
        finally:
            await asyncio.shield(_dismiss(line, order.id, patient=not ended))

    async def _carried_out(self, line: BuilderLine, order: BuildOrder, sealing: bytes, log: TaskLog) -> Delivered:
        supply = await self._handing_over.begin(order, sealing, line, log)
        report = await self._followed(line, order, supply, log)
        if report.stand is not BuildStand.SUCCEEDED or report.provenance is None:
            hint = await self._credentials.hint(one.url for one in order.sources) if not order.credentials else ""
            raise PeerBuildError(
                f"the build at {line.name} {report.stand.value}: {report.why or 'no reason given'}{hint}"
            )
        signed = _verified(report.provenance, line.name, line.key, order)
        try:
            image = await self._fetch(line, order.id, signed)
        except AbsentError as error:
            raise BuilderLostError(f"it does not have what it built any more ({error.message})") from error
        return Delivered(
            builder=line.name,
            image=image,
            signed=signed,
            comment=_comment(report.comment),
            private_files=supply.places_in(image),
        )

    async def _followed(self, line: BuilderLine, order: BuildOrder, supply: Supply, log: TaskLog) -> BuildReport:
        """Ask until the order is over; its log goes to ``log``."""
        seen, heard = 0, self._clock.now()
        while True:
            try:
                report = await line.report(order.id, after=seen)
                await supply.supply(report.wants)
            except UnreachableError as error:
                if self._clock.now() - heard > timedelta(seconds=LEASE_SECONDS):
                    raise BuilderLostError(
                        f"it could not be asked for {LEASE_SECONDS:.0f} s ({error.message})"
                    ) from error
                self._tasks.tell_wait(log.task, f"{line.name} can't be reached: {error.message}")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except DeniedError as error:
                raise BuilderLostError(f"it lets this node ask no more ({error.message})") from error
            except (PeerBuildError, TamperedError):
                raise
            except VUpdateError as error:
                raise BuilderLostError(f"it does not know the order any more ({error.message})") from error
            heard = self._clock.now()
            self._tasks.tell_wait(log.task, f"queued at {line.name}: {report.why}" if report.why and not seen else "")
            fresh = [record for record in report.log if record.sequence > seen]
            for record in fresh:
                seen = max(seen, record.sequence)
                log(f"{line.name}: {record.message}", record.level)
            if not fresh:
                if report.stand.is_over:
                    return report
                # An honest builder waits for news before it answers; one that doesn't is not asked without a pause.
                await asyncio.sleep(PAUSE_SECONDS)

    async def _fetch(self, line: BuilderLine, order: str, signed: SignedProvenance) -> Image:
        """Bring the image here that the builder says it made."""
        target = self._work / f"{order}.pack"
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        try:
            await line.fetch(order, target)
            got = await self._images.salvage(target, expected=signed.provenance.image, base=None)
            if got.missing or got.wrong is not None:
                raise TamperedError(f"{line.name} sent another image than it says it built: refused")
            await self._images.complete(got.image)
            return got.image
        finally:
            await asyncio.to_thread(target.unlink, missing_ok=True)


async def _dismiss(line: BuilderLine, order: str, *, patient: bool) -> None:
    """Tell the builder that the order is over for us; one that can't be told ends it with its lease."""
    with contextlib.suppress(VUpdateError, TimeoutError):
        async with asyncio.timeout(_CANCEL_SECONDS if patient else _DONE_SECONDS):
            await line.cancel(order)


def _comment(text: str) -> str:
    """A comment from elsewhere, without what could steer a terminal."""
    lines = filter(None, map(plain_text, text.splitlines()))
    return "\n".join(lines)


def _verified(content: bytes, name: NodeName, key: PublicKey, order: BuildOrder) -> SignedProvenance:
    """What the builder says of the build, once it is seen to be its own word about this very order.

    Raises:
        TamperedError: it is not.
    """
    signed = SignedProvenance.from_bytes(content)
    said = signed.provenance
    if said.builder.key != key:
        raise TamperedError(f"{name} sent the word of another builder: refused")
    ordered = {(one.name, GitUrl.read(one.url).plain, one.ref, one.directory) for one in order.sources}
    built = {(one.name, one.url, one.ref, one.directory) for one in said.sources}
    same = (said.service, said.version, said.invocation) == (order.service, order.version, order.id)
    if not same or ordered != built:
        raise TamperedError(f"{name} built something else than was ordered: refused")
    return signed
