"""Merges of settings, for each format: the overlay wins, the base stays, twice is once."""

import configparser
import json
import tomllib
from collections.abc import Callable
from typing import Any

import javaproperties
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from build.errors import OverlayError
from build.overlay import MERGED_BYTES, defines, is_mergeable, merge, yaml
from build.overlay.values import check_bounds, merged, same

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=10)
KEYS = st.text("abcé-_. x", min_size=1, max_size=4)
PLAIN = st.one_of(TEXT, st.integers(-(2**53), 2**53), st.booleans(), st.floats(-1e6, 1e6, allow_subnormal=False))
TREES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(KEYS, TREES, max_size=4)


def load_yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text) or {}


FORMATS: dict[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    ".toml": (tomlkit.dumps, tomllib.loads),
    ".json": (lambda value: json.dumps(value, indent=3, ensure_ascii=False), json.loads),
    ".yaml": (lambda value: json.dumps(value, ensure_ascii=False), load_yaml),
}


def merged_text(suffix: str, base: str, overlay: str) -> str:
    return merge("settings" + suffix, base.encode(), overlay.encode()).decode()


@pytest.mark.parametrize("suffix", FORMATS)
@given(base=TABLES, overlay=TABLES)
def test_trees_merge(suffix: str, base: dict[str, Any], overlay: dict[str, Any]) -> None:
    """The overlay's values win, the base's others stay, and a second merge changes nothing; or both sides clash."""
    dump, load = FORMATS[suffix]
    try:
        expected = merged(base, overlay)
    except OverlayError:
        with pytest.raises(OverlayError, match="the base has a"):
            merged_text(suffix, dump(base), dump(overlay))
        return
    once = merged_text(suffix, dump(base), dump(overlay))
    assert same(load(once), expected)
    assert merged_text(suffix, once, dump(overlay)) == once


@pytest.mark.parametrize("suffix", FORMATS)
@given(base=TABLES)
def test_nothing_new_changes_nothing(suffix: str, base: dict[str, Any]) -> None:
    """An overlay that says what the base says, or nothing, leaves its bytes alone."""
    text = FORMATS[suffix][0](base)
    assert merged_text(suffix, text, text) == text
    assert merged_text(suffix, text, FORMATS[suffix][0]({})) == text


WORDS = st.text("abcXYZ019 é=:;#\\'\"", max_size=10).map(str.strip)
OPTION = st.text("abcdefg_.", min_size=1, max_size=5)
SECTIONS = st.dictionaries(st.sampled_from(["one", "two", "Three x"]), st.dictionaries(OPTION, WORDS, max_size=3))


def ini_text(sections: dict[str, dict[str, str]]) -> str:
    lines = [[f"# about {name}", f"[{name}]", *(f"{key} = {value}" for key, value in table.items())]
             for name, table in sections.items()]  # fmt: skip
    return "\n".join(line for block in lines for line in block) + "\n"


def load_ini(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # so the library's own manual has it
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}


@given(base=SECTIONS, overlay=SECTIONS)
def test_ini_merges(base: dict[str, dict[str, str]], overlay: dict[str, dict[str, str]]) -> None:
    """For INI too: the overlay wins, the base and its comments stay, twice is once."""
    once = merged_text(".ini", ini_text(base), ini_text(overlay))
    expected = {name: dict(table) for name, table in base.items()}
    for name, table in overlay.items():
        if table:
            expected.setdefault(name, {}).update(table)
    assert load_ini(once) == expected
    assert all(f"# about {name}" in once for name in base)
    assert merged_text(".ini", once, ini_text(overlay)) == once


PROPERTIES = st.dictionaries(st.text("ab.é: =", max_size=4), TEXT, max_size=4)


@given(base=PROPERTIES, overlay=PROPERTIES)
def test_properties_merge(base: dict[str, str], overlay: dict[str, str]) -> None:
    """For Java properties too: the overlay wins, the base and its comments stay, twice is once."""
    text = "# a comment\n" + javaproperties.dumps(base, timestamp=None)
    over = javaproperties.dumps(overlay, timestamp=None)
    once = merged_text(".properties", text, over)
    assert javaproperties.loads(once) == base | overlay
    assert once.startswith("# a comment\n")
    assert merged_text(".properties", once, over) == once


