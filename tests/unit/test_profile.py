"""Profiles: a consumer sees the services of its profile and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from federation.names import ProfileName, ServiceName
from federation.profile import SELF, Profile
from federation.versions import DeveloperVersion
from tests.support import strategies as values

services = st.frozensets(values.service_names(), max_size=5)


def profile(names: frozenset[ServiceName]) -> Profile:
    return Profile(name=ProfileName("public"), services=names)


@given(services, st.dictionaries(values.service_names(), values.developer_versions(), max_size=6))
def test_what_is_visible_is_what_is_covered(
    names: frozenset[ServiceName], versions: dict[ServiceName, DeveloperVersion]
) -> None:
    """No more, no less, with its version."""
    seen = profile(names).visible(versions)
    assert set(seen) == {service for service in versions if profile(names).covers(service)} == set(versions) & names
    assert all(versions[service] == version for service, version in seen.items())


@given(services, services, services)
def test_a_change_adds_then_removes(
    names: frozenset[ServiceName], add: frozenset[ServiceName], remove: frozenset[ServiceName]
) -> None:
    """Removing wins, and the profile that was is untouched."""
    before = profile(names)
    after = before.changed(add=add, remove=remove)
    assert after.services == (names | add) - remove
    assert before.services == names
    assert after.name == before.name


def test_every_node_has_the_profile_self() -> None:
    """Its name is a name like others."""
    assert ProfileName("self") == SELF
