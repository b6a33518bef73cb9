"""Merges of HOCON: the overlay goes behind the base and wins, every byte of the base stays, nothing is opened."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.errors import OverlayError
from build.overlay import hocon, merge, replaces
from build.overlay import values as rules

MARK = "# From an overlay; what stands here wins over what stands above.\n"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8)
KEYS = st.text('abcé-_. x"$', min_size=1, max_size=4)
TREES = st.recursive(
    TEXT | st.integers(-(10**9), 10**9) | st.booleans() | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(KEYS, TREES, max_size=4)


def merged(base: str, overlay: str) -> str:
    return merge("conf/app.conf", base.encode(), overlay.encode()).decode()


def values(text: str) -> dict[str, Any]:
    return hocon.parse(text, "the text").values


def expected(value: Any) -> Any:
    """``value`` as the reader gives it: words as they are spelled, strings in quotes."""
    if isinstance(value, dict):
        return {key: expected(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(map(expected, value))
    return f'"{value}"' if isinstance(value, str) else json.dumps(value)


def written(value: Any, indent: str = "") -> str:
    """HOCON for the fields of an object: without the braces of the root, with comments, paths and few commas."""
    return "".join(_fields(value, indent))


def _fields(value: dict[str, Any], indent: str) -> Iterator[str]:
    for key, item in value.items():
        name = json.dumps(key, ensure_ascii=False)
        yield f"{indent}# about it\n"
        if isinstance(item, dict) and len(item) == 1:
            (inner,) = item
            yield f"{indent}{name}.{json.dumps(inner)} = {json.dumps(item[inner], ensure_ascii=False)} // path\n"
        elif isinstance(item, dict):
            yield f"{indent}{name} {{\n{written(item, indent + '  ')}{indent}}}\n"
        else:
            yield f"{indent}{name} = {json.dumps(item, ensure_ascii=False)},\n"


@given(TABLES)
def test_json_is_read_as_json_is(table: dict[str, Any]) -> None:
    """HOCON holds all of JSON, and its own forms mean the same."""
    for text in (json.dumps(table), json.dumps(table, indent=2, ensure_ascii=False), written(table)):
        assert values(text) == expected(table)


@given(base=TABLES, overlay=TABLES, braces=st.booleans(), end=st.sampled_from(["", "\n"]))
def test_the_overlay_wins_and_the_base_stays(
    base: dict[str, Any], overlay: dict[str, Any], braces: bool, end: str
) -> None:
    """The values are the merged ones, every byte of the base is there, twice is once; or both sides clash."""
    text, over = written(base), written(overlay)
    if braces:
        text, over = f"# head\n{{\n{text}}} # tail{end}", f"{{ {over} }}"
    try:
        wanted = rules.merged(base, overlay)
    except OverlayError:
        with pytest.raises(OverlayError, match="the base has a"):
            merged(text, over)
        return
    once = merged(text, over)
    assert values(once) == expected(wanted)
    first, last = (text[: text.rindex("}")], text[text.rindex("}") :]) if braces else (text, "")
    assert once.startswith(first)
    assert once.endswith(last)
    assert merged(once, over) == once


@given(base=TABLES)
def test_nothing_new_changes_nothing(base: dict[str, Any]) -> None:
    """An overlay that says what the base says, or nothing, leaves its bytes alone."""
    text = written(base)
    assert merged(text, json.dumps(base)) == merged(text, "# only\n") == merged(text, "{}") == text


GOLDEN = [
    (
        "# head\nserver {\n  # its port\n  port = 80 // shown\n  host = x\n}\n",
        "# ours\nserver.port = 8080\nlog { level: debug }\n",
        "# head\nserver {\n  # its port\n  port = 80 // shown\n  host = x\n}\n\n"
        + MARK
        + "# ours\nserver.port = 8080\nlog { level: debug }\n",
    ),
    ("{\n  a = 1 # one\n} # tail\n", "b = 2", "{\n  a = 1 # one\n\n" + MARK + "b = 2\n} # tail\n"),
    ("{ a = 1, }", "# x\n{ b = 2 } // y", "{ a = 1, \n\n" + MARK + "# x\n b = 2  // y\n}"),
    ("a = 1", "{ b = 2 }", "a = 1\n\n" + MARK + "b = 2\n"),
    ("", "a = 1", MARK + "a = 1\n"),
    ("# stub\n", "a = 1", "# stub\n\n" + MARK + "a = 1\n"),
    ("path = [a]\n", "path += b\n", "path = [a]\n\n" + MARK + "path += b\n"),
    ("home = /x\ndata = ${home}/d\n", "home = /y\n", "home = /x\ndata = ${home}/d\n\n" + MARK + "home = /y\n"),
    ("a { b = 1 }\n", "a = null, a { c = 2 }\n", "a { b = 1 }\n\n" + MARK + "a = null, a { c = 2 }\n"),
    ("a = ${x}\n", "a { c = 2 }\n", "a = ${x}\n\n" + MARK + "a { c = 2 }\n"),
    ('include "x"\n', 'include required(file("y"))\n', 'include "x"\n\n' + MARK + 'include required(file("y"))\n'),
    ('{\n  "a": 1,\n  "b": {"c": 2}\n}\n', '{"b": {"c": 3}}', '{\n  "a": 1,\n  "b": {\n    "c": 3\n  }\n}\n'),
    ('a = """x"y""""\n', "b=1", 'a = """x"y""""\n\n' + MARK + "b=1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "overlay", "result"), GOLDEN)
def test_every_byte_of_the_base_stays(base: str, overlay: str, result: str) -> None:
    """The overlay stands behind it, within the braces of the root; once, however often it is merged."""
    assert merged(base, overlay) == result
    assert merged(result, overlay) == result


def test_several_overlays_stand_in_their_order() -> None:
    """The last one wins, and merging it again changes nothing."""
    twice = merged(merged("{ a = 1 }", "a = 2"), "{a = 3}")
    assert values(twice) == {"a": "3"}
    assert twice.count(MARK) == 2
    assert merged(twice, "{a = 3}") == twice


def test_line_ends_and_byte_order_mark_are_the_base_s() -> None:
    """A file from another system keeps its form."""
    once = merge("a.conf", b"\xef\xbb\xbfx = 1\r\n", b"x = 2\n")
    assert once == b"\xef\xbb\xbfx = 1\r\n\r\n" + MARK.encode().replace(b"\n", b"\r\n") + b"x = 2\r\n"
    assert merge("a.conf", once, b"x = 2\r\n") == once


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a b c : 42", {"a b c": "42"}),
        ("10.0foo = x", {"10": {"0foo": "x"}}),
        ('foo"10.0" = x', {"foo10.0": "x"}),
        ('a."".b = 1', {"a": {"": {"b": "1"}}}),
        ("a = foo  bar\t# no", {"a": '"foo  bar"'}),
        ("a = 10.0.0.1, b = 1e+5\nc = -x/y", {"a": "10.0.0.1", "b": "1e+5", "c": "-x/y"}),
        ("a = http, b = x // y", {"a": "http", "b": "x"}),
        ("a = [1\n2,3,]", {"a": ("1", "2", "3")}),
        ("a = [1] [2]", {"a": ("1", "2")}),
        ("a = {x : 1} {y : 2}", {"a": {"x": "1", "y": "2"}}),
        ("a\n{\n}", {"a": {}}),
        ('a = """x\n"y"""""', {"a": '"x\n"y"""'}),
        ('"include" = {}, includes = 2, include.x = 3', {"include": {"x": "3"}, "includes": "2"}),
        ("a = 1, a = {}, a = 2", {"a": "2"}),
        ("a = {x : 1}, a = {x : 2, y : 3}", {"a": {"x": "2", "y": "3"}}),
    ],
)
def test_the_forms_of_hocon(text: str, value: dict[str, Any]) -> None:
    """As its specification has them."""
    assert values(text) == value


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("a = 1\nb", "the overlay is not HOCON that can be used: line 2: no '=' after the key"),
        ('a = "x', "line 1: a quote that is not closed"),
        ('a = "x\ny"', "line 1: a quote that is not closed"),
        ('a = """x', "line 1: a quote that is not closed"),
        ("a { b = 1", "line 1: a brace '{' is not closed"),
        ("a = [1", "line 1: a bracket '[' is not closed"),
        ("a = 1 }", "line 1: '}' after the end of the whole"),
        ("{ a = 1 }\nb = 2", "line 2: a text after the end of the whole"),
        ("a = [1,,2]", "line 1: a value is missing"),
        ("a = [,1]", "line 1: a value is missing"),
        ("a = 1,,b = 2", "line 1: a key is missing"),
        ("a = 1 b = 2", "line 1: '=' where a comma or a new line has to be"),
        ("a..b = 1", "line 1: a part of a key is empty"),
        ("${a} = 1", "line 1: a key is missing"),
        ("a = ${b", "line 1: a substitution that is not closed"),
        ("a = ${b=c}", "line 1: a substitution that does not hold a path"),
        ("a = ${}", "line 1: a substitution that does not hold a path"),
        ("a = {} [1]", "line 1: an object, a list and a text can't be one value together"),
        ("a = b@c", "line 1: the sign '@' has to be in quotes"),
        ("include = 1", "line 1: 'include' without a name in quotes"),
        ("include url(x)", "line 1: 'include' without a name in quotes"),
        ("a = x\0y", "it holds a NUL byte"),
        ("[1]", "the overlay is a list at its top"),
        ("base { x = 1 }", "base: the base has a single value here and the overlay a table"),
        ("deep.er = 1", "deep.er: the base has a table here and the overlay a single value"),
        ("a = " + "[" * 100_000, "nested deeper than 60"),
        ("a{" * 100_000, "nested deeper than 60"),
        ("a" + ".a" * 100 + " = 1", "nested deeper than 60"),
        ("a = [" + "1," * 300_000 + "]", "more than 200000 values"),
    ],
)  # fmt: skip
def test_what_can_t_be_merged_is_told(overlay: str, message: str) -> None:
    """What breaks a rule is an error with its line and reason, also where nothing else is wrong."""
    with pytest.raises(OverlayError) as caught:
        merged("base = 1\ndeep.er.x = 1\n", overlay)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["a = 1\npa55 wort", "{}\npa55wort", "a = {} pa55wort", 'a = "pa55wort', "a = pa55@x"])
