"""Runs all benches one after the other: ``python -m tests.bench [NAME...]``. They print tables and assert nothing."""

import runpy
import sys
from typing import Final

BENCHES: Final = (
    "packs", "collection", "log_store", "downloads", "resume", "memory", "catalogs", "publishing", "tls", "simulation",
    "agent_host", "agent_update", "images", "builds",
)  # fmt: skip


def main() -> None:
    for name in sys.argv[1:] or BENCHES:
        print(f"\n== {name}", flush=True)
        sys.argv[1:] = []
        runpy.run_module(f"tests.bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
