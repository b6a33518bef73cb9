"""What holds for all tests: how hypothesis searches, logging that no test inherits, keys."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from federation.keys import PrivateKey

# No deadline: a busy machine is not a fault of the code. In CI the same examples each time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def no_logging_left() -> Iterator[None]:
    """A command under test sets logging up for its own standard error, which is closed once the test ends."""
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def key() -> PrivateKey:
    """A new key of a node."""
    return PrivateKey.generate()


@pytest.fixture
def other_key() -> PrivateKey:
    """A key of somebody else."""
    return PrivateKey.generate()
