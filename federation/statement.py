"""Signing and reading the statements of a node: JSON payloads of one type in a DSSE envelope."""

from typing import TypeVar

from federation import codec
from federation.envelope import Envelope
from federation.errors import InvalidValueError, TamperedError
from federation.keys import PrivateKey, PublicKey

_T = TypeVar("_T")


def sign(payload_type: str, value: object, key: PrivateKey) -> bytes:
    """``value`` as a signed envelope in bytes."""
    return Envelope.signed(payload_type, codec.encode(value), key).to_bytes()


def read(content: bytes, payload_type: str, kind: type[_T], key: PublicKey) -> _T:
    """The ``kind`` in the envelope ``content``, once ``key`` is seen to have signed it as ``payload_type``.

    Raises:
        TamperedError: another type, signer or form.
        OversizedError: over a bound of ``limits``.
    """
    payload = Envelope.from_bytes(content).verified_payload(payload_type, [key])
    try:
        return codec.decode(payload, kind)
    except InvalidValueError as error:
        raise TamperedError(f"signed by {key.id.short}… but not a {payload_type}: {error}") from error
