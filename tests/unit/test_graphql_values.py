"""What arguments may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import InvalidValueError
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from node.graphql import inputs, values
from node.graphql.inputs import DeltaInput, GitSourceInput, MacroInput
from node.model.desired import ListKind


def test_a_refusal_names_its_argument() -> None:
    """Whoever sent several values learns which one was wrong, and why."""
    with pytest.raises(InvalidValueError, match=r"^service: '\.\./x' is not a service name"):
        values.read("service", ServiceName, "../x")


def test_nothing_given_stays_nothing() -> None:
    """An argument left out is not read."""
    assert values.maybe("version", DeveloperVersion, None) is None
    assert values.maybe("version", DeveloperVersion, "acme-1.0.0") == "acme-1.0.0"


@given(st.integers())
def test_a_page_has_from_one_to_a_thousand_items(first: int) -> None:
    """Nobody gets more than a thousand items, and nobody asks for none."""
    if 1 <= first <= 1000:
        assert values.page(first) == first
    else:
        with pytest.raises(InvalidValueError, match="first: "):
            values.page(first)


@pytest.mark.parametrize(
    "url",
    [
        "https://token@git.example/x.git",
        "https://ann:secret@git.example/x.git",
        "ssh://ann:secret@git.example/x.git",
    ],
)
def test_credentials_in_an_address_are_refused(url: str) -> None:
    """Addresses of sources are shown to all viewers, so they hold no secret; the refusal does not repeat it."""
    with pytest.raises(InvalidValueError, match="leave it out") as refusal:
        values.repository_url("sources.url", url)
    assert "secret" not in str(refusal.value)
    assert "token" not in str(refusal.value)


@pytest.mark.parametrize(
    "url", ["https://git.example/x.git", "ssh://git@git.example/x", "git@git.example:x.git", "/srv/x", "file:///srv/x"]
)
def test_usual_addresses_pass(url: str) -> None:
    """The forms in which people write addresses of repositories are taken as they are."""
    assert values.repository_url("sources.url", url) == url


@pytest.mark.parametrize("url", ["", "  ", "--upload-pack=touch /tmp/x", "http://[broken"])
def test_what_is_no_address_is_refused(url: str) -> None:
    """Empty text, an option for Git in disguise and a broken address are refused."""
    with pytest.raises(InvalidValueError, match=r"sources\.url"):
        values.repository_url("sources.url", url)


@pytest.mark.parametrize("ref", ["--help", "a b", "a\nb"])
def test_what_is_no_reference_is_refused(ref: str) -> None:
    """An option for Git in disguise can't be a branch."""
    with pytest.raises(InvalidValueError, match=r"sources\.ref"):
        values.git_ref("sources.ref", ref)


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../../b", "a\0b"])
def test_a_folder_stays_in_its_repository(path: str) -> None:
    """A folder can't lead out of the checkout."""
    with pytest.raises(InvalidValueError, match="directory"):
        values.directory("directory", path)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "x" * 101])
def test_a_source_is_named_like_a_folder(name: str) -> None:
    """The name of a source becomes a folder of the build, and nothing else."""
    with pytest.raises(InvalidValueError, match=r"sources\.name"):
        inputs.sources("sources", [GitSourceInput(name=name, url="/srv/x")])


def test_sources_are_named_once_and_not_too_many() -> None:
    """Two sources of one name, or more than 32, are refused."""
    source = GitSourceInput(name="a", url="/srv/a", ref=None, directory=None)
    (read,) = inputs.sources("sources", [source])
    assert (read.ref, read.directory) == ("HEAD", "")
    with pytest.raises(InvalidValueError, match="same name"):
        inputs.sources("sources", [source, source])
    with pytest.raises(InvalidValueError, match="more than 32"):
        inputs.sources("sources", [source] * 33)


def test_changes_of_a_list_are_read_by_its_kind() -> None:
    """A client list takes client numbers, a developer list does not; null removes."""
    (change,) = inputs.deltas(ListKind.CLIENT, [DeltaInput(service="shop", version="acme-1.0.0_2")])
    assert change.version == "acme-1.0.0_2"
    (removal,) = inputs.deltas(ListKind.DEVELOPER, [DeltaInput(service="shop", version=None)])
    assert removal.version is None
    with pytest.raises(InvalidValueError, match=r"deltas\.version"):
        inputs.deltas(ListKind.DEVELOPER, [DeltaInput(service="shop", version="acme-1.0.0_2")])


@pytest.mark.parametrize("services", [[], ["shop", "shop"]])
def test_a_change_names_each_service_once(services: list[str]) -> None:
    """An empty change, and one that says two things of one service, are refused."""
    with pytest.raises(InvalidValueError, match="at least one service, and each only once"):
        inputs.deltas(ListKind.DEVELOPER, [DeltaInput(service=name, version="acme-1.0.0") for name in services])


def test_macros_are_bounded() -> None:
    """A macro's value has a bound, as all that is kept."""
    assert inputs.macros("macros", [MacroInput(name="title", value="Hi")]) == {"title": "Hi"}
    with pytest.raises(InvalidValueError, match=r"macros\.value"):
        inputs.macros("macros", [MacroInput(name="title", value="x" * 20_000)])
