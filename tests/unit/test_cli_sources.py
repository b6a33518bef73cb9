"""How sources, macros and versions are written on the command line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cli.exits import CommandError, Exit
from node.cli.sources import GitSource, on_this_machine, read_macro, read_source, read_versions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/git/shop", GitSource("shop", "/srv/git/shop", "HEAD", "")),
        ("https://git.example/a/shop.git", GitSource("shop", "https://git.example/a/shop.git", "HEAD", "")),
        ("git@git.example:shop.git#main", GitSource("shop", "git@git.example:shop.git", "main", "")),
        ("ssh://git@git.example:2222/shop#v1:app", GitSource("shop", "ssh://git@git.example:2222/shop", "v1", "app")),
        ("assets=/srv/git/x/#:img", GitSource("assets", "/srv/git/x/", "HEAD", "img")),
        ("https://git.example/?p=shop.git", GitSource("?p=shop", "https://git.example/?p=shop.git", "HEAD", "")),
    ],
)
def test_a_source_is_read(text: str, expected: GitSource) -> None:
    """Its name, its reference and its folder may be left out; a '=' inside an address is no name."""
    assert read_source(text) == expected


@given(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.from_regex(r"(/[a-z0-9]{1,8}){1,4}", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9/.-]{0,20}", fullmatch=True),
    st.from_regex(r"([a-z0-9]{1,8}(/[a-z0-9:]{1,8}){0,2})?", fullmatch=True),
)
def test_a_source_reads_back_as_it_is_written(name: str, url: str, ref: str, directory: str) -> None:
    """What a list shows can be given again, unchanged."""
    source = GitSource(name, url, ref, directory)
    assert read_source(source.text) == source


@pytest.mark.parametrize("text", ["", "#main", "name=#main", "/"])
def test_a_source_without_an_address_is_refused(text: str) -> None:
    """The refusal shows the form."""
    with pytest.raises(CommandError, match=r"write \[NAME=\]ADDRESS") as refusal:
        read_source(text)
    assert refusal.value.status is Exit.USAGE


def test_a_folder_here_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node does not run in the folder of the one who types; addresses elsewhere stay as they are."""
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path)
    assert on_this_machine(read_source("./shop#main")).url == str(tmp_path / "shop")
    for elsewhere in ("git@git.example:shop", "https://git.example/shop", "./not-there"):
        assert on_this_machine(read_source(elsewhere)).url == elsewhere


def test_macros_and_versions_have_their_forms() -> None:
    """A value may hold '=' and be empty; a version may not be missing."""
    assert read_macro("title=a=b") == {"name": "title", "value": "a=b"}
    assert read_macro("title=") == {"name": "title", "value": ""}
    assert read_versions(["shop=acme-1.0.0"]) == [{"service": "shop", "version": "acme-1.0.0"}]
    for wrong in ("title", "=x"):
        with pytest.raises(CommandError, match="NAME=VALUE"):
            read_macro(wrong)
    for wrong in ("shop", "shop=", "=acme-1.0.0"):
        with pytest.raises(CommandError, match="SERVICE=VERSION"):
            read_versions([wrong])
