"""Git URLs and refs."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.errors import SourceError
from build.giturl import GitUrl, checked_directory, checked_name, checked_ref, masked


@pytest.mark.parametrize(
    ("text", "plain", "local"),
    [
        ("https://example.org/a.git", "https://example.org/a.git", False),
        ("https://example.org:8443/a", "https://example.org:8443/a", False),
        ("ssh://git@example.org:22/a.git", "ssh://git@example.org:22/a.git", False),
        ("git@example.org:team/a.git", "git@example.org:team/a.git", False),
        ("file:///srv/a", "file:///srv/a", True),
        ("/srv/a b", "/srv/a b", True),
        ("https://[::1]/a", "https://[::1]/a", False),
    ],
)
def test_allowed_urls(text: str, plain: str, local: bool) -> None:
    """The transports that are allowed stay as they are."""
    url = GitUrl.read(text)
    assert (url.plain, url.local, url.header) == (plain, local, "")
    assert ("file" in url.protocols) is local


def test_credentials_are_taken_out() -> None:
    """What is secret in a URL goes to its host in a header, and stands nowhere else."""
    url = GitUrl.read("https://bob:s%40cret@example.org/a.git")
    assert url.plain == "https://example.org/a.git"
    assert url.header == "Authorization: Basic " + base64.b64encode(b"bob:s@cret").decode()
    assert url.header_for == "https://example.org/"
    assert GitUrl.read("ssh://git:secret@example.org/a").plain == "ssh://git@example.org/a"


@pytest.mark.parametrize(
    "text",
    [
        "", "-uevil", "--upload-pack=evil", "ext::sh -c evil", "ext::https://a", "fd::17", "http://example.org/a",
        "git://example.org/a", "ftp://example.org/a", "file://host/a", "https:///a", "https://-oProxy/a",
        "ssh://-oProxyCommand=evil/a", "-oProxyCommand=evil:a", "relative/path", "../up", "host:-evil", "a\nb",
        "https://exa\x00mple.org/", "https://[bad/", "/" + "a" * 3000, "transport::address", "a b:c",
    ],
)  # fmt: skip
def test_other_urls_are_refused(text: str) -> None:
    """What Git could take for an option or a program, and what is not encrypted, is refused."""
    with pytest.raises(SourceError):
        GitUrl.read(text)


def test_a_refusal_hides_credentials() -> None:
    """Also the message about a wrong URL does not tell its password."""
    with pytest.raises(SourceError) as caught:
        GitUrl.read("http://bob:secret@example.org/a")
    assert "secret" not in str(caught.value)


@given(st.from_regex(r"[a-z0-9:%]{1,20}", fullmatch=True))
def test_masking_hides_whatever_stands_before_the_host(secret: str) -> None:
    """A URL in any text loses its credentials."""
    assert masked(f"fatal: 'https://{secret}@host/x' failed") == "fatal: 'https://***@host/x' failed"


@pytest.mark.parametrize("text", ["main", "HEAD", "v1.2.3", "feature/x_1", "a" * 40, "refs/tags/v1", "größe", "fix#12"])
def test_allowed_refs(text: str) -> None:
    """Branches, tags and commits are taken as they are."""
    assert checked_ref(text) == text


def test_no_ref_is_head() -> None:
    """Without a ref the repository's own default counts."""
    assert checked_ref("") == "HEAD"


@pytest.mark.parametrize(
    "text",
    ["-x", "--all", "a..b", "a b", "a:b", "a^", "a~1", "a@{1}", "a*", "a?", "a[", "a\\b", "a\n", "a.lock", "a/"],
)
def test_other_refs_are_refused(text: str) -> None:
    """An expression, a range or an option is no name."""
    with pytest.raises(SourceError):
        checked_ref(text)


def test_names_and_directories_stay_inside() -> None:
    """A source's name is one folder's; its directory can't lead out."""
    assert checked_name("my-app_2") == "my-app_2"
    assert checked_directory("") == "."
    assert checked_directory("a/./b/") == "a/b"
    for name in ("", "..", ".git", "a/b", "-x", "a b"):
        with pytest.raises(SourceError):
            checked_name(name)
    for directory in ("/etc", "..", "a/../../b"):
        with pytest.raises(SourceError):
            checked_directory(directory)
