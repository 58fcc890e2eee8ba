"""Do the statements of a report hold? Known worlds are simulated and handed to the code that makes reports.

    python benchmarks/verdicts.py            # some eight minutes on two quiet cores; --quick for half a minute

Three things are asked. Intervals and verdicts: how often are they wrong? Powers: is what is promised reached?
Plans from a pilot: how many of them are large enough? Every share comes with its Monte Carlo standard error.

Two worlds. In one, errors are normal: a part that all rows share by seed, and a part of their own. In the other,
test images of different difficulty are right or wrong by chance, and a seed makes a network a little better or
worse: logit P(wrong) = difficulty_image + row + shared_seed + own_seed. Its spreads are about those of the digits
(mean error 2.8 %, sd over seeds 0.5 points, 43 % of a single answer's variance by the image). There the truth is
the mean over all seeds on the given images, which is what the intervals of a report speak about.
"""

import argparse
import bisect
import functools
import itertools
import json
import math
import platform
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.special import expit

from senet_lab.environment import collect
from senet_lab.results import paired, stats
from senet_lab.results.signflip import ALPHA

ERROR = 0.03
OWN, SHARED = 0.004, 0.003  # sd over seeds of the normal world's errors
DIFFICULTY = (-8.4, 3.9)  # mean and sd over images, logits
SEED = (0.2, 0.1)  # own and shared sd over seeds, logits
MARGIN = 0.005
BATCH = 100  # comparisons in a call
NEVER_OPEN = 1.0  # a margin that leaves nothing undecided, so that no time goes into plans that nobody reads
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
Case = dict[str, Any]
LOOKED_AT, LONG = {"n": 8, "images": 891}, 20_000  # 600 families gave 5.8 %, which told nothing of 5 %


def normal(generator: np.random.Generator, effects: Any, seeds: int, spread: float = OWN) -> np.ndarray:
    """Test errors, rows x seeds, the baseline last; the true differences are `effects`."""
    means = ERROR + np.append(effects, 0.0)
    shared = generator.normal(0, SHARED, seeds)
    return means[:, None] + shared + generator.normal(0, spread, (len(means), seeds))


def tested(generator: np.random.Generator, rows: Any, seeds: int, difficulty_N: np.ndarray) -> np.ndarray:
    """The same with right and wrong answers; `rows` are offsets to the baseline in logits."""
    own, shared = SEED
    effects = np.append(rows, 0.0)[:, None] + generator.normal(0, shared, seeds)
    effects = effects + generator.normal(0, own, effects.shape)
    wrong = [[(generator.random(len(difficulty_N)) < expit(difficulty_N + e)).mean() for e in row] for row in effects]
    return np.array(wrong)


def truth(rows: Any, difficulty_N: np.ndarray) -> np.ndarray:
    """Differences to the baseline of the errors' means over all seeds, by Gauss-Hermite quadrature."""
    seeds = math.hypot(*SEED) * NODES
    means = [expit(difficulty_N[:, None] + row + seeds).mean(axis=0) @ WEIGHTS for row in np.append(rows, 0.0)]
    found = np.array(means) / WEIGHTS.sum()
    return np.asarray(found[:-1] - found[-1])


def compare(errors: np.ndarray, margin: float) -> pd.DataFrame:
    """`stats.compare` of rows x seeds, the last row being everybody's baseline."""
    labels = [f"row {i}" for i in range(len(errors))]
    rows = pd.DataFrame({"variant": labels})
    return stats.compare(_trials(labels, errors), rows, dict.fromkeys(labels[:-1], labels[-1]), margin, ALPHA)


def _trials(labels: list[str], errors: np.ndarray) -> pd.DataFrame:
    rows, seeds = errors.shape
    names, numbers = np.repeat(labels, seeds), np.tile(np.arange(seeds), rows)
    return pd.DataFrame({"variant": names, "seed": numbers, "test_error": errors.ravel(), "seconds": 1.0})


def share(hits: Any, **facts: Any) -> Case:
    """A share of draws with its Monte Carlo standard error."""
    hits = np.asarray(hits, dtype=np.float64)
    value = float(hits.mean())
    return facts | {"share": value, "se": math.sqrt(value * (1 - value) / len(hits)), "draws": len(hits)}


def worlds(images: int, rows: int, offset: float, generator: np.random.Generator, draws: int) -> Any:
    """(a function that draws errors of n seeds, the true differences): `draws` of them; 50 on the same images."""
    for i in range(draws):
        if images == 0:
            effects = np.full(rows, offset * ERROR)
            yield functools.partial(normal, generator, effects), effects
            continue
        if i % 50 == 0:
            difficulty = generator.normal(*DIFFICULTY, images)
            true = truth(np.full(rows, offset), difficulty)
        yield (lambda seeds, at=difficulty: tested(generator, np.full(rows, offset), seeds, at)), true


