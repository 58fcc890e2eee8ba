"""How well `senet-lab plan` foretells: forecast against actual time of ten different sweeps of the digits.

    python -m benchmarks.forecasts --sweeps 10

Each sweep has a folder of its own: where it says so, a part of it is run first; then `plan --json`, then `sweep`.
Compared is what the forecast is of, from the first trial's beginning to the last one's end, as the sitting's file has
it; the whole command, which also starts workers and reports, stands beside it. Some three minutes for each minute of
trials. Written to benchmarks/results/<date>-forecasts-<hardware>.md, numbers beside it.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.end_to_end import run as run_command
from benchmarks.measure import Goal, Part, Row
from benchmarks.run import ROOT, hardware, here, page

WITHIN = 0.2
ENOUGH = Goal(">=", 0.9)


@dataclass(frozen=True)
class Sweep:
    """What is foretold and run, as it is typed."""

    asked: str
    first: str = ""
    """What is run before, so that its trials tell the time; empty: a probe has to."""


SWEEPS = (
    Sweep("reduction_ratio --seeds 2"),
    Sweep("reduction_ratio --seeds 4", first="reduction_ratio --seeds 1"),
    Sweep("stages --seeds 2 --set train.epochs=4 --set train.warmup_epochs=1"),
    Sweep("excitation_operator --seeds 8", first="excitation_operator --seeds 2"),
    Sweep("squeeze_operator --seeds 6 --set train.batch_size=16"),
    Sweep(
        "reduction_ratio --seeds 3 --set train.epochs=15",
        first="reduction_ratio --seeds 1 --set train.epochs=5",
    ),
    Sweep("reduction_ratio --seeds 2 --set model.depth=14 --set train.epochs=8"),
    Sweep(
        "integration --seeds 4 --set train.epochs=2 --set train.warmup_epochs=1",
        first="integration --seeds 1 --set train.epochs=2 --set train.warmup_epochs=1",
    ),
    Sweep("role_of_squeeze --recipe digits --seeds 5 --set data.crop_padding=0"),
    Sweep(
        "excitation_operator --seeds 4 --set model.widths=[32,64]",
        first="squeeze_operator --seeds 2 --set model.widths=[32,64]",
    ),
)
"""Ten to forty seconds of trials each on two slow cores; by a probe and by trials that are done in turn."""


def compared(case: Sweep) -> dict[str, Any]:
    """Seconds that were foretold and that it took, of one sweep in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="forecasts-") as folder:
        if case.first:
            _type(f"sweep {case.first}", Path(folder))
        said = json.loads(_type(f"plan {case.asked} --json", Path(folder)))["forecast"]
        since = time.perf_counter()
        _type(f"sweep {case.asked}", Path(folder))
        whole = time.perf_counter() - since
        (runs,) = [p for p in Path(folder, "runs").iterdir() if p.name == case.asked.split()[0]]
        files = sorted(runs.glob("sittings/*.json"), key=lambda path: int(path.stem))
        sitting = json.loads(files[-1].read_bytes())
        assert sitting["ended"] == sitting["trials"], "a trial did not end"
    told = {name: said[f"{name}seconds"] for name in ("", "low_", "high_")}
    return {
        "sweep": case.asked,
        "first": case.first,
        "source": said["source"],
        "assumed": said["assumed"],
        "trials": sitting["trials"],
        "forecast": told[""],
        "low": told["low_"],
        "high": told["high_"],
        "actual": sitting["running_seconds"],
        "command": whole,
        "sitting": sitting,
    }


def _type(words: str, folder: Path) -> str:
    return run_command([sys.executable, "-c", "from senet_lab.cli import main; main()", *words.split()], folder)[1]


def fill(chosen: Namespace, part: Part) -> None:
    """A row a sweep, then how many were foretold well."""
    found: list[dict[str, Any]] = []
    part.raw["sweeps"] = found
    for number, case in enumerate(SWEEPS[: chosen.sweeps]):
        found.append(compared(case))
        one = found[-1]
        measure.progress(f"{number + 1} of {chosen.sweeps}: {one['actual'] / one['forecast']:.2f} x, {case.asked}")
        part.rows.append(_row(one))
    off = [f["actual"] / f["forecast"] for f in found]
    well = [float(abs(ratio - 1) <= WITHIN) for ratio in off]
    inside = sum(f["low"] <= f["actual"] <= f["high"] for f in found)
    share = sum(well) / len(well)
    part.rows.append(Row("forecast within 20 % of the actual", f"{sum(well):.0f} of {len(well)}", "", [share], ENOUGH))
    for source in sorted({f["source"] for f in found}):
        own = [ratio for ratio, f in zip(off, found, strict=True) if f["source"] == source]
        part.notes.append(f"By {source}: actual / forecast {statistics.median(own):.3f} in the median of {len(own)}.")
    part.notes += [
        f"The actual time lay in the 95 % interval in {inside} of {len(found)} sweeps.",
        "Actual: from the first trial's beginning to the last one's end, what the forecast is of. Whole command: with "
        "starting Python, torch and workers before, and the report after it.",
    ]


def _row(one: dict[str, Any]) -> Row:
    begun = f", after {one['first']}" if one["first"] else ""
    forecast = f"{one['forecast']:.1f} s [{one['low']:.1f}, {one['high']:.1f}]"
    remark = f"{one['trials']} trials, by {one['source']}; whole command {one['command']:.1f} s"
    ratio = [one["actual"] / one["forecast"]]
    return Row(f"{one['sweep']}{begun}", f"{one['actual']:.1f} s", forecast, ratio, remark=remark)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=len(SWEEPS), choices=range(1, len(SWEEPS) + 1), metavar="N")
    parser.add_argument("--only", type=int, metavar="N", help="the Nth alone, to see that it works; writes nothing")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    chosen = parser.parse_args()
    if chosen.only is not None:
        print(json.dumps(compared(SWEEPS[chosen.only - 1]), indent=1))
        return
    facts, since = here(), time.perf_counter()
    part = Part("Forecast against actual time", "actual / forecast", ours="actual", other="forecast [95 %]")
    part.busy.append(measure.busy_of_others())
    fill(chosen, part)
    part.busy.append(measure.busy_of_others())
    part.seconds = time.perf_counter() - since
    path = chosen.out / f"{facts['date'][:10]}-forecasts-{hardware(facts)}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(facts, {"forecasts": part}), encoding="utf-8")
    numbers = {"here": facts, "parts": {"forecasts": asdict(part)}}
    path.with_suffix(".json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    print(page(facts, {"forecasts": part}))


if __name__ == "__main__":
    main()
