"""Takes in invitations and enrolments: by a file, by standard input or by a prompt, never as an argument.

They hold a secret. The command lines of all programs can be read by every user of a machine, and shells keep them.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from federation.limits import INVITATION_CHARS
from node.cli.exits import usage

FromFile = Annotated[
    Path | None, typer.Option("--file", help="The file that holds the text; '-' or nothing: standard input.")
]
Refused = Annotated[list[str] | None, typer.Argument(hidden=True)]
_MOST: Final = INVITATION_CHARS + 1024


def refuse_argument(given: list[str] | None, what: str) -> None:
    """End the command if the text was given as an argument.

    Raises:
        CommandError: it was.
    """
    if given:
        raise usage(
            f"the {what} holds a secret and is not taken as an argument: other users of this machine can read "
            f"command lines, and the shell keeps them. Use --file, or standard input; this {what} should be made anew"
        )


def read_text(file: Path | None, what: str) -> str:
    """The text of one ``what``.

    Raises:
        CommandError: the file can't be read, or holds nothing or too much.
    """
    if file is not None and str(file) != "-":
        text = _from_file(file, what)
    elif sys.stdin.isatty():
        text = str(typer.prompt(f"The {what}'s text", hide_input=True, err=True))
    else:
        text = sys.stdin.read(_MOST)
    text = text.strip()
    if not text:
        raise usage(f"there is no {what}: give its text by --file or on standard input")
    if len(text) > INVITATION_CHARS:
        raise usage(f"this is no {what}: it is longer than {INVITATION_CHARS} characters")
    return text


def _from_file(file: Path, what: str) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(_MOST)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise usage(f"the {what} can't be read from {file}: {reason}") from error
