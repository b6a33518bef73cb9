"""What can go wrong in a build, as its reader meets it."""

from federation.errors import AbsentError, ConflictError, DeniedError, InvalidValueError, UnreachableError, VUpdateError


class BuildFailedError(VUpdateError):
    """A command of the build failed, or what it left can't become an image; the build's log tells more."""

    code = "build-failed"


class SourceError(InvalidValueError):
    """A source is not described in a form that can be fetched."""

    code = "source-invalid"


class SourceAbsentError(AbsentError):
    """A repository, or a branch, tag or commit in it, does not exist."""

    code = "source-absent"


class SourceDeniedError(DeniedError):
    """A repository does not let this node in."""

    code = "source-denied"


class SourceUnreachableError(UnreachableError):
    """A repository's server did not answer."""

    code = "source-unreachable"


class SandboxError(ConflictError):
    """A build can't be closed in as it has to be."""

    code = "sandbox"


class OverlayError(InvalidValueError):
    """An overlay file can't be used: its form, or a clash with what the base says."""

    code = "overlay"


class OverlayConflictError(VUpdateError):
    """Overlays are for files that the base no longer has."""

    code = "overlay-conflict"

    def __init__(self, files: tuple[str, ...]) -> None:
        super().__init__(
            f"the base has no file for these overlays: {', '.join(files[:50])}"
            f"{f' and {len(files) - 50} more' if len(files) > 50 else ''}; rename or remove them"
        )
        self.files = files
