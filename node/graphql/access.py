"""Decides who may use which root field: each one declares the least role it needs, and is refused before it works."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

import strawberry
from strawberry.extensions.field_extension import AsyncExtensionResolver, FieldExtension
from strawberry.types import get_object_definition
from strawberry.types.field import StrawberryField

from federation.errors import DeniedError
from node.graphql.context import Context, Info
from node.model.account import Person, Role

_RENEW_SECONDS: Final = 10.0

Resolver = Callable[..., Any]


def require(person: Person | None, role: Role) -> None:
    """Let ``person`` pass if his role includes ``role``.

    Raises:
        DeniedError: it doesn't, or nobody is logged in.
    """
    if person is None:
        raise DeniedError("you are not logged in: use a log-in link, made by 'vupdate login' on the node's machine")
    if not person.role.includes(role):
        raise DeniedError(f"this needs the role {role.value}, and you are a {person.role.value}")


class NeedsRole(FieldExtension):
    """Refuses a field's caller before its resolver is called."""

    def __init__(self, role: Role) -> None:
        self.role = role

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any) -> Any:
        require(info.context.person, self.role)
        return await next_(source, info, **kwargs)


class _NeedsRoleThroughout(NeedsRole):
    """The same for a stream: its source is an asynchronous generator, which is handed on and not awaited."""

    async def resolve_async(self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any) -> Any:
        require(info.context.person, self.role)
        return next_(source, info, **kwargs)


def field(role: Role, description: str) -> Callable[[Resolver], Any]:
    """A field of Query or Mutation for callers with ``role``."""
    said = f"{description} Needs the role {role.value}."
    return lambda resolver: strawberry.field(resolver, description=said, extensions=[NeedsRole(role)])


def part(description: str) -> Callable[[Resolver], Any]:
    """A field of a type below the roots that is read only when it is asked for; who may reach it, its root decides."""
    return lambda resolver: strawberry.field(resolver, description=description)


def stream(role: Role, description: str) -> Callable[[Resolver], Any]:
    """A field of Subscription for callers with ``role``."""
    said = f"{description} Needs the role {role.value}."
    return lambda resolver: strawberry.subscription(resolver, description=said, extensions=[_NeedsRoleThroughout(role)])


def declared_role(one: StrawberryField) -> Role | None:
    """The role that a root field declares."""
    return next((extension.role for extension in one.extensions if isinstance(extension, NeedsRole)), None)


def _undeclared(root: type) -> Iterator[str]:
    for one in get_object_definition(root, strict=True).fields:
        if declared_role(one) is None:
            yield f"{root.__name__}.{one.python_name}"


def refuse_undeclared(*roots: type) -> None:
    """Stop the start of a node whose API has a root field that anyone could use.

    Raises:
        TypeError: naming the fields.
    """
    found = [name for root in roots for name in _undeclared(root)]
    if found:
        raise TypeError(f"root fields without a declared role: {', '.join(found)}")


class Standing:
    """Whether the caller of a subscription still has the right he had at its start; asked every ten seconds at most."""

    def __init__(self, context: Context, role: Role) -> None:
        self._renewed = context.renewed
        self._role = role
        self._asked = asyncio.get_running_loop().time()

    async def check(self) -> None:
        """Let the subscription go on.

        Raises:
            DeniedError: the caller logged out, or his role was taken from him.
        """
        now = asyncio.get_running_loop().time()
        if self._renewed is None or now - self._asked < _RENEW_SECONDS:
            return
        self._asked = now
        require(await self._renewed(), self._role)
