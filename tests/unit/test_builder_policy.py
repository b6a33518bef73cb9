"""Versions that need several builders to agree: what counts, what is held back, and what is said of it."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.digest import Digest
from federation.errors import AbsentError, InvalidValueError, OversizedError
from federation.keys import PrivateKey
from federation.manifest import Maker
from federation.names import NodeName, ServiceName
from federation.provenance import Provenance, SignedProvenance
from federation.versions import DeveloperVersion
from node.model.building import BuilderPolicy, StoredProvenance, judge
from node.model.desired import Delta, ListKind
from node.model.task import TaskState
from node.usecases import provenances
from node.usecases.provenances import PolicyError
from tests.support.clock import FIXED_START
from tests.support.nodes import Member, Network
from tests.unit.test_provenance import MADE

WHO = "ann"
SHOP = ServiceName("shop")
ONE = DeveloperVersion("acme-1.0.0")
GOOD, EVIL = Digest.of(b"good"), Digest.of(b"evil")
BUILDERS = {NodeName(name): PrivateKey(name.encode().ljust(32, b"-")) for name in ("alpha", "beta", "gamma")}
IDS = tuple(key.public.id for key in BUILDERS.values())


def said(name: str, image: Digest, **changes: object) -> SignedProvenance:
    """What builder ``name`` says to have built of shop acme-1.0.0."""
    key = BUILDERS[NodeName(name)]
    made: Provenance = replace(MADE, image=image, builder=Maker(node=NodeName(name), key=key.public), **changes)  # type: ignore[arg-type]
    return SignedProvenance.make(made, key)


def kept(name: str, image: Digest) -> StoredProvenance:
    signed = said(name, image)
    return StoredProvenance(
        service=SHOP,
        version=ONE,
        image=image,
        builder=signed.provenance.builder.key.id,
        node=NodeName(name),
        envelope=signed.to_bytes(),
        stored=FIXED_START,
    )


@given(
    st.integers(1, 3),
    st.dictionaries(st.sampled_from(["alpha", "beta", "gamma"]), st.sampled_from([GOOD, EVIL])),
    st.sets(st.sampled_from(range(3)), min_size=1),
)
def test_each_trusted_builder_of_the_very_image_counts_once(
    require: int, words: dict[str, Digest], trusted: set[int]
) -> None:
    """The words of strangers and those about another image count for nothing; nobody is in two groups."""
    builders = tuple(IDS[number] for number in sorted(trusted))
    if require > len(builders):
        with pytest.raises(InvalidValueError):
            BuilderPolicy(service=SHOP, builders=builders, require=require)
        return
    policy = BuilderPolicy(service=SHOP, builders=builders, require=require)
    found = [kept(name, image) for name, image in words.items()]
    judged = judge(policy, GOOD, [*found, *found])
    honest = {one.builder for one in found if one.image == GOOD} & set(builders)
    assert {one.builder for one in judged.agreeing} == honest
    assert judged.is_met == (len(honest) >= require)
    assert len(judged.agreeing) + len(judged.differing) + len(judged.silent) == len(builders)


def test_a_policy_that_can_t_be_met_is_refused() -> None:
    """None of nobody, more than there are, the same one twice."""
    for builders, require in (((), 0), (IDS[:1], 2), ((IDS[0], IDS[0]), 2), (IDS, 0)):
        with pytest.raises(InvalidValueError):
            BuilderPolicy(service=SHOP, builders=builders, require=require)


async def shared(folder: Path) -> tuple[Network, Member, Member, Digest]:
    """acme has made a version, globex follows it; the image's digest."""
    network = Network(folder)
    acme, globex = network.add("acme"), network.add("globex")
    await acme.share("public", "shop")
    made = await acme.develop("shop", "acme-1.0.0", {"shop.txt": b"buy"})
    await network.link(acme, globex, "public")
    return network, acme, globex, made.image


