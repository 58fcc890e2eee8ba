"""How long it takes to read a store of many finished trials into a frame, and what part of it goes where.

    python -m benchmarks.reading --trials 1000 --epochs 20

The records are written by the store itself, with test sets of 10,000 images. Seconds are of the processor, as
machines are shared, and beside them of the clock; each is the median of several rounds after a first one.
"""

import argparse
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.many_trials import ROWS, SWEEP
from senet_lab import catalog, files, inventory, plan, seals
from senet_lab import store as stores
from senet_lab.environment import collect
from senet_lab.inventory import Inventory
from senet_lab.jobs import Job, new_record
from senet_lab.records import Cost, EpochMetrics, Evaluation, TrialRecord
from senet_lab.results import load
from senet_lab.spec.operators import ANY

IMAGES = 10_000
CORRECT = "/" * (IMAGES // 6)
Seconds = tuple[float, float]


def fill(found: Inventory, epochs: int) -> None:
    """A finished record for every trial asked for."""
    numbers = {"validation_loss": 0.2345678901234567, "validation_error": 0.0712, "learning_rate": 0.012345678901234}
    curve = tuple(
        EpochMetrics(epoch=n + 1, train_loss=1 / (n + 3), train_error=0.9 / (n + 1), seconds=12.3456789, **numbers)
        for n in range(epochs)
    )
    test = Evaluation(error=0.0654, loss=0.2109876543210987, images=IMAGES, correct=CORRECT)
    for planned in found.planned:
        job = Job(
            planned, found.store.sweep, found.store.root, "environment", Cost(params=1, params_and_statistics=1, macs=1)
        )
        ended = {"started_at": 1.0, "ended_at": 301.0, "seconds": 300.0, "train_seconds": 299.0}
        record = new_record(job, status="done", test=test, epochs=curve, **ended)
        stores.finish(found.store.open(planned), record)


def seconds(work: Callable[[], object], rounds: int) -> Seconds:
    """Of the processor and of the clock."""
    work()
    cpu, wall = [], []
    for _ in range(rounds):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - clock)
        cpu.append(time.process_time() - processor)
    return statistics.median(cpu), statistics.median(wall)


def measure(found: Inventory, rounds: int) -> dict[str, Seconds]:
    """The whole, and its parts one by one."""
    question, root, store = found.question, found.store.root, found.store

    def whole() -> object:
        taken = inventory.take(question, root)
        return load.trials(taken.planned, taken.records)

    def folders() -> list[files.Place]:
        return [f / "record.json" for f in files.folders(store.path)]

    contents = list(files.read_all(folders()).values())
    facts = [json.loads(c) for c in contents]
    for each in facts:
        del each[seals.SEAL]
    taken = inventory.take(question, root)
    stored = [plan.StoredTrial(r.id, r.fingerprint, r.status) for r in taken.records]
    parts: dict[str, Callable[[], object]] = {
        "whole": whole,
        "listing folders": folders,
        "reading files": lambda: files.read_all(folders()),
        "json.loads": lambda: [json.loads(c) for c in contents],
        "digests": lambda: [seals._seal(each) for each in facts],
        "pydantic": lambda: [TrialRecord.model_validate_json(c, context=ANY) for c in contents],
        "planning": lambda: plan.wanted(question.rows, question.sweep.seeds, lambda data: ""),
        "reconciling": lambda: plan.reconcile(taken.planned, stored),
        "frame of trials": lambda: load.trials(taken.planned, taken.records),
        "frame of epochs (not in whole)": lambda: load.epochs(taken.planned, taken.records),
    }
    return {name: seconds(work, rounds) for name, work in parts.items()}


def main() -> None:
    """Measure, print a table, and write everything to benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "many.py"
        path.write_text(SWEEP)
        question = catalog.derive(catalog.read(path), {}, seeds=options.trials // ROWS)
        found = inventory.take(question, Path(name) / "runs")
        fill(found, options.epochs)
        parts = measure(found, options.rounds)
    table = Table(title=f"{options.trials:,} trials of {options.epochs} epochs; medians of {options.rounds} rounds")
    for column in ("", "cpu s", "wall s", "share of cpu"):
        table.add_column(column, justify="right" if column else "left")
    for part, (cpu, wall) in parts.items():
        table.add_row(part, f"{cpu:.3f}", f"{wall:.3f}", f"{100 * cpu / parts['whole'][0]:.0f} %")
    Console().print(table)
    here = collect()
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cpu": here.cpu, "cores": here.cores, "packages": here.packages}
    path = Path(__file__).parent / "results" / f"{facts['date']}-reading-{platform.machine()}.json"
    path.write_text(json.dumps({**facts, **vars(options), "cpu_and_wall": parts}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
