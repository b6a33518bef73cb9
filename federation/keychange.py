"""Key changes: a node's own statements that its key is another one from now on, and what they lead to.

A change is signed by the old key and by the new one. Those of a node form one chain: numbered without gaps, each
beginning at the key that the one before ended at, no key twice. Two different changes of one key can't both be the
owner's: such a fork is refused and named. Here is decided where a chain leads; what is then trusted, ``trust`` says.
"""

import base64
import binascii
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from federation import codec, limits
from federation.codec import Moment
from federation.envelope import Envelope
from federation.errors import InvalidValueError, OversizedError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.names import NodeName
from federation.trust import OriginKeyChangedError

PAYLOAD_TYPE: Final = "application/vnd.vupdate.key-change+json"
INTRODUCTION_PATH: Final = "/federation/v1/key-changes"
AGENT_PATH: Final = "/agent/v1/key-changes"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """``node`` gave up the key ``old`` for ``new``. ``number``: 1 for its first change; ``at``: its own word."""

    node: NodeName
    old: PublicKey
    new: PublicKey
    at: Moment
    number: int

    def __post_init__(self) -> None:
        if self.old == self.new:
            raise InvalidValueError("a key can't be changed for itself")
        if not 1 <= self.number <= limits.SERIAL:
            raise InvalidValueError("key changes are numbered from 1 on")

    def sign(self, old: PrivateKey, new: PrivateKey) -> bytes:
        """The statement as an envelope that both keys signed."""
        if (old.public, new.public) != (self.old, self.new):
            raise ValueError("a key change is signed by the two keys that it names")
        return Envelope.signed(PAYLOAD_TYPE, codec.encode(self), old).with_signature(new).to_bytes()

    @classmethod
    def read(cls, content: bytes, node: NodeName) -> Self:
        """The change of ``node`` in the envelope ``content``.

        Raises:
            TamperedError: of another node, not signed by both keys, or of another form.
            OversizedError: over a bound of ``limits``.
        """
        if len(content) > limits.KEY_CHANGE_BYTES:
            raise OversizedError(f"a key change of {len(content)} bytes is over the bound of {limits.KEY_CHANGE_BYTES}")
        envelope = Envelope.from_bytes(content)
        if len(envelope.signatures) != 2:
            raise TamperedError(f"a key change bears two signatures, not {len(envelope.signatures)}: refused")
        try:
            change = codec.decode(envelope.payload, cls)
        except InvalidValueError as error:
            raise TamperedError(f"not a key change: {error}") from error
        envelope.verified_payload(PAYLOAD_TYPE, {change.old, change.new}, threshold=2)
        if change.node != node:
            raise TamperedError(f"a key change of {change.node} stands where one of {node} is due: refused")
        return change


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIntroduction:
    """A consumer says by which key its provider will know it from now on; the request is signed by ``key``."""

    node: NodeName
    key: PublicKey
    changes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeyChain:
    """The verified changes of one node in order, with the envelopes that they came in."""

    node: NodeName
    changes: tuple[KeyChange, ...]
    envelopes: tuple[bytes, ...]

    @classmethod
    def read(cls, node: NodeName, envelopes: Iterable[bytes]) -> Self:
        """The chain that ``envelopes``, in any order and perhaps repeated, make up. It may begin at any number.

        Raises:
            TamperedError: one of them is not a change of ``node`` signed by both keys.
            OriginKeyChangedError: they fork, lack one, or go in a circle.
            OversizedError: too many, or over another bound of ``limits``.
        """
        distinct = tuple(dict.fromkeys(envelopes))
        if len(distinct) > limits.KEY_CHANGES:
            raise OversizedError(f"{node} shows more than {limits.KEY_CHANGES} key changes: refused")
        found: dict[KeyChange, bytes] = {}
        for envelope in distinct:
            found.setdefault(KeyChange.read(envelope, node), envelope)
        changes = tuple(sorted(found, key=lambda change: change.number))
        _check_forks(node, changes)
        _check_links(node, changes)
        return cls(node, changes, tuple(found[change] for change in changes))

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """All keys of the node that the chain tells of, the oldest first; none where it is empty."""
        return (*(change.old for change in self.changes[:1]), *(change.new for change in self.changes))

    def newest(self, known: PublicKey) -> PublicKey:
        """Where the chain leads from ``known``: to its end, or nowhere where it does not tell of that key."""
        return self.keys[-1] if known in self.keys else known

    def lead(self, pinned: PublicKey, seen: PublicKey) -> tuple[KeyChange, ...]:
        """The changes from ``pinned`` to ``seen``, which is the newest key; none where it is the pinned one.

        Raises:
            OriginKeyChangedError: there is no such way; the sentence says what is missing.
        """
        if seen == self.newest(pinned):
            start = self.keys.index(pinned) if pinned in self.keys else len(self.changes)
            return self.changes[start:]
        raise OriginKeyChangedError(
            f"{self.node} is known by key {pinned.id.short}… and now shows {seen.id.short}…: "
            f"{self._lacking(pinned, seen)}"
        )

    def _lacking(self, pinned: PublicKey, seen: PublicKey) -> str:
        if seen in self.keys and seen != self.keys[-1]:
            given_up = next(change for change in self.changes if change.old == seen)
            return f"that key was given up on {given_up.at:%Y-%m-%d} for {given_up.new.id.short}…, and counts no more"
        if not self.changes:
            return "there is no statement by the old key that it was changed"
        if pinned not in self.keys:
            return f"none of the {len(self.changes)} key changes shown is made by the known key"
        return f"the key changes shown lead from the known key to {self.keys[-1].id.short}… and not to this one"