def singles(pairs: list[np.ndarray]) -> pd.DataFrame:
    """Independent comparisons of (variant, baseline), each judged as if it were alone, in one call.

    `alpha` is as many times .05 as there are comparisons, so that Bonferroni's level for each is .05; `p` and
    `p_tost` are not adjusted. Verdicts mean nothing here: alone, they are `p` < .05 and `p_tost` < .05.
    """
    labels = [f"row {i}" for i in range(len(pairs))]
    both = [f"{name} {label}" for name in ("variant", "baseline") for label in labels]
    trials = _trials(both, np.concatenate([[pair[k] for pair in pairs] for k in (0, 1)]))
    against = {f"variant {label}": f"baseline {label}" for label in labels}
    return stats.compare(trials, pd.DataFrame({"variant": both}), against, MARGIN, ALPHA * len(pairs))


def covered(pairs: list[np.ndarray], truths: Any, **facts: Any) -> Case:
    """How many of the intervals hold the truth; a row without an interval claims nothing."""
    found = pd.concat([singles(pairs[i : i + BATCH]) for i in range(0, len(pairs), BATCH)], ignore_index=True)
    without = found["delta_low"].isna()
    held = without | ((found["delta_low"] <= truths) & (found["delta_high"] >= truths))
    return share(held, **facts, without_interval=int(without.sum()))


def coverage(generator: np.random.Generator, draws: int, n: int, images: int) -> list[Case]:
    """One comparison with a real difference: how often does its 95 % interval hold the truth?"""
    drawn = [(draw(n), true[0]) for draw, true in worlds(images, 1, -0.2, generator, draws)]
    pairs, truths = zip(*drawn, strict=True)
    case = covered([*pairs], np.array(truths), claim="coverage of a 95 % interval", n=n, images=images)
    return [case | {"holds": 0.93 - 2 * case["se"] <= case["share"] <= 0.97 + 2 * case["se"]}]


def near_ties(generator: np.random.Generator, draws: int, n: int, images: int) -> list[Case]:
    """The same where networks get some two images wrong, so that differences are -2 to 2 images: a limit."""
    pairs = list(generator.binomial(images, 2 / images, (draws, 2, n)) / images)
    return [covered(pairs, 0.0, claim="limit: coverage where two images are wrong", n=n, images=images)]


def families(generator: np.random.Generator, draws: int, n: int, images: int) -> list[Case]:
    """Ten rows that are the baseline's equals: a false verdict anywhere; all ten intervals at once."""
    wrong, held = [], []
    for draw, _ in worlds(images, 10, 0.0, generator, draws):
        rows = compare(draw(n), NEVER_OPEN)
        wrong.append(rows["verdict"].isin(["better", "worse"]).any())
        held.append(not ((rows["delta_low"] > 0) | (rows["delta_high"] < 0)).any())
    facts = {"n": n, "images": images, "rows": 10}
    false = share(wrong, claim="any false better or worse", **facts)
    joint = share(held, claim="joint coverage", **facts)
    return [
        false | {"holds": false["share"] - 2 * false["se"] <= ALPHA},
        joint | {"holds": joint["share"] + 2 * joint["se"] >= 1 - ALPHA},
    ]


def at_margin(generator: np.random.Generator, draws: int, n: int, images: int) -> list[Case]:
    """Ten rows whose true differences are the margin itself: a false "equivalent" anywhere."""
    wrong = []
    for i in range(draws):
        errors, margin = normal(generator, np.full(10, MARGIN), n, spread=0.001), MARGIN
        if images:
            if i % 50 == 0:
                difficulty = generator.normal(*DIFFICULTY, images)
                margin = margin_of_images = float(truth(np.array([0.5]), difficulty)[0])
            errors, margin = tested(generator, np.full(10, 0.5), n, difficulty), margin_of_images
        wrong.append(compare(errors, margin)["within_margin"].any())
    case = share(wrong, claim="any false equivalent at the margin", n=n, images=images, rows=10)
    return [case | {"holds": case["share"] - 2 * case["se"] <= ALPHA}]


def decided(generator: np.random.Generator, draws: int, n: int, effect: float, sd: float) -> tuple[Any, Any]:
    """Whether each of `draws` comparisons found a difference, and whether it showed equivalence."""
    pairs = [normal(generator, [effect], n, spread=sd / math.sqrt(2)) for _ in range(draws)]
    found = pd.concat([singles(pairs[i : i + BATCH]) for i in range(0, draws, BATCH)])
    return found["p"] < ALPHA, found["p_tost"] < ALPHA


def powers(generator: np.random.Generator, draws: int, n: int, effect: float, sd: float) -> list[Case]:
    """One comparison whose differences have `sd`: what is found against what is promised."""
    found, same = decided(generator, draws, n, effect, sd)
    facts = {"n": n, "effect": effect, "sd": sd}
    both = share(found, claim="power to find a difference", **facts), share(same, claim="power of equivalence", **facts)
    promised = paired.power_difference(effect, sd, n, ALPHA), paired.power_equivalence(effect, sd, MARGIN, n, ALPHA)
    return [
        case | {"promised": p, "holds": abs(case["share"] - p) <= 0.05 + 2 * case["se"]}
        for case, p in zip(both, promised, strict=True)
    ]


