"""The reasons for which a signed request is refused, each with its own stable code."""

from typing import Final

from federation.errors import DeniedError, LocalError


class UnsignedRequestError(DeniedError):
    """The request bears no signature."""

    code = "unsigned"


class SeveralSignaturesError(DeniedError):
    """The request bears more than one signature, so that two readers could each believe another one."""

    code = "several-signatures"


class MalformedSignatureError(DeniedError):
    """The signature's headers are not of the form that peers use."""

    code = "malformed-signature"


class SignatureCoverageError(DeniedError):
    """The signature leaves out a part of the request that it must cover."""

    code = "signature-coverage"


class WrongAudienceError(DeniedError):
    """The request was signed for another node."""

    code = "wrong-audience"


class BodyDigestError(DeniedError):
    """The body is not the one whose digest was signed."""

    code = "body-digest"


class ExpiredSignatureError(DeniedError):
    """The signature is too old."""

    code = "expired-signature"


class FutureSignatureError(DeniedError):
    """The signature is from the future."""

    code = "future-signature"


class BadSignatureError(DeniedError):
    """The signature was not made by the key over this request."""

    code = "bad-signature"


class ReplayedRequestError(DeniedError):
    """The same signed request was seen before."""

    code = "replayed"


class UnknownSignerError(DeniedError):
    """No node or agent with this id is linked here."""

    code = "unknown-signer"


class BusyError(LocalError):
    """More requests than this node can remember; the same request may succeed later."""

    code = "busy"


DENIED_CODES: Final = frozenset(
    kind.code
    for kind in (
        DeniedError,
        UnsignedRequestError,
        SeveralSignaturesError,
        MalformedSignatureError,
        SignatureCoverageError,
        WrongAudienceError,
        BodyDigestError,
        ExpiredSignatureError,
        FutureSignatureError,
        BadSignatureError,
        ReplayedRequestError,
        UnknownSignerError,
    )
)
"""The codes that mean: the caller is not who he says, or has no right to this."""
