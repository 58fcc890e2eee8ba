"""What `--until-decided` promises, by simulation through its own replay.

    python benchmarks/sequential.py --repetitions 4000

Ten rows and their baseline, looked at until they are decided or the next look had more than 100 seeds (400 where rows
are mixed, so that all are decided). Of whole sweeps: how often any row is called better or worse that is neither, how
often any is called equivalent that lies at the margin, how often all final intervals hold their true difference at
once; each at most (at least) what was promised, 5 % (95 %), but for the standard error of the simulation, which
stands beside it. "unspent" is the same with 5 % at every look: the error that is avoided. And what it costs: trials,
beside those of one look whose number of seeds was chosen, in hindsight, to decide 99 % of the rows.

The sd of a row's own errors over seeds is a point; that of differences is sqrt(2). "counts" are wrong images of 891 at
5 %, with a part that all rows of a seed share: no normal numbers, many ties.
"""

import argparse
import json
import math
import platform
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from senet_lab.environment import collect, cores
from senet_lab.results.planner import Pairs
from senet_lab.results.sequential import Design, Line, decide

ROWS = 10
SPREAD = 0.01
MARGIN = SPREAD
NOTHING = 1e-9
CHUNK = 50
NEARLY_ALL = 0.99
ONE = "mixed, one look that decides 99 %"
Errors = npt.NDArray[np.float64]


class Unspent(Design):
    """5 % at every look."""

    def spends(self, look: int) -> float:
        return self.alpha


class Single(Unspent):
    """One look."""

    def seeds(self, look: int) -> int:
        return self.first if look == 1 else 10**6


def normal(generator: np.random.Generator, means: Errors, seeds: int) -> Errors:
    """Rows x seeds, the baseline last."""
    return generator.normal(np.append(means, 0.0)[:, None], SPREAD, (len(means) + 1, seeds))


def counts(generator: np.random.Generator, means: Errors, seeds: int) -> Errors:
    """Shares of 891 images."""
    shared = generator.normal(0, 0.1, seeds)
    share = 1 / (1 + np.exp(-(math.log(0.05 / 0.95) + shared)))
    return generator.binomial(891, share, (len(means) + 1, seeds)) / 891 + np.append(means, 0.0)[:, None]


@dataclass(frozen=True)
class Scenario:
    """What is true, and how it is looked at."""

    means: tuple[float, ...]
    margin: float
    first: int = 4
    most: int = 100
    """Seeds of a row."""
    draw: Callable[[np.random.Generator, Errors, int], Errors] = normal
    kind: type[Design] = Design


MIXED = (0.0,) * 4 + (0.6 * SPREAD,) * 2 + (MARGIN,) * 2 + (2.5 * SPREAD,) * 2
"""Four rows without a difference, two with a small one, two at the margin, two with a large one."""
SCENARIOS = {
    "no difference": Scenario((0.0,) * ROWS, NOTHING),
    "no difference, first look of 20": Scenario((0.0,) * ROWS, NOTHING, first=20),
    "no difference, counts": Scenario((0.0,) * ROWS, NOTHING, draw=counts),
    "no difference, unspent": Scenario((0.0,) * ROWS, NOTHING, kind=Unspent),
    "at the margin": Scenario((MARGIN,) * ROWS, MARGIN),
    "at the margin, unspent": Scenario((MARGIN,) * ROWS, MARGIN, kind=Unspent),
    **{f"mixed, first look of {n}": Scenario(MIXED, MARGIN, n, most=400) for n in (4, 10, 20)},
    "mixed, first look of 10, unspent": Scenario(MIXED, MARGIN, 10, most=400, kind=Unspent),
}


