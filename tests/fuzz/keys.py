"""Key changes, introductions and withdrawals as fuzz targets."""

from federation import codec
from federation.envelope import Envelope
from federation.keychange import PAYLOAD_TYPE, KeyChain, KeyChange, KeyIntroduction, from_document, to_document
from federation.withdrawal import PAYLOAD_TYPE as WITHDRAWAL_TYPE
from federation.withdrawal import SignedWithdrawal, Withdrawal
from tests.fuzz.target import Target, signed, value
from tests.fuzz.values import ACME, DIGEST, KEY, NOW, OTHER, SHOP, VERSION

_CHANGE = KeyChange(node=ACME, old=KEY.public, new=OTHER.public, at=NOW, number=1)
_WITHDRAWAL = Withdrawal(
    by=ACME, key=KEY.public, service=SHOP, version=VERSION, manifest=DIGEST, reason="loses data", at=NOW
)


def _signed_by_both(payload: bytes) -> bytes:
    return Envelope.signed(PAYLOAD_TYPE, payload, KEY).with_signature(OTHER).to_bytes()


def key_targets() -> tuple[Target, ...]:
    """All of them."""
    change = _CHANGE.sign(KEY, OTHER)
    reads = "federation.keychange:KeyChange.read"
    return (
        Target("key change, envelope", lambda content: KeyChange.read(content, ACME), (change,), (reads,)),
        Target(
            "key change, payload",
            lambda payload: KeyChange.read(_signed_by_both(payload), ACME),
            (codec.encode(_CHANGE),),
            (reads,),
        ),
        Target(
            "key changes",
            lambda content: KeyChain.read(ACME, from_document(content)),
            (to_document([change]), to_document([])),
            ("federation.keychange:from_document", "federation.keychange:KeyChain.read"),
        ),
        value(KeyIntroduction, KeyIntroduction(node=ACME, key=OTHER.public, changes=(change,))),
        *signed(
            "withdrawal",
            WITHDRAWAL_TYPE,
            KEY,
            SignedWithdrawal.read,
            "federation.withdrawal:SignedWithdrawal.read",
            _WITHDRAWAL,
        ),
    )