def further(generator: np.random.Generator, draws: int, n: int, effect: float, sd: float) -> list[Case]:
    """A pilot of exactly this mean and sd: what its plan reaches where mean and upper limit of the sd are true."""
    pilot = np.linspace(-1, 1, n)
    pilot = effect + sd * pilot / pilot.std(ddof=1)
    total, upper = n + int(paired.more_seeds(pilot, MARGIN, ALPHA)), paired.upper_sd(sd, n)
    better = max(decided(generator, draws, total, effect, upper), key=sum)
    facts = {"n": n, "effect": effect, "sd": sd, "seeds_in_all": total, "promised": paired.POWER}
    case = share(better, claim="power of what more_seeds plans", **facts)
    return [case | {"holds": case["share"] >= paired.POWER - 0.05 - 2 * case["se"]}]


def plans(generator: np.random.Generator, draws: int, n: int, effect: float, sd: float) -> list[Case]:
    """Pilots of n seeds: the share of plans with 80 % power in truth, and their median size against the right one."""

    def total(pilot: np.ndarray) -> float:
        return n + paired.more_seeds(pilot, 0.0, ALPHA)

    def enough(size: float) -> bool:
        return math.isnan(size) or paired.power_difference(effect, sd, int(size), ALPHA) >= paired.POWER

    pilots = generator.normal(effect, sd, (draws, n))
    known = [total(p - p.mean() + effect) for p in pilots]
    seen = [total(p) for p in pilots if paired.p_difference(p) >= ALPHA]
    plain = [_smallest(effect, float(p.std(ddof=1))) for p in pilots]
    right = _smallest(effect, sd)
    facts = {"n": n, "effect": effect, "sd": sd, "right_size": right}
    cases = []
    for name, sizes in (("upper limit of the sd", known), ("sd as seen", plain), ("mean as seen, upper sd", seen)):
        case = share([enough(s) for s in sizes], claim=f"plans that reach 80 %: {name}", **facts)
        cases.append(case | {"median_size": float(np.nanmedian(sizes))})
    cases[0]["holds"] = cases[0]["share"] + 2 * cases[0]["se"] >= paired.CONFIDENCE
    return cases


def _smallest(effect: float, sd: float) -> float:
    sizes = range(2, 5000)
    enough = bisect.bisect_left(sizes, paired.POWER, key=lambda k: paired.power_difference(effect, sd, k, ALPHA))
    return float(sizes[enough])


def cases(quick: bool) -> list[tuple[Callable[..., list[Case]], int, dict[str, Any]]]:
    """What is run: function, draws, settings."""
    few = 10 if quick else 1
    by_seeds = [{"n": n, "images": images} for images in (0, 891, 10_000) for n in (3, 5, 8, 20)]
    by_effect = [
        {"n": n, "effect": effect, "sd": sd}
        for n, effect, sd in itertools.product((3, 5, 8, 20), (0.0, 0.002, 0.004), (0.002, 0.005))
    ]
    pilots = [{"n": n, "effect": 0.004, "sd": sd} for n in (3, 5, 8) for sd in (0.004, 0.008)]
    asked = [(coverage, 3000 // few, case) for case in by_seeds]
    asked += [(near_ties, 3000 // few, {"n": n, "images": 891}) for n in (3, 5, 8, 20)]
    small = [case for case in by_seeds if case["images"] < 10_000]
    asked += [(families, LONG if case == LOOKED_AT and not quick else 600 // few, case) for case in small]
    asked += [(at_margin, 500 // few, case) for case in small]
    asked += [(powers, 800 // few, case) for case in by_effect]
    asked += [(further, 600 // few, case | {"sd": case["sd"] / 2}) for case in pilots]
    asked += [(plans, 300 // few, case) for case in pilots]
    return asked


def run(number: int, quick: bool) -> list[Case]:
    """One case, from a stream of its own."""
    function, draws, settings = cases(quick)[number]
    return function(np.random.default_rng([20, number]), draws, **settings)


def show(found: list[Case]) -> None:
    """A line per number."""
    facts = ("n", "images", "effect", "sd", "seeds_in_all", "right_size", "median_size", "without_interval")
    table = Table("claim", "where", "promised", "share", "Monte Carlo se", "holds")
    for case in found:
        where = ", ".join(f"{name} {case[name]:g}" for name in facts if name in case)
        promised, holds = case.get("promised"), case.get("holds")
        cells = ("" if promised is None else f"{promised:.3f}", f"{case['share']:.4f}", f"{case['se']:.4f}")
        table.add_row(case["claim"], where, *cells, "" if holds is None else "yes" if holds else "NO")
    Console(width=150).print(table)


def main() -> None:
    """Simulate, print, and write everything to benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws, and no file")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    numbers = range(len(cases(options.quick)))
    with ProcessPoolExecutor(options.workers) as pool:
        several = track(pool.map(functools.partial(run, quick=options.quick), numbers), total=len(numbers))
        found = list(itertools.chain.from_iterable(several))
    show(found)
    if options.quick:
        return
    here = collect()
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cpu": here.cpu, "cores": here.cores, "packages": here.packages}
    path = Path(__file__).parent / "results" / f"{facts['date']}-verdicts-{platform.machine()}.json"
    path.write_text(json.dumps({**facts, "cases": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
