"""A sweep whose driver is killed with SIGKILL at random moments, again and again, beside an undisturbed one.

    python benchmarks/kill.py --kills 100

Every command is `senet-lab sweep` as typed, the same one each time; a sweep that is done asks for one more seed.
A killing picks a moment of a command's life (imports, Ray's start, a checkpoint, a record, the report, ...) and a
delay after it; half of the kills take the driver alone, half its whole process group.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SWEEP = '''"""Does it survive?"""
from senet_lab import Data, Model, Sweep, Train, Trial

SWEEP = Sweep(
    base=Trial(
        model=Model(depth=4, widths=(8,)),
        data=Data(source="digits", validation=100),
        train=Train(epochs={epochs}, batch_size=64, learning_rate=0.1),
    ),
    grid={{"model.se.reduction": [2]}},
    controls=["no_se"],
    baseline="no_se",
    seeds=1,
    margin=0.01,
)
'''
COMMAND = (sys.executable, "-c", "from senet_lab.cli import main; main()")
LONG_SECONDS = 240.0
ORPHAN_SECONDS = 75.0
"""A worker of Ray's that was only starting looks a while for the rest of its Ray; one that trains ends in seconds."""
Moment = Callable[[Path, dict[Path, int]], bool]


def _changed(pattern: str) -> Moment:
    """Whether a file of this pattern is new, or other than at the command's start."""
    return lambda folder, before: any(before.get(p) != t for p, t in _times(folder, pattern).items())


def _said(words: str) -> Moment:
    return lambda folder, _: words in (folder / "out.txt").read_text(errors="replace")


MOMENTS: dict[str, tuple[Moment, float]] = {
    "start": (lambda *_: True, 3.0),
    "workers start": (_said("starting the workers"), 3.0),
    "checkpoint": (_changed("runs/*/*/state.bin"), 0.4),
    "record": (_changed("runs/*/*/record.json"), 0.2),
    "mlflow": (_changed("mlflow.db*"), 0.5),
    "trials ended": (_said("trials ended"), 0.5),
    "report": (_changed("reports/*/*"), 1.0),
}
"""What to wait for, and how many seconds after it a kill may come."""


@dataclass
class Story:
    """What was done to a sweep's commands."""

    kills: Counter[str] = field(default_factory=Counter)
    """By executor and moment."""
    alone: int = 0
    """Kills of the driver alone."""
    ended: int = 0
    """Commands that came to their end before they could be killed."""
    seeds: int = 1
    orphan_seconds: list[float] = field(default_factory=list)
    """How long processes lived on, of the kills after which that was watched."""

    @property
    def count(self) -> int:
        """All kills."""
        return self.kills.total()

    @property
    def of_ray(self) -> int:
        """Kills of commands with Ray."""
        return sum(n for what, n in self.kills.items() if what.startswith("ray"))


def write(folder: Path, epochs: int) -> None:
    """Put the sweep file into a working folder."""
    (folder / "sweeps").mkdir(parents=True, exist_ok=True)
    (folder / "sweeps" / "small.py").write_text(SWEEP.format(epochs=epochs))


def arguments(seeds: int, executor: str = "ray") -> tuple[str, ...]:
    """What is typed after senet-lab."""
    return ("sweep", "small", "--seeds", str(seeds), "--workers", "2", "--executor", executor)


def run(folder: Path, *typed: str) -> "subprocess.CompletedProcess[str]":
    """A command that nobody disturbs."""
    return subprocess.run([*COMMAND, *typed], cwd=folder, capture_output=True, text=True, timeout=LONG_SECONDS)


def torment(folder: Path, kills: int, chance: random.Random, ray_share: float = 0.5, watch: float = 0.1) -> Story:
    """Start and kill commands in `folder` until `kills` of them were killed."""
    story = Story()
    while story.count < kills:
        if len(_times(folder, "runs/*/*/record.json")) >= 2 * story.seeds and chance.random() < 0.7:
            story.seeds += 1  # else nothing would be left to kill but the report
        executor = "ray" if story.of_ray <= ray_share * story.count else "local"
        moment = chance.choice(list(MOMENTS))
        group = story.alone * 2 > story.count
        if not _kill_one(folder, arguments(story.seeds, executor), moment, chance.random(), group):
            story.ended += 1
            story.seeds += 1
            continue
        story.kills[f"{executor}: {moment}"] += 1
        story.alone += not group
        if chance.random() < watch:
            story.orphan_seconds.append(until_gone(folder))
    return story


def _kill_one(folder: Path, typed: tuple[str, ...], moment: str, part: float, group: bool) -> bool:
    """Whether the command lived until its moment. Raises AssertionError for one that failed by itself."""
    happened, spread = MOMENTS[moment]
    before = _times(folder, "runs/*/*/*") | _times(folder, "reports/*/*") | _times(folder, "mlflow.db*")
    with (folder / "out.txt").open("w") as out:
        driver = subprocess.Popen([*COMMAND, *typed], cwd=folder, stdout=out, stderr=out, start_new_session=True)
    until = time.monotonic() + LONG_SECONDS
    due = None
    while driver.poll() is None and (due is None or time.monotonic() < due):
        if due is None and happened(folder, before):
            due = time.monotonic() + part * spread
        assert time.monotonic() < until, f"hangs: {(folder / 'out.txt').read_text()}"
        time.sleep(0.01)
    if driver.poll() is None:
        (os.killpg if group else os.kill)(driver.pid, signal.SIGKILL)
    code = driver.wait()
    assert code in (0, -signal.SIGKILL), f"exit code {code}: {(folder / 'out.txt').read_text()}"
    return code != 0


