"""What can go wrong on an instance, each with its code and its sentence."""

from federation.errors import ConflictError, LocalError, UnreachableError, VUpdateError


class AgentRunningError(ConflictError):
    """Another agent already looks after this folder."""

    code = "agent-running"


class NoAgentError(UnreachableError):
    """No agent runs that could take an order."""

    code = "no-agent"


class NotEnrolledError(LocalError):
    """The folder has no agent that is attached to a node."""

    code = "not-enrolled"


class UnfitError(VUpdateError):
    """A version can't be installed or run as it is: trying it again would end the same."""

    code = "unfit-version"


class CommandFailedError(UnfitError):
    """A command around the switch failed."""

    code = "command-failed"


class RetryLaterError(VUpdateError):
    """A command around the switch asked to be tried again later (``EX_TEMPFAIL`` of sysexits.h)."""

    code = "retry-later"


class StartFailedError(UnfitError):
    """The service's command could not be started."""

    code = "start-failed"


class ProbationFailedError(UnfitError):
    """The new version ended, or was not healthy in time."""

    code = "probation-failed"


class ShimError(LocalError):
    """The shim did not do as it was told."""

    code = "shim"


class RestartedError(LocalError):
    """The machine was started anew while a service was on probation: nobody's fault."""

    code = "machine-restarted"


class UnwantedError(LocalError):
    """What an update waited for came to nothing: somebody ordered something else meanwhile."""

    code = "unwanted"
