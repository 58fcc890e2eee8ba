"""The default sweep's wall time against the same trainings done barely, and against the documented way.

    python -m benchmarks.end_to_end --seeds 20 --few 8

"one process" and "two processes" (one a core) import torch and train and test, one thread each: no checkpoints,
records, gates, Ray, MLflow, table. "sweep" is `senet-lab sweep` as typed. "documented" is `documented.py`. Each from
starting a process to its end, in turn. The slow ways, and ours beside them, are timed at `--few` seeds only.
"""

import os
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.measure import Goal, Part, Row
from senet_lab import catalog
from senet_lab.environment import cores
from senet_lab.records import TrialRecord
from senet_lab.spec import Trial

SWEEP = "reduction_ratio"
ROOT = Path(__file__).parent.parent
AS_IN_A_SWEEP = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "68719476736",
}
"""What `senet-lab sweep` sets for its workers; so that the floor is as low as it can be."""
FLOOR, DOCUMENTED = Goal("<=", 1.10), Goal(">=", 3.0)


def bare(processes: int, seeds: int) -> float:
    """Wall seconds of all trainings in so many processes, each taking the next trial when it is free."""
    start = time.perf_counter()
    rows = catalog.derive(catalog.read(catalog.find(SWEEP)), {}, seeds=seeds).rows
    trials = [row.trial.model_copy(update={"seed": seed}) for row in rows for seed in range(seeds)]
    inherited = dict(os.environ)
    os.environ.update(AS_IN_A_SWEEP)
    try:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            errors = list(pool.map(_train, trials, chunksize=1))
    finally:
        os.environ.clear()
        os.environ.update(inherited)
    assert len(errors) == len(trials) and max(errors) < 0.9
    return time.perf_counter() - start


def _train(trial: Trial) -> float:
    import torch

    from senet_lab.training.begin import begin
    from senet_lab.training.evaluate import final_test
    from senet_lab.training.train import train

    learner, parts = begin(trial, torch.device("cpu"))
    for _ in train(trial, learner, parts):
        pass
    return final_test(learner.network, parts).error


def sweep(seeds: int, raw: list[dict[str, float]]) -> float:
    """Wall seconds of the command, report and MLflow included; where they went is added to `raw`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from senet_lab.cli import main; main()", "sweep", SWEEP]
        began = time.time()
        wall, _ = run([*command, "--seeds", str(seeds)], Path(folder))
        found = [TrialRecord.model_validate_json(p.read_bytes()) for p in Path(folder).glob("runs/*/*/record.json")]
        first, last = min(r.started_at for r in found), max(r.ended_at for r in found)
        raw.append(
            {
                "seeds": seeds,
                "trials": len(found),
                "wall": wall,
                "before the first trial": first - began,
                "trials run": last - first,
                "after the last": began + wall - last,
                "training, of a core": sum(r.train_seconds for r in found) / cores(),
            }
        )
    return wall


def documented(seeds: int) -> float:
    """Wall seconds of the way that the documentation shows."""
    with tempfile.TemporaryDirectory() as folder:
        return run([sys.executable, "-m", "benchmarks.documented", "--seeds", str(seeds)], Path(folder))[0]


def run(command: list[str], folder: Path) -> tuple[float, str]:
    """Wall seconds of a command in `folder`, with this code, and what it printed. Raises RuntimeError if it fails."""
    there = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    there |= {"PYTHONPATH": os.pathsep.join(paths), "RAY_USAGE_STATS_ENABLED": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=there, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed: {(done.stdout + done.stderr)[-2000:]}")
    return time.perf_counter() - start, done.stdout


def fill(chosen: Namespace, part: Part) -> None:
    """Rows at the few seeds, then at all."""
    rounds = chosen.rounds or 1
    few = min(chosen.few, 1) if chosen.quick else chosen.few
    many = 0 if chosen.quick else chosen.seeds
    went: list[dict[str, float]] = []
    part.raw |= {"sweeps": went}
    variants = len(catalog.read(catalog.find(SWEEP)).rows)
    for seeds in filter(None, (few, many)):
        ways: dict[str, Any] = {
            "sweep": partial(sweep, seeds, went),
            "two processes": partial(bare, cores(), seeds),
        }
        if seeds == few:
            ways |= {"one process": partial(bare, 1, seeds), "documented": partial(documented, seeds)}
        walls = measure.in_turn(ways, rounds, f"{seeds} seed(s)")
        part.raw[f"{seeds} seeds"] = walls
        _add(part, walls, variants * seeds, counts=seeds == max(few, many))
        _break_down(part, [w for w in went if w["seeds"] == seeds])
    part.notes += [
        "floor: one bare process a core, one thread each; the goal is for the whole default sweep, 20 seeds.",
        "documented / sweep says how many times faster ours is; ours writes records, gates, a report, too.",
        "Every wall time has starting Python and importing torch in it, and nothing is warm but the disk.",
    ]


def _add(part: Part, walls: measure.Samples, trials: int, counts: bool) -> None:
    ours = measure.text(walls["sweep"])
    for way, name in (
        ("two processes", f"(b) floor: {cores()} bare processes"),
        ("one process", "(a) one bare process"),
    ):
        if way in walls:
            goal = FLOOR if way == "two processes" and counts else None
            ratio = measure.ratios(walls["sweep"], walls[way])
            part.rows.append(Row(f"{trials} trials: sweep / {name}", ours, measure.text(walls[way]), ratio, goal))
    if "documented" in walls:
        other = walls["documented"]
        ratio = measure.ratios(other, walls["sweep"])
        what = f"{trials} trials: (c) documented way / sweep"
        part.rows.append(Row(what, ours, measure.text(other), ratio, DOCUMENTED))


def _break_down(part: Part, went: list[dict[str, float]]) -> None:
    for name in ("before the first trial", "trials run", "after the last", "training, of a core"):
        seconds = [w[name] for w in went]
        part.rows.append(Row(f"{went[0]['trials']:.0f} trials: of ours, {name}", measure.text(seconds)))


PART = Part("The default sweep, from typing it to its verdict", "as each row says, of wall seconds", other="other")

if __name__ == "__main__":
    parser = measure.options(__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--few", type=int, default=8, help="seeds at which the slow ways are timed")
    measure.main(parser, fill, PART)
