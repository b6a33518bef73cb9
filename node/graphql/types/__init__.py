"""The nouns of the API, each made from the node's own values.

Its choices are the node's own enumerations, under their names in capitals: they are made known to the API here, so
that each module below can name them.
"""

from typing import Final

import strawberry

from federation.link.rights import Right
from federation.log import Level
from federation.outbox import Standing
from federation.redaction import FaultsSent
from federation.state import Phase
from node.model.account import Role
from node.model.desired import ListKind
from node.model.peer import AutoUpdate
from node.model.task import TaskKind, TaskState
from node.usecases.changes import Topic

_CHOICES: Final = {
    ListKind: "Which of the two lists of versions.",
    Role: "What a person may do; each includes the ones before it.",
    AutoUpdate: "What happens by itself when a provider offers something new.",
    TaskKind: "What a task does.",
    TaskState: "Where a task stands; INTERRUPTED: the node ended meanwhile.",
    Phase: "Where a service stands on an instance.",
    Level: "Severity, least first.",
    Topic: "What a change is about.",
    Right: "What a consumer may do at its provider; given separately per link.",
    FaultsSent: "How much of a fault report goes to a provider.",
    Standing: "What became of an outbox entry. ASIDE: tried on, while others pass; COUNTED: only its number is left.",
}

for _kind, _description in _CHOICES.items():
    strawberry.enum(_kind, description=_description)
