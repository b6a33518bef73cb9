"""What a fuzz target is: a decoder of bytes from outside, and good examples of what it takes."""

from collections.abc import Callable
from dataclasses import dataclass

from federation import codec
from federation.envelope import Envelope
from federation.errors import VUpdateError
from federation.keys import PrivateKey


@dataclass(frozen=True, slots=True)
class Target:
    """``decode`` takes any bytes: it returns, or raises a ``VUpdateError``; anything else is a finding.

    ``decoders`` names the functions of the product that are reached, as ``module:qualified name``.
    """

    name: str
    decode: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    decoders: tuple[str, ...]

    def try_on(self, content: bytes) -> bool:
        """Whether ``content`` was taken; refused is fine too."""
        try:
            self.decode(content)
        except VUpdateError:
            return False
        return True


def value(kind: type, *seeds: object) -> Target:
    """A body that travels as JSON and is decoded to ``kind``."""
    return Target(
        f"json {kind.__name__}",
        lambda content: codec.decode(content, kind),
        tuple(map(codec.encode, seeds)),
        (f"federation.codec:decode({kind.__name__})",),
    )


def signed(
    name: str, payload_type: str, key: PrivateKey, read: Callable[[bytes], object], decoder: str, *seeds: object
) -> tuple[Target, Target]:
    """A statement: its envelope spoilt on the way, and its payload spoilt by whoever holds the right key."""
    good = tuple(codec.encode(seed) if not isinstance(seed, bytes) else seed for seed in seeds)

    def envelope(payload: bytes) -> bytes:
        return Envelope.signed(payload_type, payload, key).to_bytes()

    return (
        Target(f"{name}, envelope", read, tuple(map(envelope, good)), (decoder,)),
        Target(f"{name}, payload", lambda payload: read(envelope(payload)), good, (decoder,)),
    )
