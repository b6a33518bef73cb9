"""Which settings are watched, when there is news in them, and how often they are looked at."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.errors import InvalidValueError
from federation.names import NodeName
from federation.versions import ClientVersion, DeveloperVersion
from node.config import Settings, create_node, load_settings
from node.model.peer import AutoUpdate
from node.model.settings import MadeOf, SettingsCommit, Watch, is_watched, moved
from node.model.version import GitSource, SiteSettings
from tests.support.clock import FakeClock
from tests.support.watched_site import SHOP


def test_settings_are_compared_as_before_they_were_watched() -> None:
    """A node that is updated does not make all its client versions anew."""
    settings = SiteSettings(service=SHOP, overlays=(GitSource(name="a", url="/b"),), macros={"c": "d"}, watch=Watch.OFF)
    assert settings.content == (
        b'{"service":"shop","overlays":[{"name":"a","url":"/b","ref":"HEAD","directory":""}],"macros":{"c":"d"}}'
    )
    assert codec.decode(settings.content, SiteSettings).watch is Watch.AUTO


LINK = st.sampled_from([None, *AutoUpdate])


@given(watch=st.sampled_from(Watch), link=LINK, adapted=st.booleans())
def test_off_is_off_and_by_itself_means_by_the_link(watch: Watch, link: AutoUpdate | None, *, adapted: bool) -> None:
    """What has no client version, and none coming, is never watched."""
    found = is_watched(watch, link=link, adapted=adapted)
    assert not (found and watch is Watch.OFF)
    assert not (found and link is None and not adapted)
    if watch is Watch.AUTO:
        assert found == (link is AutoUpdate.INSTALL)


COMMITS = st.lists(
    st.builds(
        SettingsCommit,
        url=st.sampled_from(["/a", "/b"]),
        ref=st.sampled_from(["HEAD", "main"]),
        commit=st.sampled_from(["a" * 40, "b" * 40]),
    ),
    max_size=4,
)


@given(used=COMMITS, seen=COMMITS, same=st.booleans())
def test_what_was_made_of_the_commits_that_are_seen_is_left_alone(
    used: list[SettingsCommit], seen: list[SettingsCommit], *, same: bool
) -> None:
    """Only commits that its last build had not are a reason; of another base, or of none known, all are."""
    base, other = DeveloperVersion("acme-1.0.0"), DeveloperVersion("acme-1.0.1")
    made = MadeOf(
        service=SHOP, base=base, version=ClientVersion("acme-1.0.0"), commits=tuple(used), at=FakeClock().now()
    )
    news = moved(made, base if same else other, seen)
    assert set(news) == (set(seen) - set(used) if same else set(seen))
    assert moved(None, base, seen) == tuple(seen)
    # Once it was made of them there is nothing more to do.
    after = MadeOf(service=SHOP, base=base, version=made.version, commits=tuple(seen), at=made.at)
    assert moved(after, base, seen) == ()


@pytest.mark.parametrize(("given", "seconds"), [("", 300), ("0", 0), ("5", 5), ("86400", 86_400)])
def test_how_often_is_a_setting_of_the_node(tmp_path: Path, given: str, seconds: int) -> None:
    """Nothing said: every five minutes; 0: never."""
    assert configured(tmp_path, given).settings_watch_seconds == seconds


@pytest.mark.parametrize("given", ["4", "-1", "86401", "true", "1.5", '"60"'])
def test_other_figures_are_refused(tmp_path: Path, given: str) -> None:
    """Servers are not asked without pause, and no slip of the pen switches the watch off."""
    with pytest.raises(InvalidValueError, match=r"settings_watch_seconds .* is neither 0 nor a number from 5 to 86400"):
        configured(tmp_path, given)


def configured(folder: Path, seconds: str) -> Settings:
    create_node(folder, name=NodeName("acme"), host="127.0.0.1", port=7420, url=None)
    with (folder / "config.toml").open("a") as config:
        config.write(f"settings_watch_seconds = {seconds}\n" if seconds else "")
    return load_settings(folder)
