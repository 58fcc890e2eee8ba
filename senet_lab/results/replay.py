"""Where a sweep with looks stands: frames from the trials that the store holds, by the rule of `sequential`.

Only the store is known, not what was seen of it: a failed trial that is run again and ends well makes its look anew,
and this second try at the same look spends no alpha of its own.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from senet_lab.results import paired, planner, stats
from senet_lab.results.planner import Pairs
from senet_lab.results.sequential import Design, Line, Seeds, decide, further


@dataclass(frozen=True)
class State:
    """Where a sweep stands after its last complete look."""

    design: Design
    look: int
    """The last complete one; 0 if there is none."""
    comparison: pd.DataFrame
    """As of `stats.compare`, each row by its own last look; besides `look`. p values are adjusted for looks, too."""
    used: Seeds
    """What counts: of each row the seeds of its last look; of a baseline the most that a comparison uses."""
    wanted: Seeds
    """What the next look needs; empty if no row is undecided, or if it would need more than 10,000 seeds."""

    @property
    def undecided(self) -> list[str]:
        """Rows without a verdict."""
        return self.comparison.loc[self.comparison["verdict"] == "undecided", "variant"].tolist()

    @property
    def span(self) -> str:
        """The seeds that rows have, for people: "20", or "20 to 45"."""
        fewest, most = min(self.used.values()), max(self.used.values())
        return f"{most}" if fewest == most else f"{fewest} to {most}"

    @property
    def seeds_of_looks(self) -> str:
        """Seeds of the complete looks, for people: "3, 5, 8"."""
        return ", ".join(f"{n:,}" for n in self.looks)

    @property
    def looks(self) -> list[int]:
        """Seeds of the complete looks."""
        return [self.design.seeds(look) for look in range(1, self.look + 1)]


def replay(
    trials: pd.DataFrame, rows: pd.DataFrame, design: Design, failed: Collection[tuple[str, int]] = frozenset()
) -> State:
    """The state that the stored trials lead to; `trials` and `rows` as of `load`, of as many seeds as there are.

    `failed`: rows and seeds that have ended without a result. They do not hold a look up, which then has fewer
    common seeds; where they are run again and end well, it is another look. Seeds above those of a row's last look do
    not count.
    """
    ended = set(zip(trials["variant"], trials["seed"], strict=True)) | set(failed)

    def complete(wanted: Seeds) -> bool:
        return all((label, seed) in ended for label, seeds in wanted.items() for seed in range(seeds))

    found = planner.pairs(trials, design.baselines)
    at_first = dict.fromkeys(rows["variant"], design.first)
    look, lines = 0, dict[str, Line]()
    if complete(at_first):
        look, lines = decide(found, design, complete)
    used = dict(at_first)
    for label, line in lines.items():
        used |= {name: max(n, used[name]) for name, n in design.looked_at([label], line.look).items()}
    left = [label for label in design.baselines if label not in lines or lines[label].verdict == "undecided"]
    coming = design.looked_at(left, look + 1)
    wanted = {label: coming[label] for label in at_first if label in coming} if look else at_first
    if design.seeds(look + 1) > paired.MOST_SEEDS:
        wanted = {}
    return State(design, look, _frame(trials, rows, design, lines, found), used, wanted)


def _frame(
    trials: pd.DataFrame, rows: pd.DataFrame, design: Design, lines: Mapping[str, Line], found: Mapping[str, Pairs]
) -> pd.DataFrame:
    """The comparison: each row's numbers at its own look, in the order of `rows`."""
    parts = []
    for look in sorted({line.look for line in lines.values()} | {0}):
        own = {label: b for label, b in design.baselines.items() if _look_of(label, lines) == look}
        seeds = design.seeds(look) if look else 0
        parts.append(stats.compare(trials[trials["seed"] < seeds], rows, own, design.margin, design.alpha))
    order = {label: i for i, label in enumerate(rows["variant"])}
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    frame = frame.sort_values("variant", key=lambda labels: labels.map(order), ignore_index=True)
    frame = _overwritten(frame, design, lines, found)
    seconds = trials.groupby("variant")["seconds"].mean()
    both = seconds.reindex(frame["variant"]).to_numpy() + seconds.reindex(frame["baseline"]).to_numpy()
    frame["more_seconds"] = frame["more_seeds"] * both
    return frame


def _look_of(label: str, lines: Mapping[str, Line]) -> int:
    return lines[label].look if label in lines else 0


def _overwritten(
    frame: pd.DataFrame, design: Design, lines: Mapping[str, Line], found: Mapping[str, Pairs]
) -> pd.DataFrame:
    """`frame` with what depends on the looks in the place of what one look by itself would say."""
    none = Line(0, math.nan, (math.nan, math.nan), math.nan, math.nan, "undecided", False)
    own = [lines.get(label, none) for label in frame["variant"]]
    frame["look"] = pd.array([line.look for line in own], dtype="Int64")
    frame["level"] = [design.level(line.look) if line.look else math.nan for line in own]
    frame["delta_low"], frame["delta_high"] = ([line.interval[side] for line in own] for side in (0, 1))
    frame["p_holm"], frame["p_tost_holm"] = [line.p for line in own], [line.p_equivalence for line in own]
    frame["verdict"] = pd.Series([line.verdict for line in own], dtype="str")
    frame["within_margin"] = [line.within for line in own]
    frame["more_seeds"] = [
        further(found[label], line.look, design) if line.verdict == "undecided" and line.look else math.nan
        for label, line in zip(frame["variant"], own, strict=True)
    ]
    frame["family"] = len(design.baselines)
    return frame
