"""Sounds an alarm for each withdrawn version that is desired or runs here, until nothing of it does."""

import asyncio
from typing import Final

from federation.names import ServiceName
from federation.versions import DeveloperVersion
from node.model.desired import ListKind
from node.model.withdrawal import KeptWithdrawal
from node.usecases.alarms import Alarms
from node.usecases.changes import ChangeHub, Topic
from node.usecases.desired import Desired
from node.usecases.instances import Instances
from node.usecases.patience import patience
from node.usecases.withdrawals import Withdrawals

ALARM: Final = "withdrawn-running"
_TOPICS: Final = frozenset({Topic.DESIRED, Topic.INSTANCES, Topic.VERSIONS})
_PAUSE_SECONDS: Final = 1.0

_Key = tuple[ServiceName, DeveloperVersion]


class WithdrawnRunning:
    """Compares what was withdrawn with what is in use."""

    def __init__(
        self, *, withdrawals: Withdrawals, desired: Desired, instances: Instances, alarms: Alarms, hub: ChangeHub
    ) -> None:
        self._withdrawals = withdrawals
        self._desired = desired
        self._instances = instances
        self._alarms = alarms
        self._hub = hub

    async def run(self) -> None:
        """Look after each change, for as long as this runs."""
        async with self._hub.subscribe(_TOPICS) as changes:
            async with patience("withdrawals under the present key"):
                await self._withdrawals.renew()
            while True:
                async with patience("withdrawn versions"):
                    await self.look()
                # Agents report all the time: a second's reports are one look.
                await asyncio.sleep(_PAUSE_SECONDS)
                await anext(changes)

    async def look(self) -> None:
        """Sound and settle as is due now."""
        sounding = {one.subject: one.message for one in await self._alarms.all() if one.kind == ALARM}
        withdrawn = {one.version_key: one for one in await self._withdrawals.in_force()}
        used = await self.used() if withdrawn else {}
        due = {_subject(key): _message(withdrawn[key], where) for key, where in used.items() if key in withdrawn}
        for subject, message in due.items():
            if sounding.get(subject) != message:
                await self._alarms.sound(ALARM, subject, message)
        for subject in sounding.keys() - due.keys():
            await self._alarms.settle(ALARM, subject)

    async def used(self) -> dict[_Key, list[str]]:
        """Where each developer version is in use: desired here, or running on instances."""
        found: dict[_Key, list[str]] = {}
        developer = (await self._desired.current(ListKind.DEVELOPER)).developer
        client = (await self._desired.current(ListKind.CLIENT)).client
        for key in {*developer.items(), *((service, version.base) for service, version in client.items())}:
            found.setdefault(key, []).append("desired here")
        for instance in await self._instances.all():
            for state in instance.state.services if instance.state and not instance.revoked else ():
                if state.running is not None:
                    where = found.setdefault((state.key.service, state.running.base), [])
                    where.append(f"running on {instance.name}")
        return found


def _subject(key: _Key) -> str:
    return f"{key[0]}/{key[1]}"


def _message(withdrawn: KeptWithdrawal, where: list[str]) -> str:
    places = ", ".join(dict.fromkeys(where))
    return (
        f"{withdrawn.service} {withdrawn.version} was {withdrawn.told}; it is {places}: make another version desired "
        f"('vupdate desired set {withdrawn.service}=VERSION')"
    )
