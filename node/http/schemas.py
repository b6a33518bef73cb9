"""Publishes the JSON Schema of recipes, for editors: whoever writes a recipe need not have vUpdate installed."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from quart import Response

from build.recipe import recipe_schema
from federation.digest import Digest
from node.http.route import Access, Call, Route

SCHEMA_PATH: Final = "/schema/vupdate.toml.json"
_MOST_TAGS_CHARS: Final = 2000


@dataclass(frozen=True)
class _Document:
    content: bytes

    @cached_property
    def tag(self) -> str:
        """Its entity tag, strong (RFC 9110 §8.8.3)."""
        return f'"{Digest.of(self.content)}"'


class SchemaRoutes:
    """The one schema there is. It is made when it is first asked for: most nodes are never asked."""

    @cached_property
    def _document(self) -> _Document:
        return _Document(json.dumps(recipe_schema(), ensure_ascii=False, separators=(",", ":")).encode())

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (Route(method="GET", rule=SCHEMA_PATH, access=Access.PUBLIC, handle=self.recipe),)

    async def recipe(self, call: Call) -> Response:
        """The schema; nothing of it where the asker has it already (RFC 9110 §13.1.2)."""
        document = self._document
        headers = {
            "ETag": document.tag,
            "Cache-Control": "public, max-age=3600",
            # It is the same at every node and tells nothing of this one: editors that are web pages may read it too.
            "Access-Control-Allow-Origin": "*",
            "X-Content-Type-Options": "nosniff",
        }
        if _has(call.headers.get("if-none-match", ""), document.tag):
            return Response(b"", 304, headers=headers)
        return Response(document.content, mimetype="application/schema+json", headers=headers)


def _has(asked: str, tag: str) -> bool:
    """Whether ``asked``, the tags that somebody holds, names ``tag``; here weak and strong ones are alike."""
    tags = [one.strip().removeprefix("W/") for one in asked[:_MOST_TAGS_CHARS].split(",")]
    return tag in tags or tags == ["*"]
