"""A network of 50 nodes in one process that is cut, loses messages and is lied to: how it settles.

``python -m tests.bench.simulation [SEED [NODES]]``
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.support.simulated_plan import make_plan
from tests.support.simulated_report import report
from tests.support.simulation import Simulation, memory_folder

NODES: Final = 50


def main() -> None:
    """Print the figures of one run."""
    seed = sys.argv[1] if len(sys.argv) > 1 else "1"
    nodes = int(sys.argv[2]) if len(sys.argv) > 2 else NODES
    plan = make_plan(seed, nodes=nodes, origins=max(1, nodes // 12), lies=nodes // 3, circles=max(1, nodes // 16))
    with tempfile.TemporaryDirectory(dir=memory_folder()) as folder:
        figures = Simulation(plan, Path(folder)).run()
    print(report(plan, figures))


if __name__ == "__main__":
    main()
