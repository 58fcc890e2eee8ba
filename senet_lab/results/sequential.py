"""Looking again and again, and still 5 %: seeds are added to undecided rows only. The rule; `replay` applies it.

Look k sees the seeds below n_k: n_1 is the sweep's, n_(k+1) = ceil(1.5 n_k). It spends
alpha_k = alpha / (k (k + 1)) = alpha / k - alpha / (k + 1), so that all looks together, however many, spend alpha;
differences and equivalence spend one each. At a look Holm's procedure (Holm 1979) runs at alpha_k over the
hypotheses that no earlier look rejected, also those of rows that are no longer looked at, which count as not
rejected (the sequential Holm procedure: Ye, Li, Liu, Yao 2013, Statistics in Medicine 32). A row rejected in one
of the families stops.

Why no more than alpha: let m_0 hypotheses be true. Suppose some of them are rejected, and take the first, at look k.
All that was rejected before, at this look or an earlier one, is false, so Holm divides alpha_k by m_0 at least,
and the p value of that true hypothesis is below alpha_k / m_0. For one hypothesis at one look that has probability
alpha_k / m_0 at most: n_k is fixed beforehand, so the p value of those n_k seeds is an ordinary one, whether or not
it is looked at. There are m_0 of them at look k: alpha_k. Summed over looks: alpha. What the tests have in common,
a baseline or earlier seeds, does not matter. In the same way, intervals that miss with probability alpha_k / m hold
together over all m rows and all looks, so that each row's last one may be reported.

All of that needs n_1 to be chosen before the results are seen.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from senet_lab.results import paired, stats
from senet_lab.results.planner import Pairs

Seeds = Mapping[str, int]
"""Row -> how many seeds, from 0."""


@dataclass(frozen=True)
class Design:
    """What is fixed before the first trial."""

    baselines: Mapping[str, str]
    """Label -> label of what it is compared to: the family."""
    margin: float
    first: int
    """Seeds of the first look."""
    alpha: float = stats.ALPHA

    def seeds(self, look: int) -> int:
        """Seeds of a row at `look` = 1, 2, ..."""
        n = self.first
        for _ in range(look - 1):
            n = (3 * n + 1) // 2
        return n

    def spends(self, look: int) -> float:
        """The share of `alpha` that `look` spends."""
        return self.alpha / (look * (look + 1))

    def spent(self, looks: int) -> float:
        """The share of `alpha` that the first `looks` looks spend together."""
        return self.alpha * looks / (looks + 1)

    def level(self, look: int) -> float:
        """Of the intervals at `look`."""
        return self.spends(look) / len(self.baselines)

    def looked_at(self, labels: Iterable[str], look: int) -> dict[str, int]:
        """Seeds of the rows `labels`, and of what they are compared to, at `look`."""
        return {name: self.seeds(look) for label in labels for name in (label, self.baselines[label])}


@dataclass(frozen=True)
class Line:
    """What a row's last look says of it."""

    look: int
    delta: float
    interval: tuple[float, float]
    p: float
    """Of the difference, adjusted for rows and looks: rejected where it is below `Design.alpha`."""
    p_equivalence: float
    verdict: str
    within: bool
    """Whether equivalence is shown."""


def decide(
    found: Mapping[str, Pairs], design: Design, complete: Callable[[Seeds], bool]
) -> tuple[int, dict[str, Line]]:
    """All looks that are `complete`: the number of the last one, and what each row's own last look says."""
    lines: dict[str, Line] = {}
    look, left = 0, [*design.baselines]
    while left and design.seeds(look + 1) <= paired.MOST_SEEDS and complete(design.looked_at(left, look + 1)):
        look += 1
        lines |= _look(look, {label: found[label] for label in left}, lines, design)
        left = [label for label in left if lines[label].verdict == "undecided"]
    return look, lines


def _look(look: int, left: Mapping[str, Pairs], before: Mapping[str, Line], design: Design) -> dict[str, Line]:
    """What one look says of the rows that are `left`, `before` being what the earlier ones said of all."""
    seen = {
        label: pairs.differences[: np.searchsorted(pairs.seeds, design.seeds(look))] for label, pairs in left.items()
    }
    stopped = [line for label, line in before.items() if label not in left]
    different = sum(line.verdict in ("better", "worse") for line in stopped)
    within = sum(line.within for line in stopped)
    times = design.alpha / design.spends(look)
    p = _adjusted([paired.p_difference(d) for d in seen.values()], len(stopped) - different, times)
    p_within = _adjusted([paired.p_equivalence(d, design.margin) for d in seen.values()], len(stopped) - within, times)
    found = {}
    for (label, d), difference, equivalence in zip(seen.items(), p, p_within, strict=True):
        delta, is_within = paired.average(d), bool(equivalence < design.alpha)
        verdict = "equivalent" if is_within else "undecided"
        if difference < design.alpha:
            verdict = "better" if delta < 0 else "worse"
        interval = paired.interval(d, design.level(look))
        found[label] = Line(look, delta, interval, float(difference), float(equivalence), verdict, is_within)
    return found


def _adjusted(p: list[float], stopped: int, times: float) -> paired.Values:
    """Holm's adjusted p among `stopped` more that cannot be rejected, `times` what they would be at the full alpha.

    NaN, where there are fewer than two common seeds, cannot be rejected either, and stays NaN.
    """
    family = np.array([*p, *[1.0] * stopped])
    adjusted = paired.holm(np.where(np.isnan(family), 1.0, family))[: len(p)]
    return np.where(np.isnan(p), math.nan, np.minimum(1.0, times * adjusted))


def further(row: Pairs, look: int, design: Design) -> float:
    """Seeds from `look` to the first later one that decides with 80 % power, by the observed mean and the safe spread.

    The power of that look alone, at Holm's first step: earlier ones add to it. NaN if none of 10,000 seeds has it, if
    there are fewer than three seeds, and if all differences are equal, which tells no spread.
    """
    now = design.seeds(look)
    d = row.differences[: np.searchsorted(row.seeds, now)]
    if len(d) < paired.FEWEST_TO_PLAN or paired.flat(d):
        return math.nan
    mean, sd = paired.average(d), paired.upper_sd(float(d.std(ddof=1)), len(d))
    while (n := design.seeds(look := look + 1)) <= paired.MOST_SEEDS:
        level = design.level(look)
        found = paired.power_difference(mean, sd, n, level)
        if max(found, paired.power_equivalence(mean, sd, design.margin, n, level)) >= paired.POWER:
            return float(n - now)
    return math.nan
