"""Which services run where, by the labels of instances."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.errors import AbsentError, InvalidValueError, OversizedError
from federation.names import LabelName, ServiceKey, ServiceName
from node.model.labels import Placement, Placing
from tests.support.graphql_answer_values import HOST
from tests.unit.test_usecases_placement import ONE, SHOP, TWO, WHO, ordered, placed, told

LABELS = ("eu", "gpu", "site=berlin")
KEYS = ("shop", "shop:web", "shop:worker", "mail", "blog")
FREE = replace(HOST, services=None, state=None, awaits=(), labels=())

labels = st.frozensets(st.sampled_from(LABELS)).map(lambda found: tuple(LabelName(one) for one in sorted(found)))
placements = st.dictionaries(st.sampled_from(KEYS), labels).map(
    lambda found: [Placement(key=ServiceKey(key), labels=asked) for key, asked in found.items()]
)
desired = st.frozensets(st.sampled_from(("shop", "mail", "blog")).map(ServiceName))


@given(desired, placements, labels)
def test_an_instance_runs_what_its_labels_ask_for_and_what_nobody_placed(
    names: frozenset[ServiceName], asked: list[Placement], own: tuple[LabelName, ...]
) -> None:
    """A placed service runs where all of its labels are; one that is not placed, everywhere."""
    due = Placing(names, asked).due(replace(FREE, labels=own))
    assert due == tuple(sorted(set(due)))
    by_key = {one.key: one for one in asked}
    for key in map(ServiceKey, KEYS):
        if key in by_key:
            expected = key.service in names and all(label in own for label in by_key[key].labels)
        else:
            untouched = all(one.key.service != key.service for one in asked)
            expected = key.role is None and key.service in names and untouched
        assert (key in due) == expected


@given(desired, placements, labels, labels)
def test_one_label_more_takes_nothing_away(
    names: frozenset[ServiceName], asked: list[Placement], some: tuple[LabelName, ...], more: tuple[LabelName, ...]
) -> None:
    """An instance that gets a label goes on to run what it ran."""
    placing = Placing(names, asked)
    both = tuple(sorted({*some, *more}))
    assert set(placing.due(replace(FREE, labels=some))) <= set(placing.due(replace(FREE, labels=both)))


@given(desired, placements, labels)
def test_what_was_given_by_name_runs_whatever_the_labels(
    names: frozenset[ServiceName], asked: list[Placement], own: tuple[LabelName, ...]
) -> None:
    """A list made by hand is not touched by placements."""
    by_hand = replace(FREE, services=(ServiceKey("mail"), ServiceKey("shop:web")), labels=own)
    assert Placing(names, asked).due(by_hand) == tuple(key for key in by_hand.services or () if key.service in names)


@pytest.mark.parametrize("text", ["", "GPU", "a/b", "site=", "=x", "a b", "x" * 61])
def test_a_label_is_a_plain_word(text: str) -> None:
    """It can stand on a command line and in a table without quotes."""
    with pytest.raises(InvalidValueError):
        LabelName(text)


async def test_a_service_follows_the_label(tmp_path: Path) -> None:
    """It is to run where the label is, ends where it no longer is, and runs everywhere once nothing is said of it."""
    network, globex, keys = await placed(tmp_path)
    use = globex.use
    for name in (ONE, TWO):
        await use.instances.assign(name, None, who=WHO)
    await use.instances.label(ONE, (LabelName("gpu"),), who=WHO)
    await use.placements.place(SHOP, (LabelName("gpu"),), who=WHO)
    assert (await ordered(network, globex, keys[ONE]), await ordered(network, globex, keys[TWO])) == ([SHOP], [])
    before = await use.instances.mark(TWO)
    await use.instances.label(ONE, (), who=WHO)
    await use.instances.label(TWO, (LabelName("gpu"), LabelName("eu")), who=WHO)
    assert (await ordered(network, globex, keys[ONE]), await ordered(network, globex, keys[TWO])) == ([], [SHOP])
    assert await use.instances.mark(TWO) != before
    await use.placements.forget(SHOP, who=WHO)
    assert await ordered(network, globex, keys[ONE]) == [SHOP]


async def test_the_file_of_a_host_narrows_what_its_labels_bring(tmp_path: Path) -> None:
    """A label can't bring a service to a host whose own file does not allow it."""
    network, globex, keys = await placed(tmp_path)
    await globex.use.instances.assign(ONE, None, who=WHO)
    await globex.use.instances.label(ONE, (LabelName("gpu"),), who=WHO)
    await globex.use.placements.place(SHOP, (LabelName("gpu"),), who=WHO)
    await told(network, globex, ONE, fixed=(ServiceKey("mail"),))
    assert await ordered(network, globex, keys[ONE]) == []
    await told(network, globex, ONE, fixed=(SHOP,))
    assert await ordered(network, globex, keys[ONE]) == [SHOP]


async def test_an_instance_that_is_attached_anew_keeps_its_labels(tmp_path: Path) -> None:
    """A new agent on the host is no new host."""
    network, globex, _ = await placed(tmp_path)
    await globex.use.instances.label(ONE, (LabelName("gpu"),), who=WHO)
    await globex.use.instances.revoke(ONE, who=WHO)
    await network.attach(globex, ONE)
    assert (await globex.use.instances.get(ONE)).labels == ("gpu",)


async def test_placements_are_bounded_and_what_is_not_there_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One too many is refused, another text for one that is there is not."""
    _, globex, _ = await placed(tmp_path)
    monkeypatch.setattr(limits, "PLACEMENTS", 1)
    gpu = (LabelName("gpu"),)
    await globex.use.placements.place(SHOP, gpu, who=WHO)
    await globex.use.placements.place(SHOP, (LabelName("eu"),), who=WHO)
    with pytest.raises(OversizedError):
        await globex.use.placements.place(ServiceKey("mail"), gpu, who=WHO)
    with pytest.raises(AbsentError, match="service placements"):
        await globex.use.placements.forget(ServiceKey("mail"), who=WHO)
