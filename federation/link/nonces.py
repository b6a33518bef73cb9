"""Decides whether a signed request was seen before: a bounded memory of nonces.

Nonces are forgotten by age only, never to make room: a full memory refuses instead. A share per signer keeps one peer
from filling it for the others. Callers remember a nonce only after the signature has been verified.
"""

import hashlib
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from federation.identity import NodeId
from federation.link.refusals import BusyError, ReplayedRequestError

MOST_NONCES: Final = 500_000
MOST_NONCES_PER_SIGNER: Final = 50_000
_SLOTS: Final = 8


@dataclass(slots=True)
class _Slot:
    """The nonces that came in one stretch of time, so that they can be forgotten in one step."""

    start: float
    marks: set[bytes] = field(default_factory=set)
    by_signer: Counter[NodeId] = field(default_factory=Counter)


class NonceMemory:
    """Remembers nonces for at least ``kept_seconds`` of monotonic time."""

    def __init__(
        self, *, kept_seconds: float, most: int = MOST_NONCES, most_per_signer: int = MOST_NONCES_PER_SIGNER
    ) -> None:
        self._kept_seconds = kept_seconds
        self._slot_seconds = kept_seconds / _SLOTS
        self._most = most
        self._most_per_signer = most_per_signer
        self._slots: deque[_Slot] = deque()

    def __len__(self) -> int:
        return sum(len(slot.marks) for slot in self._slots)

    def remember(self, signer: NodeId, nonce: str, at: float) -> None:
        """Take note of ``nonce``, seen at monotonic ``at``.

        Raises:
            ReplayedRequestError: seen before.
            BusyError: no room, or this signer has used up its share.
        """
        self._forget(at)
        mark = hashlib.blake2b(f"{signer} {nonce}".encode(), digest_size=16).digest()
        if any(mark in slot.marks for slot in self._slots):
            raise ReplayedRequestError("this request was received before: sign each request anew")
        self._check_room(signer)
        slot = self._current_slot(at)
        slot.marks.add(mark)
        slot.by_signer[signer] += 1

    def _forget(self, at: float) -> None:
        while self._slots and self._slots[0].start + self._slot_seconds + self._kept_seconds < at:
            self._slots.popleft()

    def _check_room(self, signer: NodeId) -> None:
        share = sum(slot.by_signer[signer] for slot in self._slots)
        if share >= self._most_per_signer or len(self) >= self._most:
            raise BusyError(f"too many requests within {self._kept_seconds:.0f} s: try again a little later")

    def _current_slot(self, at: float) -> _Slot:
        if not self._slots or self._slots[-1].start + self._slot_seconds <= at:
            self._slots.append(_Slot(at))
        return self._slots[-1]
