"""The journal of one service: its ``Record``, durable before every effect."""

from pathlib import Path

from agent.plan import Record
from agent.recordfile import RecordFile
from federation import codec
from federation.errors import CorruptError, InvalidValueError
from federation.files import explained_disk_errors


class Journal:
    """The journal at ``path``. Blocking."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = RecordFile(path)

    def read(self) -> Record:
        """What was written last; a fresh record where nothing was.

        Raises:
            CorruptError: it can't be read.
        """
        content = self._file.read()
        if content is None:
            return Record()
        try:
            return codec.decode(content, Record)
        except InvalidValueError as error:
            raise CorruptError(f"the journal {self._path} can't be read ({error}): restore it from a backup") from error

    def write(self, record: Record) -> None:
        """Make ``record`` durable.

        Raises:
            DiskFullError: there was no room to begin a journal; nothing was changed.
        """
        with explained_disk_errors(self._path):
            self._file.write(codec.encode(record))

    def remove(self) -> None:
        """The service is no longer looked after."""
        self._file.remove()
