"""Keeps which services this node builds, from which sources, and how its site adapts each service."""

import asyncio
from dataclasses import replace

from federation.errors import AbsentError, InvalidValueError
from federation.names import ServiceName
from node.model.settings import Watch
from node.model.version import DevelopedService, SiteSettings
from node.storage.repository import Repository
from node.usecases.audit import Audit
from node.usecases.changes import ChangeHub, Topic
from node.usecases.ordering import BY_KEY


class Services:
    """The build configuration and the site settings of this node."""

    def __init__(
        self, developed: Repository[DevelopedService], sites: Repository[SiteSettings], hub: ChangeHub, audit: Audit
    ) -> None:
        self._developed = developed
        self._sites = sites
        self._hub = hub
        self._audit = audit
        self._changing = asyncio.Lock()

    async def developed(self) -> list[DevelopedService]:
        """The services that this node builds, by name."""
        return await self._developed.find(order=BY_KEY)

    async def get(self, name: ServiceName) -> DevelopedService:
        """One service that this node builds.

        Raises:
            AbsentError: it builds none of this name.
        """
        found = await self._developed.get(name)
        if found is None:
            raise AbsentError(f"this node builds no service {name}: add it with 'vupdate service add'")
        return found

    async def is_developed(self, name: ServiceName) -> bool:
        """Whether this node builds ``name``."""
        return await self._developed.get(name) is not None

    async def add(self, service: DevelopedService, *, who: str) -> DevelopedService:
        """Build ``service`` from its sources from now on; one of the same name is replaced.

        Raises:
            InvalidValueError: no source, or two of one name.
        """
        names = [source.name for source in service.sources]
        if not names or len(set(names)) != len(names):
            raise InvalidValueError(f"service {service.name} needs at least one source, each with its own name")
        await self._developed.put(service)
        await self._audit.record(who, "add-service", service.name)
        self._hub.publish(Topic.SERVICES, service.name)
        return service

    async def remove(self, name: ServiceName, *, who: str) -> None:
        """Build ``name`` no more; its versions stay."""
        await self.get(name)
        await self._developed.remove(name)
        await self._audit.record(who, "remove-service", name)
        self._hub.publish(Topic.SERVICES, name)

    async def sites(self) -> list[SiteSettings]:
        """The settings of all services that this site adapts, by name."""
        return await self._sites.find(order=BY_KEY)

    async def site(self, name: ServiceName) -> SiteSettings:
        """The settings of one service; empty ones when it is not adapted."""
        return await self._sites.get(name) or SiteSettings(service=name)

    async def set_site(self, settings: SiteSettings, *, who: str) -> SiteSettings:
        """Adapt a service by ``settings`` from now on; whether they are watched stays as it was."""
        async with self._changing:
            watch = (await self.site(settings.service)).watch
            kept = replace(settings, macros=dict(settings.macros or {}), watch=watch)
            await self._sites.put(kept)
        await self._audit.record(who, "set-site", settings.service)
        self._hub.publish(Topic.SERVICES, settings.service)
        return kept

    async def watch_site(self, name: ServiceName, watch: Watch, *, who: str) -> SiteSettings:
        """Say whether the settings of one service are watched; they stay as they are.

        Raises:
            AbsentError: this site has no settings for it.
        """
        async with self._changing:
            present = await self._sites.get(name)
            if present is None:
                raise AbsentError(f"this site has no settings for {name}: set them with 'vupdate service site'")
            kept = replace(present, watch=watch)
            await self._sites.put(kept)
        await self._audit.record(who, "watch-settings", f"{name}: {watch.value}")
        self._hub.publish(Topic.SERVICES, name)
        return kept
