"""The conversion of an ``update.json``, whatever it says."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from build.earlier import convert
from build.earlier.globs import globs_of
from build.earlier.read import ConvertError
from build.recipe import parse_recipe
from federation.service import Command


@given(
    st.one_of(
        st.from_regex(r"(core|[a-c]|\.\*|\.|\\\.|\.\+|\[a-c\]|\[\^b\]|\\d|\||\*){1,6}", fullmatch=True),
        st.text("ab.*|[]^$\\"),
    ),
    st.text("abc.*[]1", max_size=5),
)
@example(r"core\..*", "core.1")
@example("a[*]", "a*")
@example("[a]b", "ab")
def test_patterns_cover_what_the_expression_did(regex: str, name: str) -> None:
    """Where an expression is converted, each name is covered by the patterns or by neither."""
    globs = globs_of(regex)
    if globs is not None and name:
        assert any(fnmatchcase(name, one) for one in globs) == bool(re.fullmatch(regex, name))


@pytest.mark.parametrize(
    "regex", ["a*", "(a)", "a{2}", "a/b", "[a-]", r"\w", "%%role%%", "a||b", ".*+", "", "..", "a\\"]
)
def test_expressions_that_patterns_cannot_say_are_refused(regex: str) -> None:
    """Better a note than a pattern that means something else; '..' would be a path out of the tree."""
    assert (globs_of(regex) is None) == (regex != "..")


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["%%version%%", "a b", "%%role%%x", "%%PATH%%:/x", "$x'\"", "\x7f\n"]
)
NAMES = st.from_regex(r"[A-Z_]{1,5}", fullmatch=True)
PATHS = st.from_regex(r"(\./)?[a-c*\[\]?.-]{1,3}(/[ab]{1,2}){0,2}/?", fullmatch=True).filter(
    lambda path: ".." not in path.split("/")
)
COMMANDS = st.lists(
    st.fixed_dictionaries(
        {"command": WORDS.filter(bool)},
        optional={
            "args": st.lists(WORDS, max_size=3),
            "env": st.dictionaries(NAMES, WORDS, max_size=2),
            "exitCode": st.integers(0, 255),
            "directory": st.sampled_from([".", "a/b"]),
            "outputMatch": st.sampled_from(["", "done", "(?i)x", "(?m)^a$"]),
        },
    ),
    max_size=3,
)
COPIES = st.lists(
    st.fixed_dictionaries(
        {"sourceFile": st.sampled_from(["../lib", "/etc/x", "a%%version%%", "."]) | PATHS, "destinationFile": PATHS},
        optional={
            "except": st.lists(st.from_regex(r"[ab*]{1,3}(/a)?", fullmatch=True), max_size=2),
            "settings": st.dictionaries(st.from_regex(r"[a-z.*/]{1,4}", fullmatch=True), WORDS, max_size=2),
        },
    ),
    max_size=4,
)
RUNS = st.fixed_dictionaries(
    {"command": WORDS.filter(bool)},
    optional={
        "args": st.lists(WORDS, max_size=3),
        "env": st.dictionaries(NAMES, WORDS, max_size=2),
        "uploadLogs": st.booleans(),
        "faultFilesMatch": WORDS,
        "restartOnFault": st.booleans(),
        "restartConditions": st.fixed_dictionaries(
            {"checkTimeoutMs": st.integers(0, 10**6)},
            optional={"maxMemoryMB": st.integers(1, 2**30), "makeCore": st.booleans()},
        ),
    },
)
INSTALLS = st.fixed_dictionaries(
    {}, optional={"installCommands": COMMANDS, "postInstallCommands": COMMANDS, "runService": RUNS}
)
SERVICES = st.lists(
    st.fixed_dictionaries(
        {
            "service": st.sampled_from(["shop", "api", "db_1"]),
            "build": st.fixed_dictionaries({"copyFiles": COPIES}, optional={"buildCommands": COMMANDS}),
        },
        optional={"install": INSTALLS},
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: str(one["service"]),
)


def _same(command: Command, old: dict[str, Any]) -> bool:
    """Whether ``command`` runs what ``old`` did, where no macro made it a script."""
    texts = [old["command"], *old.get("args", []), *old.get("env", {}).values()]
    if any("%%" in text for text in texts):
        return True
    return (command.run, dict(command.env)) == ((old["command"], *old.get("args", [])), old.get("env", {}))


@given(SERVICES)
def test_any_old_file_becomes_a_sound_recipe(services: list[dict[str, Any]]) -> None:
    """The recipe has the same services, commands and variables, and is the same each time."""
    content = json.dumps({"update": services}).encode()
    found = convert(content)
    assert found == convert(content)
    recipes = parse_recipe(found.text.encode())
    assert list(recipes) == [one["service"] for one in services]
    for one, made in zip(services, recipes.values(), strict=True):
        install = one.get("install", {})
        for commands, old in (
            (made.commands[: len(one["build"].get("buildCommands", []))], one["build"].get("buildCommands", [])),
            (made.service.install.before_stop, install.get("installCommands", [])),
            (made.service.install.after_switch, install.get("postInstallCommands", [])),
        ):
            assert len(commands) == len(old)
            assert all(map(_same, commands, old))
        assert len(made.copy) == max(1, len(one["build"]["copyFiles"]))
        run = install.get("runService")
        if run:
            assert made.service.run.command == (run["command"], *run.get("args", []))
            assert dict(made.service.run.env) == run.get("env", {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["update", "build", "copyFiles", "install", "env", "settings"]), inner)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused_in_words(content: bytes) -> None:
    """No bytes end in another error than the one that is told."""
    told = "taken"
    try:
        convert(content)
    except ConvertError as error:
        told = str(error)
    assert told.encode()