async def test_one_malicious_builder_of_three_is_named_and_holds_nothing_up(tmp_path: Path) -> None:
    """At a consumer that needs two of three, a version waits while one differs, and is taken once two agree."""
    _, acme, globex, image = await shared(tmp_path)
    await globex.use.provenances.require(BuilderPolicy(service=SHOP, builders=IDS, require=2), who=WHO)
    await acme.use.provenances.keep(said("alpha", image))
    await acme.use.provenances.keep(said("beta", EVIL))
    async with globex.use.tasks.running():
        held = await globex.update_from("acme")
    assert held.state is TaskState.FAILED
    assert re.search(r"1 of the 2 builds .* \(by alpha\); beta built another image; nothing from", held.error)
    assert (await globex.use.desired.current(ListKind.DEVELOPER)).versions == {}
    await acme.use.provenances.keep(said("gamma", image))
    async with globex.use.tasks.running():
        assert (await globex.update_from("acme")).state is TaskState.SUCCEEDED
    assert (await globex.use.desired.current(ListKind.DEVELOPER)).versions == {SHOP: str(ONE)}
    found = await globex.use.provenances.of(SHOP, ONE)
    assert {one.node: one.image == image for one in found} == {"alpha": True, "beta": False, "gamma": True}


async def test_an_operator_can_t_make_it_desired_either(tmp_path: Path) -> None:
    """Neither by hand nor by a rollback; what was desired before the policy stays."""
    _, acme, _, image = await shared(tmp_path)
    use = acme.use
    await use.provenances.require(BuilderPolicy(service=SHOP, builders=IDS, require=1), who=WHO)
    before = await use.desired.current(ListKind.DEVELOPER)
    assert before.versions == {SHOP: str(ONE)}
    removed = await use.desired.change(
        ListKind.DEVELOPER, (Delta(service=SHOP, version=None),), seen=before.number, who=WHO, why=""
    )
    with pytest.raises(PolicyError):
        await use.desired.rollback(ListKind.DEVELOPER, before.number, who=WHO, why="")
    with pytest.raises(PolicyError, match=r"versions provenance shop acme-1\.0\.0"):
        await use.desired.set_now(ListKind.DEVELOPER, (Delta(service=SHOP, version=str(ONE)),), who=WHO, why="")
    assert await use.desired.current(ListKind.DEVELOPER) == removed
    await use.provenances.keep(said("beta", image))
    await use.desired.rollback(ListKind.DEVELOPER, before.number, who=WHO, why="")
    await use.provenances.free(SHOP, who=WHO)
    with pytest.raises(AbsentError):
        await use.provenances.free(SHOP, who=WHO)


async def test_the_last_word_of_a_builder_counts(tmp_path: Path) -> None:
    """An older statement that is brought again changes nothing; a newer one takes its place."""
    _, acme, _, image = await shared(tmp_path)
    later = said("alpha", image, finished=MADE.finished + timedelta(hours=1))
    await acme.use.provenances.keep(later)
    await acme.use.provenances.keep(said("alpha", EVIL))
    assert [one.image for one in await acme.use.provenances.of(SHOP, ONE)] == [image]


async def test_builders_of_one_version_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is refused; one that has spoken may speak again."""
    _, acme, _, image = await shared(tmp_path)
    monkeypatch.setattr(provenances, "BUILDERS_MOST", 1)
    await acme.use.provenances.keep(said("alpha", image))
    await acme.use.provenances.keep(said("alpha", image))
    with pytest.raises(OversizedError):
        await acme.use.provenances.keep(said("beta", image))
    assert await acme.use.provenances.take(SHOP, ONE, said("beta", image).to_bytes()) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
async def test_what_a_provider_makes_up_is_not_kept(content: bytes, tmp_path: Path) -> None:
    """Neither nonsense nor a statement about another version."""
    _, acme, _, image = await shared(tmp_path)
    assert await acme.use.provenances.take(SHOP, ONE, content) is None
    other = said("alpha", image, version=DeveloperVersion("acme-1.0.1"))
    assert await acme.use.provenances.take(SHOP, ONE, other.to_bytes()) is None
    assert await acme.use.provenances.of(SHOP, ONE) == []
