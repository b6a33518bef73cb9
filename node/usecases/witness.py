"""States in this node's name what it built, from what and how."""

from datetime import datetime
from typing import Final

from build.developer import Built, DeveloperBuild
from federation.clock import Clock
from federation.keys import PrivateKey
from federation.manifest import Maker
from federation.names import NodeName
from federation.provenance import BuiltSource, Provenance, SignedProvenance
from node import __version__

HEAD: Final = "HEAD"


class Witness:
    """Signs provenances of builds that this node carried out."""

    def __init__(self, *, node: NodeName, key: PrivateKey, clock: Clock) -> None:
        self._maker = Maker(node=node, key=key.public)
        self._key = key
        self._clock = clock

    def state(self, request: DeveloperBuild, built: Built, *, invocation: str, started: datetime) -> SignedProvenance:
        """That ``request`` gave ``built``; ``invocation``: the id of the task that did it."""
        asked = {one.name: one for one in request.sources}
        provenance = Provenance(
            service=request.service,
            version=request.version,
            image=built.image.digest,
            recipe=built.recipe,
            sources=tuple(
                BuiltSource(
                    name=one.name,
                    url=one.url,
                    commit=one.commit,
                    ref=asked[one.name].ref or HEAD,
                    directory=asked[one.name].directory,
                )
                for one in built.sources
            ),
            builder=self._maker,
            walls="sandbox" if request.confinement.sandbox else "process",
            network=built.network,
            invocation=invocation,
            started=started,
            finished=self._clock.now(),
            program=__version__,
        )
        return SignedProvenance.make(provenance, self._key)