GOLDEN = [
    (
        ".toml",
        "# head\ntitle = \"a\"  # shown\n\n[server]\nport = 1 # its port\nhost = 'x'\n\n[[rows]]\na = 1\n",
        'title = "b"\n[server]\nport = 2\nfresh = true\n[log]\nlevel = "debug"\n',
        """# head
title = "b"  # shown

[server]
port = 2 # its port
host = 'x'
fresh = true

[[rows]]
a = 1

[log]
level = "debug"
""",
    ),
    (
        ".yaml",
        "# head\ntitle: 'a'  # shown\nserver:\n    # its port\n    port: 1\n    hosts:\n      - x\n      - y\n",
        "title: b\nserver: {port: 2}\nlevel: debug\n",
        """# head
title: 'b'  # shown
server:
    # its port
    port: 2
    hosts:
      - x
      - y
level: debug
""",
    ),
    (
        ".json",
        '{\n\t"z": 1.50,\n\t"a": {\n\t\t"b": [1, 2],\n\t\t"c": null\n\t}\n}\n',
        '{"a": {"c": 1e400}}',
        '{\n\t"z": 1.50,\n\t"a": {\n\t\t"b": [\n\t\t\t1,\n\t\t\t2\n\t\t],\n\t\t"c": 1e400\n\t}\n}\n',
    ),
    (
        ".ini",
        "; head\n[a]\nPort=1\n\tmore\n# note\nflag\n\n[b]\nx : y\n",
        "[a]\nport = 2\nnew = 3\n[c]\nz = 1\n",
        "; head\n[a]\nPort=2\n# note\nflag\nnew = 3\n\n[b]\nx : y\n\n[c]\nz = 1\n",
    ),
    (".ini", "top = 1\n[a]\n", "top = 2\nother = 3\n", "top = 2\nother = 3\n[a]\n"),
    (".ini", "[s]\nExec=a\nExec=b\nz=1\n", "[s]\nExec=c\n", "[s]\nExec=c\nz=1\n"),
    (".ini", "[core]\n\ta = 1\n\tb = 2\n", "[core]\nb = 3\n", "[core]\n\ta = 1\n\tb = 3\n"),
    (".ini", "[s]\nflag\n", "[s]\nflag = on\n", "[s]\nflag = on\n"),
    (
        ".properties",
        "# head\na = 1\n! more\nb : x \\\n    y\n",
        "a=2\nc=\\u00e9\n",
        "# head\na=2\n! more\nb : x \\\n    y\nc=\\u00e9\n",
    ),
]


@pytest.mark.parametrize(("suffix", "base", "overlay", "result"), GOLDEN)
def test_comments_and_order_stay(suffix: str, base: str, overlay: str, result: str) -> None:
    """What the overlay does not name stays as it was written."""
    assert merged_text(suffix, base, overlay) == result


@pytest.mark.parametrize(
    ("suffix", "base", "overlay", "message"),
    [
        (".toml", "[a]\nb = 1\n", "a = 2\n", "a: the base has a table here and the overlay a single value"),
        (".toml", "a = 1\n", "[a]\nb = 2\n", "a: the base has a single value here and the overlay a table"),
        (".toml", "[x]\na = [1]\n", "[x.a]\nb = 2\n", "x.a: the base has a single value"),
        (".json", '{"a": {}}', '{"a": []}', "a: the base has a table"),
        (".yaml", "a: {b: 1}\n", "a: 1\n", "a: the base has a table"),
        (".toml", "a =", "", "the base is not TOML"),
        (".toml", "", "a =", "the overlay is not TOML"),
        (".json", "[]", "{}", "the base is not a JSON object at its top"),
        (".json", "{}", '{"a": NaN}', "NaN is not a number in JSON"),
        (".json", '{"a": 1, "a": 2}', "{}", "the same key twice"),
        (".json", "[" * 100_000, "{}", "the base is not JSON"),
        (".yaml", "- a\n", "a: 1\n", "the base is not a YAML mapping"),
        (".yaml", "a: 1\na: 2\n", "b: 1\n", "the base is not YAML"),
        (".yaml", "a: 1\n---\nb: 2\n", "b: 1\n", "the base is not YAML"),
        (".yaml", "a: !!python/name:os.system x\n", "b: 1\n", "the base is not YAML"),
        (".yaml", "a: &a [*a]\n", "b: 1\n", "nested deeper"),
        (".ini", "[a]\n= x\n", "", "the base, line 2: neither a [section] nor key = value"),
        (".properties", "a=\\u12\n", "b=1\n", "the base is not a properties file"),
    ],
)
def test_clashes_and_broken_files_are_told(suffix: str, base: str, overlay: str, message: str) -> None:
    """A table against a single value, or a file that is not of its format, is an error that says where."""
    with pytest.raises(OverlayError) as caught:
        merged_text(suffix, base, overlay)
    assert message in str(caught.value)