def test_errors_don_t_quote_values(text: str) -> None:
    """A text that is out of its place may be a secret, and errors are shown and logged."""
    with pytest.raises(OverlayError) as caught:
        hocon.parse(text, "the overlay")
    assert "pa55" not in str(caught.value)


NGINX = b"worker_processes 4;\nevents { worker_connections 1024; }\n"


@pytest.mark.parametrize(
    "base", [NGINX, b"[server]\nport = 1\n", b"caf\xe9 = 1\n", b"a\0b", b"", b"# only a comment\n"]
)
@pytest.mark.parametrize("overlay", [NGINX.replace(b"4", b"8"), b"\xe9;\r\n"])
def test_a_conf_of_another_format_is_replaced_whole(base: bytes, overlay: bytes) -> None:
    """Many a ``.conf`` is no HOCON: the overlay's file takes its place, as for a file of any other name."""
    assert replaces("nginx.conf", base, overlay)
    assert merge("nginx.conf", base, overlay) == overlay
    assert merge("nginx.conf", overlay, overlay) == overlay


def test_only_what_is_no_hocon_is_replaced() -> None:
    """A base with keys does not give way to an overlay with a mistake, and no other format gives way at all."""
    assert not replaces("a.conf", b"a = 1\n", b"a = 2\n")
    assert not replaces("a.conf", b"a = 1\n", NGINX)
    assert not replaces("a.conf", b"# none\n", b"a = 2\n")
    assert not replaces("a.json", NGINX, NGINX)
    with pytest.raises(OverlayError, match="the overlay is not HOCON"):
        merge("a.conf", b"a = 1\n", NGINX)


