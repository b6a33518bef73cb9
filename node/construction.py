"""The part of a node that has to do with building: here, at peers, and for them."""

from abc import ABC, abstractmethod
from functools import cached_property

from build.developer import build_developer
from node.foundation import Foundation
from node.hostload import present_load
from node.usecases.builder_lines import BuilderLines
from node.usecases.builds import Builds
from node.usecases.delegation import Delegation
from node.usecases.handing_over import HandingOver
from node.usecases.ordered_build import OrderedBuilds
from node.usecases.rebuilds import Rebuilds
from node.usecases.workshop import Workshop


class Construction(Foundation, ABC):
    """What builds, on a node's foundation. Who could build for it, its links say."""

    @property
    @abstractmethod
    def _builder_lines(self) -> BuilderLines: ...

    @cached_property
    def _builds(self) -> Builds:
        return Builds(
            node=self._settings.name,
            services=self._services,
            private_files=self._private_files,
            credentials=self._credentials,
            versions=self._versions,
            releases=self._releases,
            tasks=self._tasks,
            confining=self._confining,
            witness=self._witness,
            provenances=self._provenances,
            delegation=self._delegation,
            clock=self._clock,
            work=self._work,
        )

    @cached_property
    def _delegation(self) -> Delegation:
        orders = OrderedBuilds(
            images=self._images,
            tasks=self._tasks,
            credentials=self._credentials,
            handing_over=self._handing_over,
            clock=self._clock,
            work=self._work / "delegated",
        )
        return Delegation(lines=self._builder_lines, orders=orders, handing_over=self._handing_over, tasks=self._tasks)

    @cached_property
    def _handing_over(self) -> HandingOver:
        return HandingOver(
            own=self._key.public.id,
            entrusted=self._kept.entrusted,
            lines=self._builder_lines,
            private_files=self._private_files,
            credentials=self._credentials,
            hub=self._hub,
            audit=self._audit,
        )

    @cached_property
    def _rebuilds(self) -> Rebuilds:
        return Rebuilds(
            node=self._settings.name,
            versions=self._versions,
            images=self._images,
            provenances=self._provenances,
            delegation=self._delegation,
            private_files=self._private_files,
            confining=self._confining,
            witness=self._witness,
            credentials=self._credentials,
            tasks=self._tasks,
            clock=self._clock,
            work=self._work,
            build=build_developer,
        )

    @cached_property
    def _workshop(self) -> Workshop:
        build = self._settings.build
        return Workshop(
            key=self._key,
            confining=self._confining,
            witness=self._witness,
            tasks=self._tasks,
            hub=self._hub,
            clock=self._clock,
            work=self._work / "peers",
            most=build.peers,
            most_load=build.peers_load,
            sources=build.peers_sources,
            load=present_load,
            build=build_developer,
        )
