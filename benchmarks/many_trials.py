"""What a trial costs beside its training when there are many: the driver's time, memory, open files, threads.

    python -m benchmarks.many_trials --trials 10 100 1000 --rounds 3

The trials are one step of a tiny network. "plain" runs them one after another in one process a core: no Ray,
no MLflow, no table. "sweep" is `senet-lab sweep` as typed, on a terminal. Overhead is the difference between the
two over the time in which trials run, a trial; starting and ending are told apart. MLflow's thread is imported
while few trials end already and works off what it owes after many, so what one more trial costs is seen best in
the whole: the difference between two sizes. Then the same command again,
with nothing left to run, and the commands that only read. Compare within one run only.
"""

import argparse
import json
import os
import platform
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from senet_lab import catalog, inventory
from senet_lab.environment import collect, cores
from senet_lab.jobs import Job
from senet_lab.records import TrialRecord

ROWS = 10
SWEEP = '''"""Does the driver bear many trials?"""

from senet_lab import Sweep
from senet_lab.spec import Data, Model, Train, Trial

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(4,)),
        data=Data(source="digits", validation=842),
        train=Train(epochs=1, batch_size=64, learning_rate=0.1),
    ),
    grid={"train.learning_rate": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1]},
    baseline={"train.learning_rate": 0.1},
    seeds=10,
    margin=0.01,
)
'''
COMMAND = [sys.executable, "-c", "from senet_lab.cli import main; main()"]
WHOLE = ("wall", "driver_cpu_s", "plain_span")
SAMPLE_SECONDS = 0.5
Line = dict[str, Any]


def _moments(store: Path) -> tuple[list[float], float]:
    """Unix times: when the first trial began, then when each ended, in order; and the mean seconds inside one."""
    found = [TrialRecord.model_validate_json(p.read_bytes()) for p in store.glob("*/*/record.json")]
    ends = sorted(r.ended_at for r in found)
    return [min(r.started_at for r in found), *ends], statistics.mean(r.seconds for r in found)


