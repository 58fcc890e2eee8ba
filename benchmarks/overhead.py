"""What is paid beside training: the driver's time a trial and an epoch, reading a store, `--help`, imports.

    python -m benchmarks.overhead

The trials are those of `many_trials.py`, the store that of `reading.py`; both have more to say when run alone.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path

from benchmarks import many_trials, measure, reading
from benchmarks.measure import Part, Row
from senet_lab import catalog, inventory

HELP = "import sys; sys.argv = ['senet-lab', '--help']; from senet_lab.cli import main; main()"
STARTS = {
    "python, nothing imported": "pass",
    "`senet-lab --help`": HELP,
    "import senet_lab": "import senet_lab",
    "import senet_lab.cli": "import senet_lab.cli",
    "import torch": "import torch",
    "what a worker imports (senet_lab.trial)": "import senet_lab.trial",
}
EPOCHS = 21


def start(code: str) -> float:
    """Wall seconds of a Python that does this and ends."""
    since = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - since


def starts(chosen: Namespace, part: Part) -> None:
    rounds = chosen.rounds or (2 if chosen.quick else 5)
    walls = measure.in_turn({n: (lambda c=code: start(c)) for n, code in STARTS.items()}, rounds, "starts")
    part.raw["starts"] = walls
    for name, seconds in walls.items():
        part.rows.append(Row(name, measure.text(seconds), remark=f"{min(seconds):.2f} - {max(seconds):.2f} s"))


def trials(chosen: Namespace, part: Part) -> None:
    """Per trial from sweeps of one-step trials, per epoch from one with more epochs."""
    part.raw["many_trials"] = lines = []
    for count in (10, 20) if chosen.quick else (100, 1000):
        line = many_trials.measure(count)
        lines.append(line)
        measure.progress(f"{count} trials")
        idle = f"driver {1000 * line['driver_cpu_s'] / count:.1f} ms of CPU a trial, start-up included"
        part.rows += [
            Row(f"{count:,} trials: a trial while trials run", f"{line['overhead_ms']:.1f} ms", remark=idle),
            Row(f"{count:,} trials: start and end", f"{line['start']:.1f} s and {line['end']:.1f} s"),
            Row(f"{count:,} trials: the same command again", f"{line['again_sweep']:.1f} s"),
        ]
    count = 10 if chosen.quick else 100
    long = many_trials.measure(count, EPOCHS)
    lines.append(long)
    each = (long["overhead_ms"] - lines[0]["overhead_ms"]) / (EPOCHS - 1)
    remark = f"{count} trials of {EPOCHS} epochs against 1; difference of sweep and bare wall a trial, over all cores"
    part.rows.append(Row("an epoch more", f"{each:.2f} ms", remark=remark))


def store(chosen: Namespace, part: Part) -> None:
    count = 100 if chosen.quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.py"
        path.write_text(many_trials.SWEEP)
        question = catalog.derive(catalog.read(path), {}, seeds=count // many_trials.ROWS)
        found = inventory.take(question, Path(folder) / "runs")
        reading.fill(found, 20)
        part.raw["reading"] = parts = reading.measure(found, 2 if chosen.quick else 5)
    cpu, wall = parts["whole"]
    part.rows.append(Row(f"reading {count:,} finished trials", measure.text([wall]), remark=f"{cpu:.2f} s of CPU"))


def fill(chosen: Namespace, part: Part) -> None:
    starts(chosen, part)
    store(chosen, part)
    trials(chosen, part)
    bare = statistics.median(part.raw["starts"]["python, nothing imported"])
    part.notes += [
        f"Imports are whole processes; {measure.text([bare])} of each are Python itself. Medians.",
        "A trial is one step of a tiny network; its overhead: wall time of the sweep less that of bare processes, "
        "a trial, while trials run (benchmarks/many_trials.py). One round: it is a difference of two large numbers.",
    ]


PART = Part("Overheads", "", ours="median")

if __name__ == "__main__":
    measure.main(measure.options(__doc__), fill, PART)
