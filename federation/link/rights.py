"""What a node lets its consumers do, given separately per link."""

import enum
from typing import Final


class Right(enum.Enum):
    """What a consumer may do at its provider.

    Take versions of its profile; send up states of its instances, installed versions and tested marks; send fault
    reports; have builds run; read the log of its own tasks.
    """

    TAKE = "take"
    STATES = "states"
    FAULTS = "faults"
    BUILDS = "builds"
    TASK_LOGS = "task-logs"


USUAL_RIGHTS: Final = frozenset({Right.TAKE, Right.STATES, Right.FAULTS, Right.TASK_LOGS})
"""What a consumer gets unless its provider's operator says otherwise."""
