"""Names the sets of services that this node shares."""

from federation.errors import ConflictError
from federation.names import ProfileName
from federation.profile import Profile
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY


class Profiles:
    """The profiles of this node."""

    def __init__(self, kept: Repository[Profile], hub: ChangeHub, audit: Audit) -> None:
        self._kept = kept
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

    async def maybe(self, name: ProfileName) -> Profile | None:
        """One profile; ``None``: there is none of this name."""
        return await self._kept.get(name)

    async def find(self, name: ProfileName) -> Profile:
        """One profile; an empty one when there is none of this name, so that its consumers see nothing."""
        return await self._kept.get(name) or Profile(name=name, services=frozenset())

    async def set(self, profile: Profile, *, who: str) -> Profile:
        """Make ``profile`` what its name means from now on."""
        await self._kept.put(profile)
        self._hub.publish(Topic.PROFILES, profile.name)
        known = "public" if profile.public else "for linked consumers"
        await self._audit.record(who, "set-profile", f"{profile.name}, {known}: {', '.join(sorted(profile.services))}")
        return profile

    async def remove(self, name: ProfileName, *, who: str) -> None:
        """Forget a profile.

        Raises:
            AbsentError: there is none of this name.
        """
        await self._kept.require(name)
        if not await self._kept.remove(name):
            raise ConflictError(f"profile {name} was removed by someone else just now")
        self._hub.publish(Topic.PROFILES, name)
        await self._audit.record(who, "remove-profile", name)