def processes(folder: Path) -> list[str]:
    """Names of the processes that work in `folder`, but for two of Ray's that hold nothing of ours.

    Those agents try for a minute to tell the dead rest of their Ray of its death, and then end, too.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == folder:
                found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()[:200])
        except OSError:
            continue
    return [name for name in found if name not in ("", "ray::DashboardAgent", "ray::RuntimeEnvAgent")]


def until_gone(folder: Path) -> float:
    """Seconds until no process works in `folder`. Raises AssertionError if that does not come about."""
    start = time.monotonic()
    while left := processes(folder):
        assert time.monotonic() - start < ORPHAN_SECONDS, left
        time.sleep(0.05)
    return time.monotonic() - start


def faults(folder: Path, undisturbed: Path) -> Iterator[str]:
    """All that tells a tormented working folder from one that was left alone."""
    ours, theirs = results(folder), results(undisturbed)
    if ours != theirs:
        differ = [k for k in ours | theirs if ours.get(k) != theirs.get(k)]
        yield f"records differ: {differ}"
    for run_folder in sorted((folder / "runs" / "small").glob("*_seed-*")):
        record = json.loads((run_folder / "record.json").read_text())
        wanted = {"trial.json", "record.json"} | ({"gates.parquet"} if record["gates"] else set())
        if (names := {p.name for p in run_folder.iterdir()}) != wanted:
            yield f"{run_folder.name} holds {sorted(names)}"
    if gates(folder) != gates(undisturbed):
        yield "gates differ"
    if stray := [p.name for p in (folder / "runs" / "small").rglob(".*") if p.name != ".lock"]:
        yield f"left behind: {stray}"
    if projected(folder) != projected(undisturbed):
        ours_, theirs_ = Counter(projected(folder)), Counter(projected(undisturbed))
        yield f"MLflow: too much {ours_ - theirs_}, too little {theirs_ - ours_}"


def results(folder: Path) -> dict[str, Any]:
    """Of each trial by id, what must not depend on what happened to its command. Raises AssertionError for doubles."""
    found = [json.loads(p.read_text()) for p in folder.glob("runs/small/*/record.json")]
    assert len({r["id"] for r in found}) == len(found), "a trial has two records"
    for record in found:
        record["epochs"] = [{k: v for k, v in e.items() if k != "seconds"} for e in record["epochs"]]
    return {r["id"]: {k: r[k] for k in ("status", "test", "epochs", "params", "macs")} for r in found}


def gates(folder: Path) -> dict[str, bytes]:
    """Of each trial with SE, by run folder, the gates it kept."""
    return {p.parent.name: p.read_bytes() for p in folder.glob("runs/small/*/gates.parquet")}


def projected(folder: Path) -> list[tuple[Any, ...]]:
    """Every run of MLflow with status and all points of its curves, in an order that is always the same."""
    with sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True) as database:
        return sorted(
            database.execute(
                "select name, status, end_time >= start_time, (select group_concat(point) from (select "
                "m.key || m.step || '=' || m.value as point from metrics m where m.run_uuid = r.run_uuid and m.key in "
                "('train_loss', 'validation_error', 'test_error') order by m.key, m.step, m.value)) "
                "from runs r where lifecycle_stage = 'active'"
            )
        )


def _times(folder: Path, pattern: str) -> dict[Path, int]:
    found = {}
    for path in folder.glob(pattern):
        try:
            found[path] = path.stat().st_mtime_ns
        except OSError:
            continue
    return found


def main() -> None:
    """Torment a sweep, print what came of it, and write it to benchmarks/results."""
    from rich.console import Console
    from rich.table import Table

    from senet_lab.environment import collect

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    clock = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder, quiet = Path(scratch, "tormented"), Path(scratch, "undisturbed")
        write(folder, options.epochs)
        write(quiet, options.epochs)
        story = torment(folder, options.kills, random.Random(options.seed), watch=0.3)
        for place, executor in ((folder, "ray"), (quiet, "local")):
            done = run(place, *arguments(story.seeds, executor))
            assert done.returncode == 0, done.stdout + done.stderr
        found = list(faults(folder, quiet))
        trials = len(results(quiet))
    table = Table(title=f"{story.count} kills, {story.alone} of the driver alone; {trials} trials in the end")
    for name in ("moment", "ray", "local"):
        table.add_column(name, justify="left" if name == "moment" else "right")
    for moment in MOMENTS:
        table.add_row(moment, *(str(story.kills[f"{executor}: {moment}"]) for executor in ("ray", "local")))
    console = Console()
    console.print(table)
    console.print(f"longest life of a process after its driver: {max(story.orphan_seconds):.1f} s")
    console.print("differences from the undisturbed sweep: " + ("; ".join(found) or "none"), soft_wrap=True)
    here = collect()
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cpu": here.cpu,
        "cores": here.cores,
        "packages": here.packages,
        "kills": dict(sorted(story.kills.items())),
        "driver_alone": story.alone,
        "commands_that_ended": story.ended,
        "trials": trials,
        "orphan_seconds": story.orphan_seconds,
        "differences": found,
        "wall_seconds": time.monotonic() - clock,
    }
    path = Path(__file__).parent / "results" / f"kill_{facts['date']}_{options.kills}_kills.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    console.print(f"written to {path}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
