"""However nodes are linked, what they follow from each other comes to rest, and never goes in a circle."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from federation.catalog.listing import Entry, marker
from federation.names import NodeName
from node.model.following import Action, Choice, Followed, Offering
from node.model.policy import decide
from tests.support.following import SHOP, entry, here, node_id, offering, situation

ORIGIN = "acme"
VERSIONS = [entry(f"acme-1.0.{number}") for number in range(4)]


@dataclass
class Site:
    """A node reduced to what following needs. ``seen``: what each provider listed when it was last read."""

    name: str
    providers: list[str]
    desired: str | None = None
    followed: Followed | None = None
    seen: dict[str, Offering] = field(default_factory=dict)

    @property
    def listed(self) -> tuple[Entry, ...]:
        if self.desired is None:
            return ()
        before = self.followed.trail(self.desired) if self.followed else ()
        (known,) = [one for one in VERSIONS if one.version == self.desired]
        own = marker(node_id(self.name), SHOP)
        return (
            Entry(
                service=SHOP, version=known.version, image=known.image, manifest=known.manifest, trail=(*before, own)
            ),
        )

    def act(self) -> bool:
        """Decide and do it; whether anything changed."""
        given = situation(
            *[self.seen[name] for name in sorted(self.seen)],
            node=self.name,
            developed=frozenset({SHOP} if self.name == ORIGIN else ()),
            followed={SHOP: self.followed} if self.followed else {},
            desired={SHOP: self.desired} if self.desired else {},
            stored=here(*VERSIONS),
        )
        decision = decide(given)
        assert decision == decide(given)
        for note in decision.noted:
            self.followed = note
        for verdict in decision.verdicts:
            if verdict.action is Action.TAKE:
                self.desired = str(verdict.version)
                choice = Choice.of(verdict.provider, verdict.listed)
                self.followed = Followed(service=SHOP, choice=choice)
        if self.followed is not None and self.followed.choice is not None:
            assert marker(node_id(self.name), SHOP) not in self.followed.choice.trail
        return bool(decision.noted) or any(one.action is Action.TAKE for one in decision.verdicts)


@dataclass
class Mesh:
    sites: dict[str, Site]
    lost: set[tuple[str, str]] = field(default_factory=set)

    def read(self, site: Site, provider: str) -> bool:
        """``site`` reads the catalogue of ``provider``; whether it says something new."""
        ended = (site.name, provider) in self.lost
        now = offering(NodeName(provider), *self.sites[provider].listed, ended=ended)
        changed = site.seen.get(provider) != now
        site.seen[provider] = now
        return changed

    def settle(self, rng: random.Random) -> int:
        """Let all read and act in any order until nothing changes; how many rounds it took."""
        pairs = [(site, provider) for site in self.sites.values() for provider in site.providers]
        for rounds in range(60):
            rng.shuffle(pairs)
            changed = False
            for site, provider in pairs:
                changed |= self.read(site, provider)
                changed |= site.act()
            if not changed:
                return rounds
        raise AssertionError("they do not come to rest")

    def reached(self) -> set[str]:
        """All that a choice of the origin can come to, by links that are not lost."""
        links = [
            (name, of) for name, site in self.sites.items() for of in site.providers if (name, of) not in self.lost
        ]
        found, frontier = {ORIGIN}, {ORIGIN}
        while frontier:
            frontier = {name for name, of in links if of in frontier} - found
            found |= frontier
        return found


def mesh(links: Iterable[tuple[str, str]]) -> Mesh:
    """``links``: (consumer, provider)."""
    pairs = list(links)
    names = sorted({name for pair in pairs for name in pair} | {ORIGIN})
    return Mesh({name: Site(name, sorted({to for of, to in pairs if of == name})) for name in names})


NAMES = st.sampled_from([ORIGIN, "bolt", "cove", "dune", "echo"])
LINKS = st.sets(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=12)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("develop"), st.integers(0, 3)),
        st.tuples(st.just("choose"), NAMES, st.integers(0, 3)),
        st.tuples(st.just("lose"), NAMES, NAMES),
        st.tuples(st.just("regain"), NAMES, NAMES),
        st.tuples(st.just("run"), st.integers(1, 10)),
    ),
    max_size=12,
)


def happen(network: Mesh, event: tuple[object, ...], rng: random.Random) -> None:
    """One thing changes somewhere; the others may know of it in part, or not yet."""
    match event:
        case ("develop", int(number)):
            network.sites[ORIGIN].desired = str(VERSIONS[number].version)
        case ("choose", str(name), int(number)) if name in network.sites:
            network.sites[name].desired = str(VERSIONS[number].version)
        case ("lose", str(of), str(to)):
            network.lost.add((of, to))
        case ("regain", str(of), str(to)):
            network.lost.discard((of, to))
        case ("run", int(steps)):
            pairs = [(site, provider) for site in network.sites.values() for provider in site.providers]
            for site, provider in rng.choices(pairs, k=steps):
                network.read(site, provider)
                site.act()


@given(LINKS, EVENTS, st.randoms(use_true_random=False))
def test_any_network_comes_to_rest(
    links: set[tuple[str, str]], events: list[tuple[object, ...]], rng: random.Random
) -> None:
    """Whoever chose what meanwhile, and whichever links were lost."""
    network = mesh(links)
    for event in events:
        happen(network, event, rng)
    network.settle(rng)


@given(LINKS, EVENTS, st.randoms(use_true_random=False))
def test_whoever_can_reach_the_origin_runs_its_choice_once_links_are_whole(
    links: set[tuple[str, str]], events: list[tuple[object, ...]], rng: random.Random
) -> None:
    """Whatever was lost before, when nobody else chose for himself: old choices do not live on in circles."""
    network = mesh(links)
    for event in (one for one in events if one[0] != "choose"):
        happen(network, event, rng)
    network.settle(rng)
    network.lost.clear()
    network.settle(rng)
    network.sites[ORIGIN].desired = str(VERSIONS[3].version)
    network.settle(rng)
    assert {network.sites[name].desired for name in network.reached()} == {"acme-1.0.3"}


@given(LINKS, EVENTS, st.randoms(use_true_random=False))
def test_who_still_reaches_the_origin_runs_its_choice_whatever_other_links_are_lost(
    links: set[tuple[str, str]], events: list[tuple[object, ...]], rng: random.Random
) -> None:
    """A node that has lost its own source says so, and nobody who has another way stays behind with it."""
    network = mesh(links)
    for event in (one for one in events if one[0] != "choose"):
        happen(network, event, rng)
    network.settle(rng)
    network.sites[ORIGIN].desired = str(VERSIONS[3].version)
    network.settle(rng)
    assert {network.sites[name].desired for name in network.reached()} == {"acme-1.0.3"}


def test_two_nodes_and_a_ring_agree_in_as_many_rounds_as_there_are_hops() -> None:
    """acme ↔ bolt, and acme → bolt → cove → acme."""
    for links, hops in (
        ([("bolt", "acme"), ("acme", "bolt")], 1),
        ([("bolt", "acme"), ("cove", "bolt"), ("acme", "cove")], 2),
    ):
        network = mesh(links)
        for number in (0, 2, 1):
            network.sites[ORIGIN].desired = str(VERSIONS[number].version)
            assert network.settle(random.Random(7)) <= hops + 1
            assert {site.desired for site in network.sites.values()} == {str(VERSIONS[number].version)}
