"""An offer: what a provider has for one consumer now, signed by the provider and valid for a limited time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from federation import limits, statement
from federation.codec import Moment
from federation.digest import Digest
from federation.errors import InvalidValueError, OversizedError, StaleError, TamperedError
from federation.identity import NodeId
from federation.keys import PrivateKey, PublicKey
from federation.names import ProfileName, ServiceName
from federation.versions import DeveloperVersion

PAYLOAD_TYPE: Final = "application/vnd.vupdate.offer+json"
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One version on offer: the digests say which manifest and image are meant."""

    service: ServiceName
    version: DeveloperVersion
    image: Digest
    manifest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The versions of a profile that its provider wants run, sorted by service. ``serial`` never goes back."""

    audience: NodeId
    profile: ProfileName
    serial: int
    issued: Moment
    expires: Moment
    versions: tuple[Offered, ...]

    def __post_init__(self) -> None:
        if len(self.versions) > limits.OFFER_VERSIONS:
            raise OversizedError(f"an offer of more than {limits.OFFER_VERSIONS} versions is refused")
        services = [one.service for one in self.versions]
        if services != sorted(set(services)):
            raise InvalidValueError("an offer names each service once, in order")
        if not 0 <= self.serial <= limits.SERIAL or self.expires <= self.issued:
            raise InvalidValueError("an offer has a serial and expires after it was issued")

    def sign(self, key: PrivateKey) -> bytes:
        """The offer as a signed envelope."""
        return statement.sign(PAYLOAD_TYPE, self, key)

    @classmethod
    def read(cls, content: bytes, *, provider: PublicKey, reader: NodeId, now: datetime) -> Self:
        """The offer in the envelope ``content``, signed by ``provider`` for ``reader`` and valid at ``now``.

        Raises:
            TamperedError: another signer, reader or form.
            StaleError: expired, or issued in the future by more than five minutes.
            OversizedError: over a bound of ``limits``.
        """
        offer = statement.read(content, PAYLOAD_TYPE, cls, provider)
        if offer.audience != reader:
            raise TamperedError("the offer was made for another node: refused")
        if now >= offer.expires:
            raise StaleError(
                f"the offer expired at {offer.expires:%Y-%m-%d %H:%M:%S} UTC: "
                "the provider is frozen, or a clock is wrong"
            )
        if offer.issued > now + _SKEW:
            raise StaleError(f"the offer is from the future ({offer.issued:%Y-%m-%d %H:%M:%S} UTC): a clock is wrong")
        return offer
