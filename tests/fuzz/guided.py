"""One decoder under libFuzzer, led by coverage: ``python -m tests.fuzz.guided NAME [options of libFuzzer]``."""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any


def main() -> None:
    """Fuzz until the options say stop; libFuzzer ends the process."""
    # Installed by hand where it is wanted: it has no types, and no wheel for every Python.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["federation", "node", "tuf"]):
        targets = importlib.import_module("tests.fuzz.targets").targets
    name, *options = sys.argv[1:]
    target = next(one for one in targets() if one.name == name)
    corpus = Path(tempfile.mkdtemp(prefix="vupdate-fuzz-"))
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)

    def once(content: bytes) -> None:
        target.try_on(content)

    atheris.Setup([sys.argv[0], *options, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