def one(scenario: Scenario, generator: np.random.Generator) -> dict[str, float]:
    """A whole sweep: what went wrong in it, how much was decided, and its trials."""
    errors = scenario.draw(generator, np.array(scenario.means), scenario.most)
    labels = [f"row {i}" for i in range(len(scenario.means))]
    design = scenario.kind(dict.fromkeys(labels, "baseline"), scenario.margin, scenario.first)
    pairs = {label: Pairs(np.arange(scenario.most), errors[i] - errors[-1]) for i, label in enumerate(labels)}
    _, lines = decide(pairs, design, lambda wanted: max(wanted.values()) <= scenario.most)
    truth = [(mean, lines[label]) for mean, label in zip(scenario.means, labels, strict=True)]
    seeds = [design.seeds(line.look) for _, line in truth]
    return {
        "false_difference": any(_false_difference(mean, line) for mean, line in truth),
        "false_equivalence": any(line.within and abs(mean) >= scenario.margin for mean, line in truth),
        "covered": all(_covers(mean, line) for mean, line in truth),
        "decided": sum(line.verdict != "undecided" for _, line in truth) / len(truth),
        "trials": sum(seeds) + max(seeds),
    }


def _false_difference(mean: float, line: Line) -> bool:
    """A difference where there is none, or of the wrong sign."""
    return line.verdict in ("better", "worse") and (mean == 0 or (line.verdict == "better") != (mean < 0))


def _covers(mean: float, line: Line) -> bool:
    low, high = line.interval
    return math.isnan(low) or low <= mean <= high


def chunk(scenario: Scenario, seed: np.random.SeedSequence) -> list[dict[str, float]]:
    generator = np.random.default_rng(seed)
    return [one(scenario, generator) for _ in range(CHUNK)]


def simulate(pool: ProcessPoolExecutor, scenario: Scenario, repetitions: int) -> dict[str, list[float]]:
    """Of each number its mean over sweeps and the standard error of that; at most `repetitions` rounded up to 50."""
    seeds = np.random.SeedSequence(2013).spawn(math.ceil(repetitions / CHUNK))
    found = [line for lines in pool.map(partial(chunk, scenario), seeds) for line in lines]
    values = {name: np.array([line[name] for line in found], dtype=float) for name in found[0]}
    return {name: [float(v.mean()), float(v.std(ddof=1) / math.sqrt(len(v)))] for name, v in values.items()}


def fixed(pool: ProcessPoolExecutor, repetitions: int) -> dict[str, Any]:
    """The fewest seeds of one look at all mixed rows that decide 99 % of them."""
    low, high = 2, 100
    while low < high:
        n = (low + high) // 2
        found = simulate(pool, Scenario(MIXED, MARGIN, n, kind=Single), repetitions)
        low, high = (low, n) if found["decided"][0] >= NEARLY_ALL else (n + 1, high)
    return {"seeds": low, **simulate(pool, Scenario(MIXED, MARGIN, low, kind=Single), repetitions)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=4000, help="sweeps of each kind")
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "results", help="folder of the JSON")
    options = parser.parse_args()
    surroundings = collect()
    with ProcessPoolExecutor(cores(), get_context("spawn")) as pool:
        found: dict[str, Any] = {}
        for name, scenario in SCENARIOS.items():
            found[name] = simulate(pool, scenario, options.repetitions)
            print(name, {k: f"{mean:.4f} ± {error:.4f}" for k, (mean, error) in found[name].items()}, flush=True)
        found[ONE] = fixed(pool, options.repetitions // 4)
    print(ONE, found[ONE], flush=True)
    day = datetime.now(UTC).date().isoformat()
    told = {
        "date": day,
        "cpu": surroundings.cpu,
        "cores": surroundings.cores,
        "packages": {name: surroundings.packages[name] for name in ("senet-lab", "numpy", "scipy")},
        "repetitions": options.repetitions,
        "rows": ROWS,
        "mean_and_standard_error": found,
        "trials_of_one_look": {
            name: mixed["trials"][0] / found[ONE]["trials"][0] for name, mixed in found.items() if "mixed" in name
        },
    }
    path = options.to / f"{day}-sequential-{platform.machine()}.json"
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path}")


if __name__ == "__main__":
    main()
