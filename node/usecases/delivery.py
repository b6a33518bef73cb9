"""Delivers what waits in the outbox: to each provider one thing at a time, tried until it is taken.

Providers do not wait for each other. What is sent is made at the last moment, by the sender of its kind, so that the
settings of the link hold for what has waited too.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

import structlog

from federation import outbox
from federation.clock import Clock
from federation.digest import Digest
from federation.errors import DeniedError, LocalError, VUpdateError
from federation.link.answers import PeerRefusalError
from federation.link.rights import Right
from federation.names import NodeName
from federation.outbox import Entry, Standing
from federation.tally import SETTINGS
from node.model.peer import Provider
from node.model.report import SentLetter
from node.usecases.changes import Change, ChangeHub, Topic
from node.usecases.links import Links
from node.usecases.outbox import Outbox
from node.usecases.patience import patience
from node.usecases.peers import ConnectPeer

_LOOK_ANYWAY_SECONDS: Final = 60.0
_PRUNE_SECONDS: Final = 3600.0
_BODY_KEPT_BYTES: Final = 256 * 1024
_log = structlog.get_logger(__name__)


class NoRightError(DeniedError):
    """The provider gave this node no right to send this."""

    code = outbox.NO_RIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is posted to a route of a provider."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Nothing is sent, and ``why``. ``counted``: its number is told all the same."""

    why: str
    counted: bool


class Sender(Protocol):
    """What one kind of outbox entries stands for."""

    @property
    def right(self) -> Right:
        """What the provider has to allow."""
        ...

    @property
    def always(self) -> bool:
        """Whether there is a letter of this kind at any time, even when none waits."""
        ...

    async def letter(self, entry: Entry, provider: Provider) -> Letter | Withheld:
        """What to send of ``entry``, as the link to ``provider`` says; ``AbsentError`` when it is gone."""
        ...

    async def delivered(self, entry: Entry) -> None:
        """Note that the provider took it."""
        ...


