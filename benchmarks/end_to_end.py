"""The main job against the plain way: the same trials, the same cores, in turn, from nothing to the last record.

    python benchmarks/end_to_end.py --seeds 4 --rounds 3

"plain" starts one process a core, imports torch in each, and runs its share of the trials one after
another: no Ray, no MLflow, no table; what any way of doing it has to spend. "sweep" is
`senet-lab sweep` as typed. Compare within one run only; machines differ, and their mood too.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from senet_lab import catalog, inventory
from senet_lab.environment import collect, cores
from senet_lab.jobs import Job
from senet_lab.records import TrialRecord

SWEEP = "reduction_ratio"


def plain(store: Path, seeds: int) -> float:
    """Wall seconds of the plain way; its records go to `store`."""
    start = time.perf_counter()
    from senet_lab.sweep import cost

    found = inventory.take(catalog.derive(catalog.read(catalog.find(SWEEP)), {}, seeds=seeds), store)
    jobs = [Job(t, SWEEP, store, "", cost(t.trial)) for t in found.planned]
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        list(pool.map(_run, jobs, chunksize=1))
    return time.perf_counter() - start


def _run(job: Job) -> None:
    from senet_lab.trial import run_trial

    for _ in run_trial(job):
        pass


def sweep(store: Path, seeds: int) -> float:
    """Wall seconds of the command, report and MLflow included."""
    command = [sys.executable, "-c", "from senet_lab.cli import main; main()", "sweep", SWEEP]
    start = time.perf_counter()
    done = subprocess.run([*command, "--seeds", str(seeds)], cwd=store.parent, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the sweep failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def measure(seeds: int, rounds: int) -> list[dict[str, float | str]]:
    """One line a way and round, the ways in turn."""
    lines: list[dict[str, float | str]] = []
    for number in range(rounds):
        ways = (plain, sweep) if number % 2 == 0 else (sweep, plain)
        for way in ways:
            with tempfile.TemporaryDirectory() as folder:
                store = Path(folder) / "runs"
                wall = way(store, seeds)
                records = [TrialRecord.model_validate_json(p.read_bytes()) for p in store.glob("*/*/record.json")]
                training = sum(r.train_seconds for r in records) / cores()
                around = sum(r.seconds for r in records) / cores() - training
                rest = wall - training - around
                lines.append(
                    {
                        "way": way.__name__,
                        "wall": wall,
                        "training": training,
                        "around epochs": around,
                        "rest": rest,
                        "trials": len(records),
                    }
                )
    return lines


def main() -> None:
    """Measure, print medians and the ratio, and write everything to benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lines = measure(options.seeds, options.rounds)
    columns = ("wall", "training", "around epochs", "rest")
    table = Table(title=f"{lines[0]['trials']} trials, {cores()} cores; medians of {options.rounds} rounds, seconds")
    for name in ("way", *columns, "training share"):
        table.add_column(name, justify="right")
    walls = {}
    for way in ("plain", "sweep"):
        own = {c: statistics.median(float(x[c]) for x in lines if x["way"] == way) for c in columns}
        walls[way] = own["wall"]
        table.add_row(way, *(f"{own[c]:.1f}" for c in columns), f"{100 * own['training'] / own['wall']:.0f} %")
    console = Console()
    console.print(table)
    console.print(f"sweep / plain: {walls['sweep'] / walls['plain']:.2f}")
    here = collect()
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cpu": here.cpu, "cores": here.cores, "packages": here.packages}
    path = Path(__file__).parent / "results" / f"end_to_end_{options.seeds}_seeds_{platform.machine()}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**facts, "rounds": lines}, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {path}")


if __name__ == "__main__":
    main()
