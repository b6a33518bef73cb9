"""Whole networks that lose messages, are cut in pieces and are lied to come to rest at what the origins want.

Each run is one of ``tests.support.simulation``: real nodes, keys, catalogues and packs in simulated time. At each
change of what an honest node stores or wants is checked that the origin made it so. A run fails when some node does not
agree within the bound after the network has healed, or when any version moves after that.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.http import streams
from node.model.peer import AutoUpdate
from tests.support import simulated_network
from tests.support.nodes import WHO
from tests.support.simulated_lies import FOUND_OUT, Lie
from tests.support.simulated_plan import Plan, make_plan
from tests.support.simulated_report import report
from tests.support.simulation import DisagreementError, Durations, Simulation, memory_folder

SHORT = Durations(storm=300, rest=600)
RESTING_MOST = 400.0
"""Requests in an hour of a node that has nothing to do but to look, with some providers that lie."""

DAY = 86_400.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is room."""
    with tempfile.TemporaryDirectory(dir=memory_folder()) as name:
        yield Path(name)


def led_by(lie: Lie, seed: str = "led") -> Plan:
    """initech takes from evil, and later from globex too; both have it from acme."""
    return Plan(
        seed=seed,
        honest=("acme", "globex", "initech"),
        origins={"acme": ("shop", "till")},
        liars={"evil": lie},
        links=(("acme", "evil"), ("acme", "globex"), ("evil", "initech")),
        late=(("globex", "initech"),),
        rings=(),
    )


def test_fifty_nodes_agree_after_storm_partition_and_lies(folder: Path) -> None:
    """Every kind of lie at once: no honest node ever stores what an origin did not make, and all agree in time."""
    plan = make_plan("1", nodes=50, origins=4, lies=16, circles=3)
    assert set(plan.liars.values()) == set(Lie)
    figures = Simulation(plan, folder).run()
    print(report(plan, figures))
    assert figures.behind > len(plan.honest) // 2, "the storm kept most of them from what is new"
    assert figures.agreed.keys() == set(plan.honest)
    assert figures.latest <= figures.bound
    assert {"tampered", "stale", "too-large", "unreachable", "remote"} <= figures.refusals.keys()
    assert {"catalog-refused", "origin-key-changed"} <= figures.alarms.keys()
    assert max(figures.resting_hourly.values()) < RESTING_MOST


@pytest.mark.parametrize("seed", [str(number) for number in range(8)])
def test_any_network_agrees(seed: str, folder: Path) -> None:
    """Other links, other liars, other weather with each seed."""
    plan = make_plan(seed, nodes=10, origins=2, lies=3, circles=1)
    figures = Simulation(plan, folder, SHORT).run()
    print(report(plan, figures))
    assert figures.agreed.keys() == set(plan.honest)
    assert figures.latest <= figures.bound
    assert max(figures.resting_hourly.values()) < RESTING_MOST


@pytest.mark.parametrize("lie", FOUND_OUT)
def test_who_follows_a_liar_leaves_it_for_another_provider(lie: Lie, folder: Path) -> None:
    """initech follows evil when the lies begin; globex has the same, and within the hour initech is right again."""
    figures = Simulation(led_by(lie), folder, Durations(storm=300, agree=3600, rest=300)).run()
    assert figures.agreed.keys() == {"acme", "globex", "initech"}


def test_who_follows_one_that_withholds_leaves_it_after_a_day(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell it from a provider with nothing new, until the catalogue that was seen last expires."""
    # A heartbeat says nothing, and a day has many of them.
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 600.0)
    monkeypatch.setattr(simulated_network, "SILENCE_SECONDS", 1800.0)
    figures = Simulation(led_by(Lie.FREEZES), folder, Durations(storm=300, agree=DAY + 600, rest=300)).run()
    assert DAY / 2 < figures.agreed["initech"] < DAY + 600
    assert figures.agreed["globex"] < 3600


def test_one_seed_is_one_story(folder: Path) -> None:
    """The same seed gives the same trace, to the microsecond; another one another."""

    def trace(seed: str, run: str) -> str:
        plan = make_plan(seed, nodes=7, origins=1, lies=2, circles=1)
        (folder / run).mkdir()
        return Simulation(plan, folder / run, Durations(storm=150, rest=60)).run().trace

    first = trace("a", "first")
    assert trace("a", "second") == first
    assert trace("b", "third") != first


class _Unmade(Simulation):
    """Where the origin's word on what it made is lost."""

    async def _release(self, service: str) -> None:
        await super()._release(service)
        self.auditor.made.clear()


class _HeldBack(Simulation):
    """Where an operator has told initech to take nothing by itself."""

    async def _storm(self) -> None:
        for provider in await self.nodes["initech"].use.links.providers():
            await self.nodes["initech"].use.links.set_auto_update(provider.name, AutoUpdate.OFF, who=WHO)
        await super()._storm()


def test_the_simulation_sees_a_version_that_nobody_made_and_a_node_that_stays_behind(folder: Path) -> None:
    """What it would say if the product were wrong."""
    plan = led_by(Lie.CRIES)
    for kind, told in ((_Unmade, "which its origin never made"), (_HeldBack, "auto-update from evil is off")):
        (folder / kind.__name__).mkdir()
        with pytest.raises(ExceptionGroup) as caught:
            kind(plan, folder / kind.__name__, Durations(storm=100, agree=600, rest=60)).run()
        (error,) = caught.value.exceptions
        assert isinstance(error, DisagreementError)
        assert told in str(error)