class Delivery:
    """The way up from this node. ``senders``: by the kind of entry."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        links: Links,
        senders: Mapping[str, Sender],
        connect: ConnectPeer,
        hub: ChangeHub,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._outbox = outbox
        self._links = links
        self._senders = senders
        self._connect = connect
        self._hub = hub
        self._clock = clock
        self._rng = rng

    async def run(self) -> None:
        """Deliver for as long as this runs."""
        busy: set[NodeName] = set()
        async with self._hub.subscribe(frozenset({Topic.LINKS})) as changes, asyncio.TaskGroup() as group:

            async def deliver(name: NodeName) -> None:
                async with patience("outbox"):
                    await self.deliver(name)
                busy.discard(name)
                self._outbox.wake()

            group.create_task(self._listen(changes))
            group.create_task(self._tidy())
            while True:
                self._outbox.woken.clear()
                wakes: list[datetime] = []
                async with patience("outbox"):
                    for provider in await self._links.providers():
                        wake = None if provider.name in busy else await self._wake(provider)
                        if wake is not None and wake <= self._clock.now():
                            busy.add(provider.name)
                            group.create_task(deliver(provider.name))
                        elif wake is not None:
                            wakes.append(wake)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause(wakes)):
                        await self._outbox.woken.wait()

    def _pause(self, wakes: list[datetime]) -> float:
        if not wakes:
            return _LOOK_ANYWAY_SECONDS
        return min(_LOOK_ANYWAY_SECONDS, max(0.0, (min(wakes) - self._clock.now()).total_seconds()))

    async def _listen(self, changes: AsyncIterator[Change]) -> None:
        async for change in changes:
            async with patience("outbox"):
                await self._reopen(change.subject)
            self._outbox.wake()

    async def _reopen(self, subject: str) -> None:
        """What was refused for want of a right goes once the right is given."""
        for provider in await self._links.providers():
            if subject in ("", provider.name):
                kinds = [kind for kind, sender in self._senders.items() if sender.right in provider.rights]
                await self._outbox.reopen(provider.name, kinds)

    async def _tidy(self) -> None:
        async with patience("outbox"):
            await self._outbox.recover()
        while True:
            async with patience("outbox"):
                await self._outbox.prune({provider.name for provider in await self._links.providers()})
            await asyncio.sleep(_PRUNE_SECONDS)

    async def _wake(self, provider: Provider) -> datetime | None:
        """When there is something to do for ``provider``; ``None``: not before something changes."""
        if provider.ended is not None:
            return None
        wake = outbox.next_wake(*await self._outbox.heads(provider.name))
        if wake is None:
            return None
        due = (await self._outbox.checkpoint(provider.name)).due
        return wake if due is None else max(wake, due)

    async def deliver(self, name: NodeName) -> None:
        """Send all that is due to one provider, one after the other."""
        while await self._deliver_one(name):
            pass

    async def _deliver_one(self, name: NodeName) -> bool:
        """Whether there may be more to do at once."""
        provider = await self._provider(name)
        now = self._clock.now()
        if provider is None or provider.ended or not (await self._outbox.checkpoint(name)).is_open(now):
            return False
        entry = outbox.next_entry(*await self._outbox.heads(name), now)
        if entry is None:
            return False
        with self._outbox.sending(entry):
            return await self._send(provider, entry)

    async def _provider(self, name: NodeName) -> Provider | None:
        return next((one for one in await self._links.providers() if one.name == name), None)

    async def _send(self, provider: Provider, entry: Entry) -> bool:
        try:
            letter = await self._letter(provider, entry)
        except VUpdateError as error:
            return await self._failed(entry, error.code, error.message)
        if isinstance(letter, Withheld):
            standing = Standing.COUNTED if letter.counted else Standing.WITHHELD
            settled = outbox.settled(entry, standing, letter.why, self._clock.now(), code=SETTINGS)
            await self._outbox.settle(entry, settled)
            return True
        try:
            await self._connect(provider.url, provider.key).post(letter.path, letter.body)
        except VUpdateError as error:
            return await self._refused(provider, entry, error)
        await self._delivered(provider, entry, letter)
        return True

    async def _letter(self, provider: Provider, entry: Entry) -> Letter | Withheld:
        sender = self._sender(entry)
        if sender.right not in provider.rights:
            raise NoRightError(f"{provider.name} gave this node no right to send this ({sender.right.value})")
        return await sender.letter(entry, provider)

    def _sender(self, entry: Entry) -> Sender:
        sender = self._senders.get(entry.kind)
        if sender is None:
            raise LocalError(f"this version of vUpdate can't send a {entry.kind!r}: was it made by a newer one?")
        return sender

    async def _delivered(self, provider: Provider, entry: Entry, letter: Letter) -> None:
        now = self._clock.now()
        await self._senders[entry.kind].delivered(entry)
        sent = _as_sent(entry, letter, now)
        await self._outbox.keep_sent(sent if sent.size_bytes <= _BODY_KEPT_BYTES else replace(sent, body=None))
        await self._outbox.settle(entry, outbox.delivered(entry, now))
        checkpoint = await self._outbox.checkpoint(provider.name)
        if checkpoint.failures or checkpoint.reached is None:
            await self._outbox.set_checkpoint(checkpoint.passed(now))

    async def _refused(self, provider: Provider, entry: Entry, error: VUpdateError) -> bool:
        """The provider's own refusal of this entry is the entry's trouble; all else is that of the way."""
        if isinstance(error, PeerRefusalError) and error.remote_code not in outbox.RECEIVER_CODES:
            code = error.remote_code
            if code == DeniedError.code and await self._lost_right(provider, entry):
                code = outbox.NO_RIGHT
            return await self._failed(entry, code, error.message)
        now = self._clock.now()
        checkpoint = await self._outbox.checkpoint(provider.name)
        await self._outbox.set_checkpoint(checkpoint.lost(error.message, now, self._rng))
        _log.info("provider takes nothing now", provider=provider.name, code=error.code, why=error.message)
        await self._links.heard(provider.name, error)
        return False

    async def _lost_right(self, provider: Provider, entry: Entry) -> bool:
        """Whether the provider took the right away and this node did not know yet."""
        try:
            now = await self._links.refresh_state(provider.name)
        except VUpdateError:
            return False
        return self._senders[entry.kind].right not in now.rights

    async def _failed(self, entry: Entry, code: str, message: str) -> bool:
        tried = outbox.failed(entry, code=code, message=message, now=self._clock.now(), rng=self._rng)
        _log.info("not delivered", entry=entry.id, standing=tried.standing.value, code=code, why=message)
        await self._outbox.settle(entry, tried)
        return True

    async def shown(self, entry_id: str) -> SentLetter | Withheld:
        """Exactly what was sent for an entry, or what would be sent now.

        Raises:
            AbsentError: there is no such entry, or what it sends is gone.
        """
        entry = await self._outbox.get(entry_id)
        sent = await self._outbox.sent(entry_id) if entry.standing is Standing.DELIVERED else None
        if sent is not None and sent.body is not None:
            return sent
        made = await self._made(entry)
        if sent is None or isinstance(made, Withheld):
            return made
        if made.digest != sent.digest:
            why = f"{sent.size_bytes} bytes with digest {sent.digest} were sent; made anew, it would be something else"
            return Withheld(why=why, counted=False)
        return replace(made, at=sent.at)

    async def _made(self, entry: Entry) -> SentLetter | Withheld:
        try:
            made = await self._letter(await self._links.provider(entry.receiver), entry)
        except NoRightError as error:
            return Withheld(why=error.message, counted=False)
        return made if isinstance(made, Withheld) else _as_sent(entry, made, self._clock.now())

    async def preview(self, name: NodeName, *, first: int) -> list[tuple[str, SentLetter | Withheld]]:
        """Exactly what the provider ``name`` would be sent now: each kind of report, and the first that wait.

        Raises:
            AbsentError: there is no such provider.
        """
        await self._links.provider(name)
        now = self._clock.now()
        waiting = [one for one in await self._outbox.entries(name, first=first) if one.standing in outbox.OPEN]
        kinds = [kind for kind, sender in self._senders.items() if sender.always]
        fresh = [outbox.queued(receiver=name, sequence=0, kind=kind, subject=kind, now=now) for kind in kinds]
        shown = [one for one in fresh if one.id not in {entry.id for entry in waiting}]
        return [(entry.id, await self._made(entry)) for entry in (*shown, *waiting)]


def _as_sent(entry: Entry, letter: Letter, at: datetime) -> SentLetter:
    return SentLetter(
        entry=entry.id,
        path=letter.path,
        digest=Digest.of(letter.body),
        size_bytes=len(letter.body),
        at=at,
        body=letter.body,
    )
