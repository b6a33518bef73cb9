"""Decides which key of an origin is believed: the one pinned, or one that its statements lead to, and nothing else.

Once a key is known to be given up, it counts no more, for nothing: a thief who holds it could date back whatever he
signs. A manifest that was made by it is good if the newest key has signed it too.
"""

from collections.abc import Sequence
from dataclasses import replace

from federation import limits
from federation.identity import NodeId
from federation.keychange import KeyChain
from federation.keys import PublicKey
from federation.manifest import SignedManifest
from federation.trust import OriginKeyChangedError
from node.model.peer import Pin


def with_key(pin: Pin, seen: PublicKey, changes: Sequence[bytes]) -> Pin:
    """``pin`` after its node showed the key ``seen`` with the statements ``changes``.

    Raises:
        OriginKeyChangedError: it is not the newest key.
        TamperedError, OversizedError: ``changes`` can't be believed.
    """
    if pin.awaited is not None:
        return _awaited(pin, [seen], changes, seen)
    chain = KeyChain.read(pin.node, (*pin.changes, *changes))
    chain.lead(pin.key, seen)
    return _led(pin, seen, chain)


def with_manifest(pin: Pin, signed: SignedManifest, changes: Sequence[bytes]) -> Pin:
    """``pin`` after a version of its node came with the statements ``changes``: the newest key must have signed it.

    Raises:
        OriginKeyChangedError: it has not.
        TamperedError, OversizedError: ``changes`` can't be believed.
    """
    maker = signed.manifest.maker.key
    if pin.awaited is not None:
        keys = (maker, *KeyChain.read(pin.node, changes).keys)
        return _awaited(pin, [key for key in keys if signed.bears(key)], changes, maker)
    chain = KeyChain.read(pin.node, (*pin.changes, *changes))
    newest = chain.newest(pin.key)
    chain.lead(pin.key, newest if signed.bears(newest) else maker)
    return _led(pin, newest, chain)


def with_changes(pin: Pin, changes: Sequence[bytes]) -> Pin:
    """``pin`` after the statements ``changes`` came alone: where they lead from its key, it follows.

    Raises:
        OriginKeyChangedError, TamperedError, OversizedError: they can't be believed.
    """
    if pin.awaited is not None:
        return pin
    chain = KeyChain.read(pin.node, (*pin.changes, *changes))
    return _led(pin, chain.newest(pin.key), chain)


def awaiting(pin: Pin, key: NodeId) -> Pin:
    """``pin`` after an administrator decided that ``key`` is the right one, whatever the statements say."""
    return replace(pin, awaited=None if key == pin.key.id else key)


def _awaited(pin: Pin, shown: Sequence[PublicKey], changes: Sequence[bytes], seen: PublicKey) -> Pin:
    """The pin of the awaited key, where it is among those ``shown``; its history begins anew."""
    key = next((one for one in shown if one.id == pin.awaited), None)
    if key is None or pin.awaited is None:
        raise OriginKeyChangedError(
            f"an administrator let {pin.node} change its key to {pin.awaited}, and this one is {seen.id}"
        )
    chain = KeyChain.read(pin.node, changes)
    chain.lead(key, key)
    return _led(replace(pin, key=key, changes=(), awaited=None), key, chain)


def _led(pin: Pin, key: PublicKey, chain: KeyChain) -> Pin:
    changes = chain.envelopes[-limits.KEY_CHANGES_KEPT :] if key in chain.keys else pin.changes
    return replace(pin, key=key, changes=changes)