WATCHED = """
import sys
from build.overlay import merge
merge("a.conf", b"a = 1", b"b = 2")
seen = []
sys.addaudithook(lambda event, _: seen.append(event))
for form in ('"%s"', 'file("%s")', 'url("%s")', 'classpath("%s")', 'required(file("%s"))', 'required("%s")'):
    for name in (sys.argv[1], "file://" + sys.argv[1], "http://127.0.0.1:9/x", "*"):
        text = ("x { include " + form % name + " }\\n").encode()
        once = merge("a.conf", b"a = 1\\n" + text, b"b = 2\\n" + text)
        assert once.count(text) == 2
        assert b"secret" not in once
touched = [event for event in seen if event.split(".")[0] in {"open", "os", "glob", "socket", "urllib", "subprocess"}]
assert not touched, touched
"""


def test_an_include_opens_nothing(tmp_path: Path) -> None:
    """Neither a file nor a connection, on either side: it stays a line of text."""
    (tmp_path / "other.conf").write_text("secret = 1\n")
    command = [sys.executable, "-c", WATCHED, str(tmp_path / "other.conf")]
    ended = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr


@given(st.text('ab.=:,{}[]"$?+#/\\ \n\0é1-', max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Never anything but an error of ours; and what merges, merges twice as once."""
    try:
        once = merged(text, "zz = 1\n")
    except OverlayError:
        return
    assert merged(once, "zz = 1\n") == once


@pytest.mark.parametrize(
    "text",
    ["x " * 500_000 + "=1", "a." * 500_000 + "b=1", 'a="' + "x" * 1_000_000, "a=${" * 250_000, '"""' * 300_000,
     "include" + "\n" * 1_000_000, "a=" + "/" * 1_000_000, "a=" + '""' * 400_000, "{" * 1_000_000, 'a="""' * 200_000,
     "a=" + "\\" * 1_000_000, 'a="' + "\\\\" * 500_000, "\n" * 1_000_000, 'include url("' + "x" * 1_000_000],
)  # fmt: skip
def test_a_hostile_text_takes_no_long_time(text: str) -> None:
    """Whatever is in it, the time grows with its length only."""
    began = time.monotonic()
    with contextlib.suppress(OverlayError):
        hocon.parse(text, "the base")
    assert time.monotonic() - began < 10
