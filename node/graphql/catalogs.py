"""What may be asked and changed of catalogues: their keys, and the withdrawing of versions."""

from typing import Final

import strawberry

from federation.catalog.roles import Role as CatalogRole
from federation.keys import PublicKey
from federation.limits import CATALOG_ROOT_BYTES, WITHDRAWAL_REASON_CHARS
from federation.names import ProfileName, ServiceName
from federation.versions import DeveloperVersion
from node.graphql import values
from node.graphql.access import field, require
from node.graphql.context import Context, Info
from node.graphql.types.catalog import Catalog, Ceremony, Withdrawal
from node.model.account import Role

_KEYS: Final = 32


def _check_right(context: Context, version: DeveloperVersion) -> None:
    """Developers speak for what this node made; for what others made, its administrator."""
    if version.node != context.usecases.identity.name:
        require(context.person, Role.ADMINISTRATOR)


@strawberry.type
class CatalogQueries:
    @field(Role.VIEWER, "The catalogues that this node publishes, by profile.")
    async def catalogs(self, info: Info) -> list[Catalog]:
        return [Catalog.of(one) for one in await info.context.usecases.catalog_keys.all()]

    @field(Role.VIEWER, "The catalogue of one profile.")
    async def catalog(self, info: Info, profile: str) -> Catalog:
        name = values.read("profile", ProfileName, profile)
        return Catalog.of(await info.context.usecases.catalog_keys.get(name))


@strawberry.type
class CatalogMutations:
    @field(
        Role.DEVELOPER,
        "Withdraw a version: it is offered no more, down the whole chain, and flagged where it runs. Versions that"
        " another node made need the role administrator.",
    )
    async def yank_version(self, info: Info, service: str, version: str, reason: str) -> Withdrawal:
        name = values.read("service", ServiceName, service)
        number = values.read("version", DeveloperVersion, version)
        _check_right(info.context, number)
        said = values.text("reason", reason.strip(), WITHDRAWAL_REASON_CHARS)
        yanked = await info.context.usecases.withdrawals.yank(name, number, reason=said, who=info.context.who)
        return Withdrawal.of(yanked)

    @field(
        Role.DEVELOPER,
        "Take the withdrawal of a version back. Versions that another node made need the role administrator.",
    )
    async def unyank_version(self, info: Info, service: str, version: str) -> bool:
        name = values.read("service", ServiceName, service)
        number = values.read("version", DeveloperVersion, version)
        _check_right(info.context, number)
        await info.context.usecases.withdrawals.unyank(name, number, who=info.context.who)
        return True

    @field(
        Role.ADMINISTRATOR,
        "Give roles of a catalogue new keys: at once if the root's keys are here, else in a root to be signed"
        " elsewhere.",
    )
    async def rotate_catalog_keys(self, info: Info, profile: str, roles: list[CatalogRole]) -> Ceremony:
        name = values.read("profile", ProfileName, profile)
        chosen = values.items("roles", roles, len(CatalogRole), lambda one: one)
        return Ceremony.of(await info.context.usecases.catalog_keys.rotate(name, chosen, who=info.context.who))

    @field(
        Role.ADMINISTRATOR,
        "Prepare the next root of a catalogue for signing elsewhere. `add`: public keys; `remove`: key ids.",
    )
    async def prepare_catalog_root(
        self,
        info: Info,
        profile: str,
        add: list[str] | None = None,
        remove: list[str] | None = None,
        threshold: int | None = None,
    ) -> Ceremony:
        prepared = await info.context.usecases.catalog_keys.prepare(
            values.read("profile", ProfileName, profile),
            add=values.items("add", add or [], _KEYS, lambda one: values.read("add", PublicKey, one)),
            remove=values.items("remove", remove or [], _KEYS, lambda one: values.text("remove", one, 64)),
            threshold=None if threshold is None else values.counted("threshold", threshold),
            who=info.context.who,
        )
        return Ceremony.of(prepared)

    @field(Role.ADMINISTRATOR, "Put a prepared root in force. `documents`: its signed copies.")
    async def publish_catalog_root(self, info: Info, profile: str, documents: list[str]) -> Ceremony:
        copies = values.items(
            "documents", documents, _KEYS, lambda one: values.text("documents", one, CATALOG_ROOT_BYTES).encode()
        )
        name = values.read("profile", ProfileName, profile)
        return Ceremony.of(await info.context.usecases.catalog_keys.publish_root(name, copies, who=info.context.who))
