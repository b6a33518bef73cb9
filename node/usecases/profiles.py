"""Names the sets of services that this node shares."""

from dataclasses import dataclass
from typing import Final

from federation.errors import ConflictError
from federation.names import ProfileName
from federation.profile import Profile
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCount:
    """How often any profile was changed; part of an offer's serial, so it never goes back."""

    changes: int = 0


COUNT_KEY: Final = "count"


class Profiles:
    """The profiles of this node."""

    def __init__(
        self, kept: Repository[Profile], counts: Repository[ProfileCount], hub: ChangeHub, audit: Audit
    ) -> None:
        self._kept = kept
        self._counts = counts
        self._hub = hub
        self._audit = audit

    async def all(self) -> list[Profile]:
        """All profiles by name."""
        return await self._kept.find(order=BY_KEY)

    async def get(self, name: ProfileName) -> Profile:
        """One profile.

        Raises:
            AbsentError: there is none of this name.
        """
        return await self._kept.require(name)

    async def find(self, name: ProfileName) -> Profile:
        """One profile; an empty one when there is none of this name, so that its consumers see nothing."""
        return await self._kept.get(name) or Profile(name=name, services=frozenset())

    async def set(self, profile: Profile, *, who: str) -> Profile:
        """Make ``profile`` what its name means from now on."""
        await self._kept.put(profile)
        await self._changed(profile.name)
        await self._audit.record(who, "set-profile", f"{profile.name}: {', '.join(sorted(profile.services))}")
        return profile

    async def remove(self, name: ProfileName, *, who: str) -> None:
        """Forget a profile.

        Raises:
            AbsentError: there is none of this name.
        """
        await self._kept.require(name)
        if not await self._kept.remove(name):
            raise ConflictError(f"profile {name} was removed by someone else just now")
        await self._changed(name)
        await self._audit.record(who, "remove-profile", name)

    async def change_count(self) -> int:
        """How many changes of profiles there have been."""
        count = await self._counts.get(COUNT_KEY)
        return count.changes if count else 0

    async def _changed(self, name: ProfileName) -> None:
        if await self._counts.get(COUNT_KEY) is None:
            await self._counts.put(ProfileCount(changes=1))
        else:
            await self._counts.change(COUNT_KEY, lambda count: ProfileCount(changes=count.changes + 1))
        self._hub.publish(Topic.PROFILES, name)
