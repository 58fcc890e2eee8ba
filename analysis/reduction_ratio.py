"""The reduction-ratio figure and table from the run folders; the work is in `senet_lab.results`.

    python analysis/reduction_ratio.py              reads ./runs
    python analysis/reduction_ratio.py path/to/runs

Writes into reports/reduction_ratio. Needs neither torch nor a GPU.
"""

import sys
from pathlib import Path

from rich.console import Console

from senet_lab.results import artifacts, open_sweep


def main(store: Path) -> None:
    """Print the table and write the report's files."""
    report = open_sweep("reduction_ratio", store)
    console = Console()
    console.print(report.terminal(console.width))
    for path in artifacts.write(report, Path("reports/reduction_ratio")):
        console.print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs"))
