"""Keeps what an operator must look at, until its cause is gone.

An alarm that begins is a line in the log and an entry of the audit log; the same one again only counts. What sounds
and when it is settled, the use case that knows the cause decides.
"""

from typing import Final

import structlog

from federation.clock import Clock
from federation.errors import AbsentError, ConflictError, ExistsError
from node.model.alarm import MESSAGE_CHARS, SUBJECT_CHARS, Alarm, alarm_id
from node.storage.port import Order
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic

INDEXES: Final = ("last_seen",)
MOST: Final = 1000
_ATTEMPTS: Final = 20
_WHO: Final = "node"

_log = structlog.get_logger(__name__)


class Alarms:
    """The alarms of this node."""

    def __init__(self, kept: Repository[Alarm], hub: ChangeHub, audit: Audit, clock: Clock) -> None:
        self._kept = kept
        self._hub = hub
        self._audit = audit
        self._clock = clock

    async def all(self, first: int = MOST) -> list[Alarm]:
        """The ``first`` alarms met last, dismissed ones too, the newest first."""
        return await self._kept.find(order=(Order("last_seen", descending=True),), limit=first)

    async def open(self) -> list[Alarm]:
        """Those that nobody has dismissed, the newest first."""
        return [alarm for alarm in await self.all() if alarm.is_open]

    async def sound(self, kind: str, subject: str, message: str) -> None:
        """Something is wrong: ``message`` says what, and what to do. The same kind and subject are one alarm."""
        subject, message = subject[:SUBJECT_CHARS], message[:MESSAGE_CHARS]
        now = self._clock.now()
        fresh = Alarm(kind=kind, subject=subject, message=message, first_seen=now, last_seen=now)
        before, present = await self._met(fresh)
        if before is None or (before.dismissed is not None and present.is_open):
            _log.error("alarm", kind=kind, subject=subject, problem=message)
            await self._audit.record(_WHO, "alarm", f"{present.id}: {message}")
        elif before.message != message:
            _log.warning("alarm changed", kind=kind, subject=subject, problem=message)
        self._hub.publish(Topic.ALARMS, present.id)

    async def _met(self, fresh: Alarm) -> tuple[Alarm | None, Alarm]:
        """The alarm before (``None``: it is new) and after it was met now."""
        for _ in range(_ATTEMPTS):
            before = await self._kept.get(fresh.id)
            try:
                if before is None:
                    await self._make_room()
                    await self._kept.add(fresh)
                    return None, fresh
                # The one that was changed may not be the one read above: whoever brought it back has told of it.
                return before, await self._kept.change(fresh.id, lambda one: one.again(fresh.message, fresh.last_seen))
            except (ExistsError, AbsentError):
                continue  # sounded or settled by another in between
        raise ConflictError(f"the alarm {fresh.id} keeps coming and going: try again later")

    async def _make_room(self) -> None:
        """Whoever can make this node sound must not fill its disk: the one met longest ago gives way."""
        if await self._kept.count() < MOST:
            return
        for oldest in await self._kept.find(order=(Order("last_seen"),), limit=1):
            _log.warning("too many alarms: the oldest is forgotten", kind=oldest.kind, subject=oldest.subject)
            await self._kept.remove(oldest.id)

    async def settle(self, kind: str, subject: str) -> None:
        """The cause is gone: the alarm goes too, if there is one; the audit log keeps that it was."""
        key = alarm_id(kind, subject)
        alarm = await self._kept.get(key)
        if alarm is None or not await self._kept.remove(key):
            return
        _log.info("alarm settled", kind=kind, subject=subject)
        await self._audit.record(_WHO, "alarm-settled", f"{key}, met {alarm.count} times")
        self._hub.publish(Topic.ALARMS, key)

    async def dismiss(self, alarm: str, *, who: str) -> Alarm:
        """Hide an alarm until it sounds with another message.

        Raises:
            AbsentError: there is none with this id.
        """
        now = self._clock.now()
        hidden = await self._kept.change(alarm, lambda one: one.hidden(who, now))
        await self._audit.record(who, "dismiss-alarm", alarm)
        self._hub.publish(Topic.ALARMS, alarm)
        return hidden
