"""What the commands of consumers, redaction, tested marks and the outbox ask of a node."""

from collections.abc import Mapping
from typing import Any, Final

_CONSUMER = "name id profile linked seen connected rights tester"
_MARK = "id at comment versions { service version }"
_OMITTED = "kind service version why count first last"
_REPORT = """received at leftOut installed { service version } instances { name at services {
  service phase since desired running committed failed error failures lastExit } }"""
_REDACTION = "name redaction { states installed faults pseudonyms masks maskCount emails }"
_ENTRY = "id provider kind standing created due settled attempts error service version sizeBytes"
_LETTER = "entry path body sizeBytes at withheld"

CONSUMERS: Final = f"query {{ consumers {{ {_CONSUMER} }} }}"
CONSUMER: Final = f"""query ($name: String!) {{ consumer(name: $name) {{ {_CONSUMER} report {{ {_REPORT} }}
  omitted {{ {_OMITTED} }} marks(first: 5) {{ {_MARK} }} }} }}"""
CONSUMER_RIGHTS: Final = "query ($name: String!) { consumer(name: $name) { name rights } }"
SET_RIGHTS: Final = f"""mutation ($name: String!, $rights: [Right!]!) {{
  setConsumerRights(name: $name, rights: $rights) {{ {_CONSUMER} }} }}"""
SET_CONSUMER_PROFILE: Final = f"""mutation ($name: String!, $profile: String!) {{
  setConsumerProfile(name: $name, profile: $profile) {{ {_CONSUMER} }} }}"""
SET_TESTER: Final = f"""mutation ($name: String!, $tester: Boolean!) {{
  setConsumerTester(name: $name, tester: $tester) {{ {_CONSUMER} }} }}"""
REMOVE_CONSUMER: Final = "mutation ($name: String!) { removeConsumer(name: $name) }"

MARK_TESTED: Final = f"""mutation ($services: [String!], $comment: String!) {{
  markTested(services: $services, comment: $comment) {{ provider mark {{ {_MARK} }} }} }}"""

REDACTIONS: Final = f"query {{ providers {{ {_REDACTION} }} }}"
SET_REDACTION: Final = f"""mutation ($provider: String!, $redaction: RedactionInput!) {{
  setRedaction(provider: $provider, redaction: $redaction) {{ {_REDACTION} }} }}"""
PREVIEW: Final = f"""query ($name: String!, $first: Int!) {{
  providerPreview(name: $name, first: $first) {{ {_LETTER} }} }}"""

OUTBOX: Final = f"""query ($provider: String, $first: Int!) {{ outbox(provider: $provider, first: $first) {{ {_ENTRY} }}
  outboxWays {{ provider waiting waitingBytes failures due error reached omitted {{ {_OMITTED} }} }} }}"""
OUTBOX_LETTER: Final = f"query ($id: ID!) {{ outboxLetter(id: $id) {{ {_LETTER} }} }}"
RETRY: Final = f"mutation ($id: ID!) {{ retryOutbox(id: $id) {{ {_ENTRY} }} }}"
DROP: Final = "mutation ($id: ID!) { dropOutbox(id: $id) }"

DOCUMENTS: Final = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, str)}
"""All of them, for the test that holds each against the schema."""


def about(one: Mapping[str, Any]) -> str:
    """What a count or an entry is about: service and version, as far as they are known."""
    return " ".join(part for part in (one["service"], one["version"]) if part) or "several services"
