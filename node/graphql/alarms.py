"""Alarms: what may be asked of them, and how one is dismissed."""

from typing import Final

import strawberry

from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.alarm import Alarm
from node.model.account import Role
from node.model.alarm import SUBJECT_CHARS

_ID_CHARS: Final = SUBJECT_CHARS + 50


@strawberry.type
class AlarmsQueries:
    @field(Role.VIEWER, "What an operator must look at, the newest first; with `dismissed`: what was hidden, too.")
    async def alarms(self, info: Info, *, dismissed: bool = False, first: int = 100) -> list[Alarm]:
        alarms, most = info.context.usecases.alarms, values.page(first)
        found = await alarms.all() if dismissed else await alarms.open()
        return [Alarm.of(one) for one in found[:most]]


@strawberry.type
class AlarmsMutations:
    @field(Role.ADMINISTRATOR, "Hide an alarm until it sounds with another message.")
    async def dismiss_alarm(self, info: Info, id: strawberry.ID) -> Alarm:  # noqa: A002  # the argument's name in the API
        key = values.text("id", id, _ID_CHARS)
        return Alarm.of(await info.context.usecases.alarms.dismiss(key, who=info.context.who))
