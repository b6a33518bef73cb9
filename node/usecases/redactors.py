"""Makes the redactor of each link: what the link's settings say, with the pseudonyms that its provider knows."""

from federation.keys import PrivateKey
from federation.redaction import Redactor, pseudonym_key
from node.model.peer import Provider


class Redactors:
    """The redactors of this node."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def of(self, provider: Provider) -> Redactor:
        """What is sent to ``provider`` goes through this."""
        return Redactor(provider.redaction, pseudonym_key(self._key, provider.id))
