"""Puts the API together: its three roots, its limits, its errors.

Limits stand in the order in which they can refuse: length and tokens before anything is built from the text, then
validation, then the measure of what is asked for. Parsed and validated documents are kept, so that a page asking the
same again costs only the execution.
"""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from functools import cache
from typing import Any, Final

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import MaxTokensLimiter, ParserCache, SchemaExtension, ValidationCache
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError

from node.graphql.access import refuse_undeclared
from node.graphql.errors import presented
from node.graphql.measure import measured
from node.graphql.mutations import Mutation
from node.graphql.queries import Query
from node.graphql.subscriptions import Subscription

QUERY_CHARS: Final = 32_768
TOKENS: Final = 2000
DEPTH: Final = 15
ALIASES: Final = 50
COST: Final = 100_000
_KEPT_DOCUMENTS: Final = 128


class _LengthLimiter(SchemaExtension):
    """Refuses a text before it is parsed and kept; comments and strings may make it long with few tokens."""

    def on_parse(self) -> Iterator[None]:
        if len(self.execution_context.query or "") > QUERY_CHARS:
            raise GraphQLError(f"the document is longer than {QUERY_CHARS} characters")
        yield


class _ExtentLimiter(SchemaExtension):
    """Refuses a valid document that asks for too much, its variables known."""

    def on_execute(self) -> Iterator[None]:
        context = self.execution_context
        document, schema = context.graphql_document, context.schema._schema  # noqa: SLF001  # the only way to it
        if document is not None:
            extent = measured(schema, document, context.variables)
            for name, found, most in (
                ("deep", extent.depth, DEPTH),
                ("rich in aliases", extent.aliases, ALIASES),
                ("costly", extent.cost, COST),
            ):
                if found > most:
                    raise GraphQLError(f"the document is too {name}: {found}, and at most {most} is allowed")
        yield


_OF_THE_REQUEST = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)


class Api(strawberry.Schema):
    """A schema that presents every error it hands out, including those of its own extensions.

    An extension could not: what fails while a text is parsed does not reach the extensions' view of the result, and
    ends a stream without a word.
    """

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: ``presented`` logs each error, under the reference that its caller sees."""

    async def execute(self, *args: Any, **kwargs: Any) -> ExecutionResult:
        """The result of an operation, its errors presented; see ``strawberry.Schema.execute``."""
        return _presented(await super().execute(*args, **kwargs))

    async def stream(self, *args: Any, **kwargs: Any) -> Any:
        """The results of an operation, their errors presented; see ``strawberry.Schema.stream``."""
        return _presented_stream(await super().stream(*args, **kwargs))


def _presented(result: ExecutionResult) -> ExecutionResult:
    if result.errors:
        result.errors = [presented(error) for error in result.errors]
    return result


async def _presented_stream(results: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async with aclosing(results):
        try:
            async for result in results:
                yield _presented(result)
        except _OF_THE_REQUEST:
            raise
        except Exception as error:  # noqa: BLE001  # the top of a stream: its reader is told, once
            wrapped = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
            yield PreExecutionError(data=None, errors=[presented(wrapped)])


@cache
def schema() -> Api:
    """The API.

    Raises:
        TypeError: a root field declares no role.
    """
    refuse_undeclared(Query, Mutation, Subscription)
    return Api(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=TOKENS),
            _LengthLimiter,
            lambda: ParserCache(maxsize=_KEPT_DOCUMENTS),
            lambda: ValidationCache(maxsize=_KEPT_DOCUMENTS),
            _ExtentLimiter,
        ],
    )