def plain(folder: Path, trials: int) -> float:
    """Seconds in which the trials run without anything around them."""
    from senet_lab.sweep import cost

    store = folder / "plain"
    question = catalog.derive(catalog.read(folder / "sweeps" / "many.py"), {}, seeds=trials // ROWS)
    found = inventory.take(question, store)
    jobs = [Job(t, "many", store, "", cost(t.trial)) for t in found.planned]
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn"), initializer=_ready) as pool:
        list(pool.map(_run, jobs, chunksize=1))
    moments, _ = _moments(store)
    return moments[-1] - moments[0]


def _ready() -> None:
    """What a worker of the sweep has done before its first trial."""
    import torch._dynamo

    import senet_lab.trial

    assert senet_lab.trial and torch._dynamo


def _run(job: Job) -> None:
    from senet_lab.trial import run_trial

    for _ in run_trial(job):
        pass


def _sample(process: psutil.Process, samples: list[Line]) -> None:
    """What the driver and its workers hold, now and then, until it has ended."""
    with suppress(psutil.Error):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            workers = []
            for child in process.children(recursive=True):
                with suppress(psutil.Error):
                    if "Trainable" in child.name() or child.cmdline()[:1] == ["ray::Trainable"]:
                        workers.append(child.num_fds())
            cpu = process.cpu_times()
            samples.append(
                {
                    "at": time.time(),
                    "cpu": cpu.user + cpu.system,
                    "memory": process.memory_info().rss,
                    "files": process.num_fds(),
                    "threads": process.num_threads(),
                    "worker_files": max(workers, default=0),
                }
            )
            time.sleep(SAMPLE_SECONDS)


def _drain(terminal: int) -> None:
    with suppress(OSError):
        while os.read(terminal, 65536):
            pass


def typed(folder: Path, *words: str) -> tuple[Line, list[Line]]:
    """Run a command on a terminal of its own; when, and what it held meanwhile."""
    own, its = pty.openpty()
    there = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    there |= {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
    began = time.time()
    process = subprocess.Popen([*COMMAND, *words], cwd=folder, env=there, stdin=its, stdout=its, stderr=its)
    os.close(its)
    samples: list[Line] = []
    threads = [
        threading.Thread(target=_drain, args=(own,)),
        threading.Thread(target=_sample, args=(psutil.Process(process.pid), samples)),
    ]
    for thread in threads:
        thread.start()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    ended = time.time()
    for thread in threads:
        thread.join()
    os.close(own)
    if process.returncode:
        sys.exit(f"{' '.join(words)}: exit code {process.returncode}")
    return {"began": began, "ended": ended, "wall": ended - began, "cpu": used.ru_utime + used.ru_stime}, samples


def _at(samples: list[Line], moment: float, what: str) -> float:
    return float(min(samples, key=lambda s: abs(s["at"] - moment))[what])


def _facts(whole: Line, samples: list[Line], store: Path) -> Line:
    """What the samples say of a sweep, as a whole and fifth by fifth of its trials."""
    moments, each = _moments(store)
    trials = len(moments) - 1
    parts = [moments[trials * n // 5] for n in range(6)]
    held = {name: [_at(samples, moment, name) for moment in parts] for name in samples[0]}
    cpu = [1000 * 5 * (b - a) / trials for a, b in pairwise(held["cpu"])]
    return {
        "wall": whole["wall"],
        "sweep_span": parts[-1] - parts[0],
        "slot_idle_ms": 1000 * (cores() * (parts[-1] - parts[0]) / trials - each),
        "driver_cpu_ms": cpu,
        "driver_cpu_s": whole["cpu"],
        "start": parts[0] - whole["began"],
        "end": whole["ended"] - parts[-1],
        "peak_mib": max(s["memory"] for s in samples) / 2**20,
        "growth_kib": (held["memory"][5] - held["memory"][2]) / 1024 / (trials * 0.6),
    } | {name: held[name][1:] for name in ("files", "worker_files", "threads")}


def measure(trials: int, epochs: int = 1) -> Line:
    """Everything about a sweep of so many trials, of `epochs` steps each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sweeps").mkdir()
        (folder / "sweeps" / "many.py").write_text(SWEEP.replace("epochs=1,", f"epochs={epochs},"))
        bare = plain(folder, trials)
        asked = ("many", "--seeds", str(trials // ROWS))
        whole, samples = typed(folder, "sweep", *asked)
        line: Line = {"trials": trials, "epochs": epochs, "plain_span": bare} | _facts(whole, samples, folder / "runs")
        line["overhead_ms"] = 1000 * (line["sweep_span"] - bare) / trials
        for words in (("sweep", *asked), ("plan", *asked), ("list",), ("report", *asked)):
            found, _ = typed(folder, *words)
            line |= {f"again_{words[0]}": found["wall"], f"again_{words[0]}_cpu": found["cpu"]}
        return line


def main() -> None:
    """Measure, print a table, and write everything to benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    lines = [measure(n) for _ in range(options.rounds) for n in options.trials]
    table = Table(title=f"{cores()} cores; medians of {options.rounds} rounds")
    table.add_column("")
    for n in options.trials:
        table.add_column(f"{n:,}", justify="right")
    for key in lines[0]:
        cells = []
        for n in options.trials:
            own = [x[key] for x in lines if x["trials"] == n]
            cells.append(
                " ".join(f"{v:.3g}" for v in own[0]) if isinstance(own[0], list) else f"{statistics.median(own):.3g}"
            )
        table.add_row(key, *cells)
    console = Console()
    console.print(table)
    whole = {n: {k: statistics.median(x[k] for x in lines if x["trials"] == n) for k in WHOLE} for n in options.trials}
    for few, many in pairwise(options.trials):
        more = ((k, 1000 * (whole[many][k] - whole[few][k]) / (many - few)) for k in WHOLE)
        console.print(f"{few} -> {many}: one more trial costs " + ", ".join(f"{ms:.1f} ms {k}" for k, ms in more))
    here = collect()
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cpu": here.cpu, "cores": here.cores, "packages": here.packages}
    path = Path(__file__).parent / "results" / f"{facts['date']}-many-trials-{platform.machine()}.json"
    path.write_text(json.dumps({**facts, "lines": lines}, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {path}")


if __name__ == "__main__":
    main()
