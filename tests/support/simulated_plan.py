"""Who is linked to whom in a simulated network, who develops what, and who will lie: made by chance, from a seed.

However it falls, each honest node has a way of honest nodes to every origin whose services it takes, and at most one
provider that lies.
"""

import functools
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.support.simulated_lies import FOUND_OUT, WITHHOLDING, Lie

DEEPEST: Final = 6
_PROVIDERS: Final = (1, 1, 2, 2, 2)

Link = tuple[str, str]
"""Provider and consumer."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One network. ``origins``: their services; ``late``: links that are made once all have what there is."""

    seed: str
    honest: tuple[str, ...]
    origins: Mapping[str, tuple[str, ...]]
    liars: Mapping[str, Lie]
    links: tuple[Link, ...]
    late: tuple[Link, ...]
    rings: tuple[tuple[str, ...], ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        return (*self.honest, *self.liars)

    @functools.cached_property
    def services(self) -> dict[str, str]:
        """The origin of each service."""
        return {service: origin for origin, services in self.origins.items() for service in services}

    @functools.cached_property
    def depth(self) -> int:
        """The longest of the shortest ways of honest nodes to an origin, in links."""
        return max(hops for origin in self.origins for hops in _distances(origin, self._honest_links).values())

    @functools.cached_property
    def _honest_links(self) -> list[Link]:
        return [link for link in (*self.links, *self.late) if not set(link) & self.liars.keys()]

    @functools.cached_property
    def wanted(self) -> dict[str, dict[str, str]]:
        """What each honest node takes: the origin of each service."""
        found: dict[str, dict[str, str]] = {name: {} for name in self.honest}
        for origin, services in self.origins.items():
            for name in _distances(origin, self._honest_links):
                found[name].update(dict.fromkeys(services, origin))
        return found


def _distances(origin: str, links: Sequence[Link]) -> dict[str, int]:
    """All that ``origin`` reaches by ``links``, in how many."""
    found, border = {origin: 0}, [origin]
    while border:
        near = [to for of, to in links if of in border and to not in found]
        border = list(dict.fromkeys(near))
        found.update({name: found[_nearest(name, links, found)] + 1 for name in border})
    return found


def _nearest(name: str, links: Sequence[Link], known: Mapping[str, int]) -> str:
    """The known provider of ``name`` that is nearest."""
    return min((of for of, to in links if to == name and of in known), key=lambda of: known[of])


def make_plan(seed: str, *, nodes: int, origins: int, lies: int, circles: int) -> Plan:
    """A network of ``nodes``, of which ``lies`` lie; ``circles``: so many two-way pairs, and so many rings of three."""
    rng = random.Random(f"plan {seed}")
    kinds = _kinds(rng, lies)
    names = [f"node-{number:02d}" for number in range(nodes - lies)]
    liars = {f"liar-{number:02d}": kind for number, kind in enumerate(kinds)}
    links = _tree(rng, names, origins)
    _pairs(rng, links, names[origins:], circles)
    rings = _rings(rng, links, names[origins:], circles)
    made = Plan(
        seed=seed,
        honest=tuple(names),
        origins={name: _developed(number) for number, name in enumerate(names[:origins])},
        liars={},
        links=tuple(links),
        late=(),
        rings=tuple(rings),
    )
    early, late = _linked(rng, made, liars)
    return Plan(
        seed=seed,
        honest=made.honest,
        origins=made.origins,
        liars=liars,
        links=(*links, *early),
        late=tuple(late),
        rings=made.rings,
    )


def _developed(number: int) -> tuple[str, ...]:
    """Every second origin has two services."""
    return (f"shop-{number}", f"till-{number}") if number % 2 else (f"shop-{number}",)


def _kinds(rng: random.Random, lies: int) -> list[Lie]:
    """All kinds in turn; about one in four withholds."""
    found_out, withholding = list(FOUND_OUT), sorted(WITHHOLDING, key=lambda lie: lie.name)
    rng.shuffle(found_out)
    rng.shuffle(withholding)
    few = round(lies * len(withholding) / len(Lie))
    return [*(found_out[number % len(found_out)] for number in range(lies - few)), *withholding[:few]]


def _tree(rng: random.Random, names: Sequence[str], origins: int) -> list[Link]:
    """Each node takes from some of those before it; the newest ones are taken more often, so that chains grow."""
    links: list[Link] = []
    depth = dict.fromkeys(names[:origins], 0)
    for name in names[origins:]:
        known = [one for one in depth if depth[one] < DEEPEST]
        near = known[-max(3, len(known) // 3) :]
        chosen = [rng.choice(near)]
        chosen += [rng.choice(known) for _ in range(rng.choice(_PROVIDERS) - 1)]
        providers = list(dict.fromkeys(chosen))
        links += [(provider, name) for provider in providers]
        depth[name] = 1 + max(depth[provider] for provider in providers)
    return links


def _pairs(rng: random.Random, links: list[Link], names: Iterable[str], most: int) -> None:
    """Some consumers are providers of their providers too."""
    within = set(names)
    found = [link for link in links if set(link) <= within and link[::-1] not in links]
    for provider, consumer in rng.sample(found, min(most, len(found))):
        links.append((consumer, provider))


def _rings(rng: random.Random, links: list[Link], names: Iterable[str], most: int) -> list[tuple[str, str, str]]:
    """Close some chains of three into rings."""
    within = set(names)
    inner = [link for link in links if set(link) <= within]
    chains = [(a, b, c) for a, b in inner for of, c in inner if of == b and c != a and (c, a) not in links]
    chosen = rng.sample(chains, min(most, len(chains)))
    for first, _, last in chosen:
        if (last, first) not in links:
            links.append((last, first))
    return chosen


def _linked(rng: random.Random, plan: Plan, liars: Mapping[str, Lie]) -> tuple[list[Link], list[Link]]:
    """Give each liar a provider, and some consumers that lose nothing by it; now, or later."""
    early, late = list[Link](), list[Link]()
    reach = {name: set(services) for name, services in plan.wanted.items()}
    free = [name for name in plan.honest if name not in plan.origins]
    for number, (liar, lie) in enumerate(liars.items()):
        victim = rng.choice(free)
        free.remove(victim)
        provider = rng.choice([of for of, to in plan.links if to == victim])
        others = [name for name in free if name != provider and reach[name] >= reach[provider]]
        spare = len(free) > len(liars) - number  # one is left for each liar
        victims = [victim, *rng.sample(others, min(rng.randint(0, 1), len(others), spare))]
        free = [name for name in free if name not in victims]
        early.append((provider, liar))
        (late if lie in WITHHOLDING else early).extend((liar, one) for one in victims)
    return early, late
