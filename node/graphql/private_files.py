"""Private files: which there are, and how an administrator puts and removes them. None gives their contents."""

import base64
import binascii
from typing import Final

import strawberry

from build.private import private_target
from federation import limits
from federation.errors import InvalidValueError, OversizedError
from federation.names import PrivateFileName, ServiceName
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.private import PrivateFile
from node.model.account import Role

_CONTENT_CHARS: Final = (limits.PRIVATE_FILE_BYTES + 2) // 3 * 4


def _content(text: str) -> bytes:
    """What ``text`` stands for in base64; no refusal quotes it."""
    if len(text) > _CONTENT_CHARS:
        raise OversizedError(f"content: a private file has at most {limits.PRIVATE_FILE_BYTES} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidValueError("content: not in base64") from error


@strawberry.type
class PrivateFilesQueries:
    @field(Role.VIEWER, "The private files that the node keeps for a service, by name; never what is in them.")
    async def private_files(self, info: Info, service: str) -> list[PrivateFile]:
        found = await info.context.usecases.private_files.find(values.read("service", ServiceName, service))
        return [PrivateFile.of(one) for one in found]


@strawberry.type
class PrivateFilesMutations:
    @field(
        Role.ADMINISTRATOR,
        "Keep a private file of a service, in place of one of the same name. `content`: in base64, given as a variable."
        " `into`: where it goes in each client version of this node; null: as before, or where a recipe names it.",
    )
    async def put_private_file(
        self, info: Info, service: str, name: str, content: str, into: str | None = None
    ) -> PrivateFile:
        file = await info.context.usecases.private_files.put(
            values.read("service", ServiceName, service),
            values.read("name", PrivateFileName, name),
            _content(content),
            into=values.maybe("into", private_target, into),
            who=info.context.who,
        )
        return PrivateFile.of(file)

    @field(Role.ADMINISTRATOR, "Keep a private file no more; versions that were made with it have it still.")
    async def remove_private_file(self, info: Info, service: str, name: str) -> bool:
        await info.context.usecases.private_files.remove(
            values.read("service", ServiceName, service),
            values.read("name", PrivateFileName, name),
            who=info.context.who,
        )
        return True
