"""Writes the API's schema for those who generate code from it: ``python -m node.graphql.print_schema [FILE]``."""

import sys
from pathlib import Path

from federation.files import write_atomic
from node.graphql.schema import schema


def printed() -> str:
    """The schema in the schema definition language."""
    return schema().as_str().rstrip() + "\n"


def main() -> None:
    """Write it to the file named, or to standard output."""
    if len(sys.argv) > 1:
        write_atomic(Path(sys.argv[1]), printed().encode())
    else:
        sys.stdout.write(printed())


if __name__ == "__main__":
    main()
