"""Credentials for Git servers: which there are, and how an administrator puts and removes them. None is given back."""

import base64
import binascii
from typing import Final

import strawberry

from build.credential_check import SECRET_BYTES, USER_CHARS
from build.credentials import PREFIX_CHARS
from federation.errors import InvalidValueError, OversizedError
from node.graphql import values
from node.graphql.access import field
from node.graphql.context import Info
from node.graphql.types.credential import GitCredential
from node.model.account import Role

_CONTENT_CHARS: Final = (SECRET_BYTES + 2) // 3 * 4


def _content(argument: str, text: str) -> bytes:
    """What ``text`` stands for in base64; no refusal quotes it."""
    if len(text) > _CONTENT_CHARS:
        raise OversizedError(f"{argument}: at most {SECRET_BYTES} bytes")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidValueError(f"{argument}: not in base64") from error


@strawberry.type
class CredentialsQueries:
    @field(Role.ADMINISTRATOR, "The credentials that the node keeps for Git servers, by prefix; never what they are.")
    async def credentials(self, info: Info) -> list[GitCredential]:
        return [GitCredential.of(one) for one in await info.context.usecases.credentials.all()]


@strawberry.type
class CredentialsMutations:
    @field(
        Role.ADMINISTRATOR,
        "Keep a credential for the repositories whose addresses begin with `prefix` (https://… or ssh://user@host/…),"
        " in place of one for the same prefix. `secret`: a token or password, or an SSH private key, and `knownHosts`:"
        " both in base64, given as variables.",
    )
    async def put_credential(
        self, info: Info, prefix: str, secret: str, user: str = "", known_hosts: str = ""
    ) -> GitCredential:
        kept = await info.context.usecases.credentials.put(
            values.text("prefix", prefix, PREFIX_CHARS),
            _content("secret", secret),
            user=values.text("user", user, USER_CHARS),
            known_hosts=_content("knownHosts", known_hosts),
            who=info.context.who,
        )
        return GitCredential.of(kept)

    @field(Role.ADMINISTRATOR, "Keep a credential no more; what was built by it stays.")
    async def remove_credential(self, info: Info, prefix: str) -> bool:
        await info.context.usecases.credentials.remove(
            values.text("prefix", prefix, PREFIX_CHARS), who=info.context.who
        )
        return True
