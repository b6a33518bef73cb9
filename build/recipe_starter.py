"""Writes the recipe that a project starts with: a few lines that work, and the other keys as comments. Pure.

What is fitting for a project is decided in ``build.recipe_project``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from federation.names import ServiceName

_OTHER_KEYS: Final = """\
# Every other key has a default; those below are examples. 'vupdate recipe explain' tells what each comes to.
# data = ["data"]
# stop = { signal = "TERM", grace = "10s" }
# restart = { policy = "always", backoff = "1s..5m", reset_after = "10m" }
# limits = { memory = "512MB", cpu = "150%/30s", core_dump = true }
# logs = { format = "auto", upload = true, max_file = "10MB", files = 10 }
# faults = { files = ["core*"], keep = 20 }
# after = ["database"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyLine:
    """One copy rule to write."""

    source: str
    target: str = "."
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """What is particular to a project's recipe.

    ``found``: what kind of project it was taken for, and by what. ``hint``: what to look at in the run command.
    ``health``: the address to write; without one it is a comment.
    """

    found: str
    build: tuple[tuple[str, ...], ...] = ()
    network: bool = False
    copy: tuple[CopyLine, ...] = (CopyLine(source="."),)
    command: tuple[str, ...]
    hint: str
    env: tuple[tuple[str, str], ...] = ()
    health: str = ""


def starter_text(service: ServiceName, starter: Starter) -> str:
    """The recipe of ``service``, as a file."""
    blocks = (_head(starter), "".join(_build(service, starter)), "".join(_run(service, starter)))
    return "\n".join(blocks)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _words(words: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_quoted, words))}]"


def _head(starter: Starter) -> str:
    return (
        f"# How vUpdate builds, installs and runs this: {starter.found}.\n"
        "# Look it over, then: vupdate recipe check && vupdate recipe explain\n"
    )


def _build(service: ServiceName, starter: Starter) -> Iterator[str]:
    yield f"[services.{service}.build]\n"
    if starter.network:
        yield "network = true  # to fetch packages\n"
    else:
        yield "# network = true\n"
    if starter.build:
        yield "commands = [\n"
        for words in starter.build:
            yield f'    {{ run = {_words(words)}, timeout = "10m" }},\n'
        yield "]\n"
    else:
        yield "# Commands run in a clean checkout, in order, without a shell.\n"
        yield '# commands = [{ run = ["make"], timeout = "10m" }]\n'
    yield "# What goes into the image; nothing else of the checkout does.\n"
    yield "copy = [\n"
    for line in starter.copy:
        yield f"    {_copy(line)},\n"
    yield "]\n"


def _copy(line: CopyLine) -> str:
    target = "" if line.target == "." else f", to = {_quoted(line.target)}"
    excluded = f", except = {_words(line.excluded)}" if line.excluded else ""
    return f"{{ from = {_quoted(line.source)}{target}{excluded} }}"


def _run(service: ServiceName, starter: Starter) -> Iterator[str]:
    yield f"[services.{service}.run]\n"
    yield f"# {starter.hint}\n"
    yield f"command = {_words(starter.command)}\n"
    if starter.env:
        yield f"env = {{ {', '.join(f'{name} = {_quoted(value)}' for name, value in starter.env)} }}\n"
    else:
        yield '# env = { LOG_LEVEL = "info" }\n'
    if starter.health:
        yield f"health = {{ http = {_quoted(starter.health)} }}\n"
    else:
        yield "# An address that answers while the service is well; without one it is well while it runs.\n"
        yield '# health = { http = "http://127.0.0.1:8080/health" }\n'
    yield _OTHER_KEYS
