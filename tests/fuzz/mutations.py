"""Spoils good examples as an attacker or a bad line would; the same seed spoils them in the same way."""

import random
from collections.abc import Callable, Iterator
from typing import Final

_TELLING: Final = (
    b"\x00", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"-1", b"1e400", b"99999999999999999999",
    b"null", b"[]", b"{}", b'""', b'"', b"\\u0000", b"\\ud800", b"../", b"%00", b"\r\n", b"\xf0\x9f\x98\x80", b"NaN",
)  # fmt: skip
_LARGEST: Final = 256 * 1024

Mutation = Callable[[random.Random, bytes], bytes]


def _place(rng: random.Random, content: bytes) -> int:
    return rng.randrange(len(content) + 1)


def _flip(rng: random.Random, content: bytes) -> bytes:
    spoilt = bytearray(content or b"\0")
    for _ in range(rng.choice((1, 1, 1, 4, 16))):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def _cut(rng: random.Random, content: bytes) -> bytes:
    return content[: _place(rng, content)]


def _drop(rng: random.Random, content: bytes) -> bytes:
    first, last = sorted((_place(rng, content), _place(rng, content)))
    return content[:first] + content[last:]


def _repeat(rng: random.Random, content: bytes) -> bytes:
    first, last = sorted((_place(rng, content), _place(rng, content)))
    times = min(rng.choice((2, 2, 8, 64, 1024)), _LARGEST // max(last - first, 1))
    return content[:first] + content[first:last] * times + content[last:]


def _insert(rng: random.Random, content: bytes) -> bytes:
    place = _place(rng, content)
    return content[:place] + rng.choice(_TELLING) * rng.choice((1, 1, 1, 50, 5000)) + content[place:]


def _overwrite(rng: random.Random, content: bytes) -> bytes:
    place, told = _place(rng, content), rng.choice(_TELLING)
    return content[:place] + told + content[place + len(told) :]


def _deepen(rng: random.Random, content: bytes) -> bytes:
    place = _place(rng, content)
    return content[:place] + rng.choice((b"[", b'{"a":', b"(")) * rng.choice((10, 1000, 100_000)) + content[place:]


_MUTATIONS: Final[tuple[Mutation, ...]] = (_flip, _flip, _cut, _drop, _repeat, _insert, _overwrite, _deepen)


def spoilt(rng: random.Random, seeds: tuple[bytes, ...]) -> Iterator[bytes]:
    """Good examples spoilt once or a few times, without end; now and then nothing but noise."""
    while True:
        content = rng.choice(seeds)
        if rng.random() < 0.05:
            content = rng.randbytes(rng.randrange(300))
        for _ in range(rng.choice((1, 1, 2, 5))):
            content = rng.choice(_MUTATIONS)(rng, content)[:_LARGEST]
        yield content
