"""Small disks for tests without root: the kernel refuses to let files of this process grow."""

import contextlib
import resource
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def files_up_to(most_bytes: int) -> Iterator[None]:
    """No file of this process grows over ``most_bytes`` while the block runs; that of the test's report neither."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
