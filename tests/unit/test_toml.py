"""TOML with the lines of its keys, and its one spelling."""

import tomllib
import warnings
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import OversizedError
from federation.toml import TomlMistakesError, read_document, write_document
from federation.toml.kinds import REGEX, TEXT
from federation.toml.lines import DEPTH, Path, key_lines
from federation.toml.mistakes import Place
from federation.toml.shape import MapOf

KEYS = st.text(st.characters(codec="utf-8"), max_size=6)
SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates().filter(lambda day: day.year > 999),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5)


def paths_of(value: Any, path: Path = ()) -> set[Path]:
    """The path of each key and item in ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: set[Path] = {path} if path else set()
    for step, item in inner:
        found |= paths_of(item, (*path, step))
    return found


@given(DOCUMENTS)
def test_each_key_has_a_line(document: dict[str, Any]) -> None:
    """The walk finds exactly the keys that the parser finds, however they are quoted and nested."""
    text = tomlkit.dumps(document)
    assert set(key_lines(text)) == paths_of(tomllib.loads(text))


@given(st.text(alphabet="[]{}=.,#\"'\\\n ab1", max_size=60))
def test_nothing_makes_the_walk_stumble(text: str) -> None:
    """Whatever the text, the walk ends; and where the text is TOML it finds all its keys."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        key_lines(text)
        return
    if max(map(len, paths_of(values)), default=0) <= DEPTH:
        assert set(key_lines(text)) == paths_of(values)


def test_lines_are_those_of_the_file() -> None:
    """Comments, strings of several lines and tables in arrays don't shift the count."""
    text = '''# first
a = """
not = "a key"
[nor.this]
"""

[[rows]]
x = [
  1,   # one
  { y = 2, "z.q" = 3 },
]
[[rows]]
b.c = 'd'
[rows.sub]
e = 1
'''
    lines = key_lines(text)
    assert lines["a",] == 2
    assert lines["rows", 0] == 7
    assert lines["rows", 0, "x", 0] == 9
    assert lines["rows", 0, "x", 1, "z.q"] == 10
    assert lines["rows", 1, "b", "c"] == 13
    assert lines["rows", 1, "sub", "e"] == 15


@pytest.mark.parametrize("text", ["[" + "a." * 60_000 + "a]\n", "x = " + "[" * 60_000, "x = " + "{a=" * 60_000])
def test_deep_nesting_is_refused_before_the_parse(text: str) -> None:
    """What would take the parser long, or overflow it, is refused at once."""
    with pytest.raises(OversizedError, match="line 1"):
        key_lines(text)


def read(content: bytes) -> Any:
    return read_document(content, MapOf(str, TEXT, 3), most_bytes=1000, error=TomlMistakesError)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a = 'x'\nb = \n", "line 2: not TOML: invalid value"),
        (b"a = 'x'\na = 'y'\n", "line 2: not TOML: cannot overwrite a value"),
        (b"a = 'x'\nb = '", "line 2: not TOML: "),
        (b"a = 'x'\n\xff", "line 2: not UTF-8 text"),
        (b"#" * 1001, "the file is longer than 1000 bytes"),
        (b"a = " + b"[" * 500, "line 1: nested deeper than 16 levels"),
        (b"a = 1\nb = []\n", "line 1: a: must be a text, not a whole number\nline 2: b: must be a text, not a list"),
    ],
)
def test_messages_name_line_and_reason(content: bytes, message: str) -> None:
    """Each mistake is told with its line; several together, in the order of the file."""
    with pytest.raises(TomlMistakesError) as caught:
        read(content)
    assert str(caught.value).startswith(message)


def test_many_mistakes_are_counted() -> None:
    """A message has at most twenty mistakes and says how many more there are."""
    content = b"".join(b"a%d = 1\n" % number for number in range(25))
    with pytest.raises(TomlMistakesError, match="… and 5 more") as caught:
        read_document(content, MapOf(str, TEXT, 100), most_bytes=1000, error=TomlMistakesError)
    assert len(caught.value.mistakes) == 25


PLAIN = st.recursive(
    st.text(st.characters(codec="utf-8")) | st.booleans() | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, PLAIN, max_size=4))
def test_what_is_written_is_read(table: dict[str, Any]) -> None:
    """Our own spelling is TOML, and means what was written."""
    assert tomllib.loads(write_document({"a.b": table}).decode()) == {"a": {"b": table}}


def test_a_pattern_that_python_warns_of_is_taken() -> None:
    """What a later Python may read otherwise is no mistake now, and nothing to tell whoever checks a recipe."""
    with warnings.catch_warnings(action="error"):
        assert REGEX.read("[[a]", Place()) == "[[a]"
