"""Globs of copy rules."""

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.globs import compiled, fixed_part, is_glob, matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.map", "a.map", True),
        ("*.map", "deep/in/a.map", True),
        ("*.map", "a.mapx", False),
        ("config/*.toml", "config/a.toml", True),
        ("config/*.toml", "config/deep/a.toml", False),
        ("config/*.toml", "my/config/a.toml", False),
        ("config/**/*.toml", "config/a.toml", True),
        ("config/**/*.toml", "config/deep/er/a.toml", True),
        ("tests", "src/tests/a.py", True),
        ("./tests", "src/tests/a.py", True),
        ("a/b", "a/b/c/d", True),
        ("a/b", "a/bc", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab].txt", "b.txt", True),
        ("[!ab].txt", "b.txt", False),
        ("[!ab].txt", "c.txt", True),
        ("x[!a]y", "x/y", False),
        ("[z-a].txt", "b.txt", False),
        ("[", "[", True),
        ("**", "any/thing", True),
        ("lib/**", "lib/a/b", True),
        ("lib/**", "lib", False),
        (".*", ".hidden", True),
        ("*", ".hidden", True),
        ("A.txt", "a.txt", False),
        ("a.b", "axb", False),
        ("line*", "line\nbreak", True),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    """What a pattern covers is what it says in its module."""
    assert matches(path, [pattern]) is expected


@given(st.text("ab*?[]!-.", min_size=1, max_size=8), st.text("ab.-", min_size=1, max_size=8))
def test_single_names_match_as_in_the_shell(pattern: str, name: str) -> None:
    """For one name and one pattern without folders, it is what ``fnmatch`` says."""
    if pattern in (".", "**") or "[^" in pattern:
        return
    expected = re.fullmatch(fnmatch.translate(pattern), name) is not None
    assert matches(name, [pattern]) is expected


@given(st.text(max_size=30))
def test_any_pattern_is_usable(pattern: str) -> None:
    """No text makes the matching fail."""
    compiled(pattern)
    matches("a/b.c", [pattern])


def test_many_stars_end_soon() -> None:
    """A pattern that would make a naive matcher run for ever does not."""
    assert not matches("a" * 200 + "b", ["*a" * 3 + "**********c"])


@pytest.mark.parametrize(
    ("pattern", "fixed"), [("a/b/*.py", "a/b"), ("*.py", ""), ("a/**/c", "a"), ("a/b/c", "a/b"), ("a[1]/b", "")]
)
def test_fixed_part(pattern: str, fixed: str) -> None:
    """The folders before the first sign are where a copy begins."""
    assert fixed_part(pattern) == fixed


def test_is_glob() -> None:
    """A plain path is no glob."""
    assert not is_glob("a/b.c")
    assert is_glob("a/[b].c")


def test_doubled_signs_in_a_set_stand_for_themselves() -> None:
    """Python's expressions keep ``--``, ``&&``, ``||`` and ``~~`` in a set for later, and warn of them."""
    assert matches("a-b", ["a[--]b"])
    assert matches("&", ["[&&]"])
    assert not matches("b", ["[a--c]"])
