"""Macros in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import macros
from federation.errors import OversizedError
from federation.macros import UnknownMacroError, expand, is_macro_name, macro_names

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True)


def test_each_macro_gets_its_value() -> None:
    """A macro stands for its value wherever it is, also twice and side by side."""
    assert expand("%%a%%%%b%% and %%a%%", {"a": "1", "b": "2"}) == "12 and 1"


def test_a_macro_in_a_value_stays() -> None:
    """What a value holds is not expanded again, so expansion always ends."""
    assert expand("%%a%%", {"a": "%%a%%%%b%%"}) == "%%a%%%%b%%"


def test_unknown_macro_is_named_with_its_file() -> None:
    """A macro without a value is an error that names it, the file, and what is known."""
    with pytest.raises(UnknownMacroError) as caught:
        expand("port = %%prot%%", {"port": "1"}, where="config.toml")
    assert caught.value.code == "unknown-macro"
    assert caught.value.name == "prot"
    assert str(caught.value).startswith("config.toml: unknown macro %%prot%%")
    assert "known: port" in str(caught.value)


def test_kept_macros_stay_for_later() -> None:
    """A macro that someone else will expand is left as it is."""
    assert expand("%%role%% %%port%%", {"port": "1"}, keep={"role"}) == "%%role%% 1"


@pytest.mark.parametrize("text", ["100%%", "%%%%", "%%a b%%", "%%1%%", "% %a%", "%%é%%"])
def test_percent_signs_that_are_no_macro_stay(text: str) -> None:
    """Only a plain name between double percent signs is a macro."""
    assert expand(text, {}) == text
    assert macro_names(text) == frozenset()


def test_expansion_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that repeats a large value can't fill the memory."""
    monkeypatch.setattr(macros, "EXPANDED_CHARS", 1000)
    with pytest.raises(OversizedError):
        expand("%%a%%" * 3, {"a": "x" * 400})


@given(st.dictionaries(NAMES, st.text(), min_size=1), st.data())
def test_expansion_is_replacement(values: dict[str, str], data: st.DataObject) -> None:
    """Whatever the values, the result is the text's pieces with the values between them."""
    names = data.draw(st.lists(st.sampled_from(sorted(values)), max_size=10))
    pieces = data.draw(st.lists(st.text(st.characters(exclude_characters="%")), min_size=len(names) + 1,
                                max_size=len(names) + 1))  # fmt: skip
    text = pieces[0] + "".join(f"%%{name}%%{piece}" for name, piece in zip(names, pieces[1:], strict=True))
    assert macro_names(text) == frozenset(names)
    assert expand(text, values) == pieces[0] + "".join(
        values[name] + piece for name, piece in zip(names, pieces[1:], strict=True)
    )


@given(NAMES)
def test_names_are_recognised(name: str) -> None:
    """What is a macro's name is what is found between percent signs."""
    assert is_macro_name(name)
    assert macro_names(f"%%{name}%%") == {name}