def _check_forks(node: NodeName, changes: Sequence[KeyChange]) -> None:
    """Refuse two different statements of one key, or of one number."""
    by_old: dict[PublicKey, KeyChange] = {}
    by_number: dict[int, KeyChange] = {}
    for change in changes:
        for other in (by_old.setdefault(change.old, change), by_number.setdefault(change.number, change)):
            if other != change:
                raise OriginKeyChangedError(
                    f"{node} made two different statements on one key change: from {other.old.id.short}… to "
                    f"{other.new.id.short}…, and from {change.old.id.short}… to {change.new.id.short}…; "
                    f"one of them is a thief's: ask its operator which key is the right one"
                )


def _check_links(node: NodeName, changes: Sequence[KeyChange]) -> None:
    """Refuse gaps and circles."""
    for before, after in itertools.pairwise(changes):
        if after.number != before.number + 1:
            raise OriginKeyChangedError(f"the key changes of {node} lack number {before.number + 1}: refused")
        if after.old != before.new:
            raise OriginKeyChangedError(
                f"key change {after.number} of {node} begins at {after.old.id.short}…, "
                f"but the one before ended at {before.new.id.short}…: refused"
            )
    keys = {changes[0].old, *(change.new for change in changes)} if changes else set()
    if changes and len(keys) != len(changes) + 1:
        raise OriginKeyChangedError(f"the key changes of {node} go in a circle: a key given up never comes back")


def follow(pinned: PublicKey, seen: PublicKey, changes: Sequence[bytes], node: NodeName) -> tuple[KeyChange, ...]:
    """The changes of ``node`` that lead from ``pinned`` to ``seen``; none where they are the same and nothing followed.

    Raises:
        OriginKeyChangedError: the envelopes ``changes`` don't lead there.
        TamperedError, OversizedError: as ``KeyChain.read``.
    """
    return KeyChain.read(node, changes).lead(pinned, seen)


def former_ids(chain: KeyChain) -> frozenset[NodeId]:
    """The ids of the keys that were given up."""
    return frozenset(change.old.id for change in chain.changes)


def to_document(envelopes: Sequence[bytes]) -> bytes:
    """Envelopes as they stand in a catalogue and in the answer to an agent: a JSON array of base64, oldest first."""
    return codec.encode([base64.b64encode(envelope).decode("ascii") for envelope in envelopes])


def from_document(content: bytes) -> tuple[bytes, ...]:
    """The envelopes in a document; nothing is verified yet.

    Raises:
        OversizedError: over a bound of ``limits``.
        TamperedError: not an array of base64 texts.
    """
    if len(content) > limits.KEY_CHANGES_BYTES:
        raise OversizedError(f"key changes of {len(content)} bytes are over the bound of {limits.KEY_CHANGES_BYTES}")
    try:
        found = tuple(base64.b64decode(one, validate=True) for one in codec.decode(content, list[str]))
    except (InvalidValueError, binascii.Error, ValueError) as error:
        raise TamperedError("the key changes are not an array of base64 texts: refused") from error
    if len(found) > limits.KEY_CHANGES:
        raise OversizedError(f"more than {limits.KEY_CHANGES} key changes are refused")
    return found