def test_repeated_aliases_don_t_fill_the_memory() -> None:
    """A small YAML file that stands for billions of values is refused."""
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    with pytest.raises(OverlayError, match="more than"):
        yaml.parse(bomb, "the base")


def test_a_change_to_what_an_alias_shares_reaches_only_what_is_named() -> None:
    """Where an anchor's value is used twice, an overlay of one use leaves the other alone."""
    result = merged_text(".yaml", "one: &x\n  a: 1\ntwo: *x\n", "two: {a: 2}\n")
    assert load_yaml(result) == {"one": {"a": 1}, "two": {"a": 2}}


def test_tables_that_stand_apart_merge_right() -> None:
    """A TOML table whose parts are scattered over the file gets the right values."""
    base = "[a.x]\nk = 1\n[b]\nk = 1\n[a.y]\nk = 1\n"
    result = merged_text(".toml", base, "[a.x]\nk = 2\n[a.z]\nk = 3\n")
    assert tomllib.loads(result) == {"a": {"x": {"k": 2}, "y": {"k": 1}, "z": {"k": 3}}, "b": {"k": 1}}


def test_line_ends_and_byte_order_mark_are_the_base_s() -> None:
    """A file from another system keeps its form."""
    base = b"\xef\xbb\xbf# a\r\nx = 1\r\ny = 2\r\n"
    assert merge("a.toml", base, b"x = 3\n") == b"\xef\xbb\xbf# a\r\nx = 3\r\ny = 2\r\n"


def test_old_properties_keep_their_encoding() -> None:
    """A properties file in Latin-1 stays one."""
    assert merge("a.properties", b"a=\xe9\nb=1\n", b"b=2\n") == b"a=\xe9\nb=2\n"
    with pytest.raises(OverlayError, match="not UTF-8 text"):
        merge("a.ini", b"[a]\nb=\xe9\n", b"[a]\nb=2\n")


def test_files_have_a_bound() -> None:
    """What is merged is settings, not data."""
    with pytest.raises(OverlayError, match="is not merged"):
        merge("a.json", b" " * (MERGED_BYTES + 1), b"{}")


def test_which_files_merge() -> None:
    """The format is told by the end of the name, whatever its case; a file that is only an end has none."""
    paths = ("a.toml", "x/B.YML", "a.conf", "x/.env", "site.env", ".env.old", "a.cfg", "json", "x.json/a", ".json")
    assert [path for path in paths if is_mergeable(path)] == [
        "a.toml", "x/B.YML", "a.conf", "x/.env", "site.env", ".json",
    ]  # fmt: skip
    with pytest.raises(OverlayError, match="can't be merged"):
        merge("a.cfg", b"", b"")


@pytest.mark.parametrize(("path", "line"), [("a.conf", b"k%d = 1  # %s\n"), ("a.env", b"K%d=1 # %s\n")])
def test_a_merged_file_has_the_same_bound(path: str, line: bytes) -> None:
    """What could not be merged once more is not made."""
    base = b"".join(line % (number, b"x" * 1000) for number in range(600))
    overlay = b"".join(line % (number, b"x" * 1000) for number in range(600, 1200))
    with pytest.raises(OverlayError, match="would have more than"):
        merge(path, base, overlay)


def test_defines() -> None:
    """A line gives a name its value as it stands, with all signs in it."""
    text = "# note\n\nport = 80\npath=C:\\new=x  \r\nempty=\n"
    assert defines.parse(text) == {"port": "80", "path": "C:\\new=x", "empty": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [("a", "line 1: not of the form"), ("\n1a=2", "line 2: not of"), ("=x", "line 1: not of"),
     ("a=1\na=2", "line 2: 'a' stands twice"), ("version=1", "line 1: 'version' is given by vUpdate")],
)  # fmt: skip
def test_broken_defines_are_told(text: str, message: str) -> None:
    """A line of another form is an error with its number."""
    with pytest.raises(OverlayError, match=message):
        defines.parse(text)


def test_equal_is_equal_in_type() -> None:
    """One, one point nought and true are three values; a NaN is itself."""
    assert not same(1, 1.0)
    assert not same(1, True)
    assert same(float("nan"), float("nan"))
    assert same({"a": [1]}, {"a": [1]})
    with pytest.raises(OverlayError):
        check_bounds([[]] * 300_000)
