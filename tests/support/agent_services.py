"""Small services for tests of the agent, as the files of an image."""

from tests.support.agent_node import Files

_HEALTH = """
[services.{name}.run.health]
interval = "100ms"
timeout = "2s"
healthy_for = "200ms"
deadline = "5s"
"""


def service_file(name: str, command: str, *, more: str = "", health: str = "") -> str:
    """A service file that runs ``command`` (a TOML array)."""
    return (
        f"[services.{name}.run]\ncommand = {command}\n"
        'restart = { policy = "always", backoff = "100ms..1s", reset_after = "10m" }\n'
        f'stop = {{ signal = "TERM", grace = "2s" }}\n{more}\n' + (_HEALTH.format(name=name) + health)
    )


def sleeper(name: str = "web", *, says: str = "hello", more: str = "") -> Files:
    """A service that says something and then waits."""
    script = f'#!/bin/sh\necho "{says} from $VUPDATE_VERSION"\nexec sleep 1000\n'
    return {"run*": script, "vupdate.toml": service_file(name, '["./run"]', more=more)}


def crasher(name: str = "web", *, after_seconds: float = 0.0, status: int = 3) -> Files:
    """A service that ends a moment after its start, and is not healthy before: however slow the machine is."""
    script = f"#!/bin/sh\necho about to crash\nsleep {after_seconds}\necho giving up >&2\nexit {status}\n"
    return {"run*": script, "vupdate.toml": service_file(name, '["./run"]', health='command = ["false"]\n')}
