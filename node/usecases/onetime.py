"""One-time secrets: of each only the digest is kept, and each is good for one use before it expires."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from federation.codec import Moment
from federation.digest import Digest
from federation.errors import AbsentError, DeniedError
from node.storage.repository import Repository


class OneTime(Protocol):
    """What is kept of a one-time secret."""

    @property
    def expires(self) -> Moment:
        """When it is over."""
        ...

    @property
    def spent(self) -> bool:
        """Whether it was used."""
        ...


_T = TypeVar("_T", bound=OneTime)


def secret_digest(secret: str) -> Digest:
    """What is kept of a one-time secret, and its key."""
    return Digest.of(secret.encode())


class OneTimeSecrets:
    """How secrets of one kind are refused. ``what``: what people call it; ``remedy``: what to do instead."""

    def __init__(self, what: str, remedy: str, refusal: type[DeniedError]) -> None:
        self._what = what
        self._remedy = remedy
        self._refusal = refusal

    async def peek(self, kept: Repository[_T], secret: str, now: Moment) -> _T:
        """What ``secret`` stands for, if it is still good; it stays so.

        Raises:
            DeniedError: of the kind named: unknown here, expired, or used.
        """
        found = await kept.get(secret_digest(secret))
        if found is None:
            raise self._refusal(f"this node knows no such {self._what}: {self._remedy}")
        return self._good(found, now)

    async def spend(self, kept: Repository[_T], secret: str, now: Moment, used: Callable[[_T], _T]) -> _T:
        """Use ``secret``: ``used`` of what it stands for is kept in its place. Of several at once, one succeeds.

        Raises:
            DeniedError: of the kind named: unknown here, expired, or used.
        """
        try:
            return await kept.change(secret_digest(secret), lambda present: used(self._good(present, now)))
        except AbsentError as error:
            raise self._refusal(f"this node knows no such {self._what}: {self._remedy}") from error

    def _good(self, found: _T, now: Moment) -> _T:
        if found.spent:
            raise self._refusal(f"this {self._what} was used before: {self._remedy}")
        if now >= found.expires:
            raise self._refusal(f"this {self._what} has expired: {self._remedy}")
        return found
