"""JSON Schemas (draft 2020-12) of what the shapes read: for editors and other tools, which do not have our parser.

A schema accepts whatever the parser does. The parser refuses more: what a pattern can't say, such as the bounds of a
time. Patterns are written in what ECMA 262 and Python both understand.
"""

from typing import Any, Final

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

TIME_PATTERN: Final = r"(?:[0-9]{1,12}(?:\.[0-9]{1,6})?(?:ms|[dhms])){1,5}"
SPAN_PATTERN: Final = rf"\s*{TIME_PATTERN}\s*(?:\.\.\s*{TIME_PATTERN}\s*)?"
SIZE_PATTERN: Final = r"[0-9]{1,16}(?:\.[0-9]{1,6})? ?(?:[KMGT]i?B|kB|B)"
PATH_PATTERN: Final = r"(?!/)(?!(?:.*/)?\.\.(?:/|$))[^\\\u0000-\u001f\u007f-\u009f]+"
INSIDE_PATTERN: Final = rf"(?!\.(?:/+\.)*/*$){PATH_PATTERN}"
"""A path, or a pattern of paths, that is not the tree itself."""


def matching(pattern: str) -> Schema:
    """A text that ``pattern`` matches from its begin to its end."""
    return {"pattern": f"^(?:{pattern})$"}


def document(body: Schema, *, title: str, description: str) -> Schema:
    """The schema of whole documents that are as ``body`` says."""
    return {"$schema": DIALECT, "title": title, "description": description, **body}
