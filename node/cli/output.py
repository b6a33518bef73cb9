"""Shows results: tables and sentences for people, one JSON document for tools. Standard output holds nothing else.

Text that came from elsewhere (names, messages, logs) is shown without its control characters: a log line must not be
able to write into the window of the one who reads it.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TextIO

from node.cli.exits import CommandError

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Row = Sequence[object]


def clean(value: object) -> str:
    """``value`` as text that a terminal shows and does not obey; nothing for ``None``."""
    return "" if value is None else _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))


def moment(text: object) -> str:
    """An API time in the reader's own time zone, to the second; a dash for none."""
    if not isinstance(text, str):
        return "–"
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def ago(text: object, now: datetime | None = None) -> str:
    """How long ago an API time was, roughly."""
    if not isinstance(text, str):
        return "never"
    seconds = max(0, int(((now or datetime.now(UTC)) - datetime.fromisoformat(text)).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def size(count: object) -> str:
    """A number of bytes in the unit that suits it."""
    if not isinstance(count, int | float):
        return "–"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _aligned(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded by spaces: for pipes and files, whatever the width."""
    table = [[column.upper() for column in columns], *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go. ``as_json``: one JSON document instead of words."""

    as_json: bool = False

    def document(self, value: object) -> None:
        """``value`` as JSON, for tools; nothing otherwise."""
        if self.as_json:
            _write(sys.stdout, json.dumps(value, indent=2, ensure_ascii=False))

    def event(self, value: object) -> None:
        """``value`` as one line of JSON, of which more may follow."""
        if self.as_json:
            _write(sys.stdout, json.dumps(value, ensure_ascii=False))

    def say(self, sentence: str) -> None:
        """A result in words."""
        if not self.as_json:
            _write(sys.stdout, clean(sentence))

    def note(self, sentence: str) -> None:
        """Something beside the result, on standard error, so that the result can go into a file."""
        if not self.as_json:
            _write(sys.stderr, clean(sentence))

    def raw(self, text: str) -> None:
        """A result that is a text to be handed on, alone on its line."""
        if not self.as_json:
            _write(sys.stdout, text)

    def table(self, columns: Sequence[str], rows: Sequence[Row], *, empty: str) -> None:
        """Rows under ``columns``; ``empty`` says what it means that there are none."""
        if self.as_json:
            return
        cells = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
        if not cells:
            _write(sys.stdout, empty)
        elif sys.stdout.isatty():
            _rich_table(columns, cells)
        else:
            _write(sys.stdout, _aligned(columns, cells))

    def fields(self, values: Mapping[str, object]) -> None:
        """One thing, a line for each of its fields that holds something."""
        width = max(map(len, values), default=0)
        for name, value in values.items():
            if value not in (None, ""):
                self.say(f"{name.ljust(width)}  {value}")

    def error(self, error: CommandError) -> None:
        """Why the command failed, on standard error."""
        if self.as_json:
            _write(sys.stderr, json.dumps(error.document, ensure_ascii=False))
            return
        _write(sys.stderr, f"vupdate: {clean(error.message)}")


def _write(stream: TextIO, text: str) -> None:
    stream.write(text + "\n")
    stream.flush()


def _rich_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
