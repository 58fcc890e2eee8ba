"""How long what is left will take, and how sure that is: numbers in, numbers out.

Every row's seconds a trial come from its own trials where it has some, else from the others, scaled by
the work. Spread is relative (a standard deviation as a fraction), intervals are multiplicative: x / f to
x * f. The interval is Student's t, 95 %, for the time of the trials that are left, with three sources:
the spread of trials of one row, the spread of seconds per work between rows (for rows without a trial),
and `drift`, by which a machine is faster or slower as a whole than it was when the trials ran.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LEVEL = 0.95
ASSUMED = math.log(2) / 1.96
"""Where fewer than three numbers tell the spread: within a factor of 2 either way, 95 of 100 times."""
FEWEST = 3


@dataclass(frozen=True)
class Timing:
    """Seconds of whole trials of one configuration."""

    rows: tuple[str, ...]
    """Names of the configurations that take this time; may be none."""
    work: float
    """Of one trial; any unit, the same for all."""
    seconds: tuple[float, ...]

    @property
    def mean(self) -> float:
        return sum(self.seconds) / len(self.seconds)


@dataclass(frozen=True)
class Need:
    """What is left of one trial."""

    row: str
    work: float
    """Of a whole trial of this row."""
    share: float = 1.0
    """Of the trial that is still to be done."""


@dataclass(frozen=True)
class Forecast:
    """Wall time on `slots` trials at once."""

    seconds: float
    low: float
    high: float
    """95 % prediction interval."""
    slots: int
    each: Mapping[str, float]
    """Row -> seconds of a whole trial, for the rows that need some."""
    assumed: bool
    """Whether a spread that goes into the interval is `ASSUMED`, because too few numbers tell it."""


def drift(sittings: Iterable[Sequence[float]], least: float) -> float:
    """Relative deviation of whole sittings from each other, at least `least`.

    `sittings`: of each the seconds of its trials, divided by what such a trial takes on average.
    """
    means = [math.log(sum(s) / len(s)) for s in sittings if s]
    if len(means) < 2:
        return least
    centre = sum(means) / len(means)
    return max(least, math.sqrt(sum((m - centre) ** 2 for m in means) / (len(means) - 1)))


@dataclass(frozen=True)
class _Spread:
    """A relative standard deviation and its degrees of freedom; infinite where it is assumed."""

    sd: float
    freedom: float


def forecast(
    needs: Sequence[Need], timings: Iterable[Timing], slots: int, drift: float, beside: float = 0.0
) -> Forecast | None:
    """What `needs`, in the order of running, will take; None if there is nothing to do or nothing to tell it by.

    `beside`: seconds of a slot that are taken from the trials while they run, and are not in `timings`.
    """
    known = [t for t in timings if t.seconds and t.mean > 0 and t.work > 0]
    if not needs or not known:
        return None
    own = {row: t for t in known for row in t.rows}
    rate = math.exp(sum(math.log(t.mean / t.work) for t in known) / len(known))
    each = {n.row: own[n.row].mean if n.row in own else rate * n.work for n in needs}
    costs = [n.share * each[n.row] for n in needs]
    within, between = _within(known), _between(known)
    variances = [
        (_new_trials(needs, each, own) * within.sd**2, within.freedom),
        (_scaled_rows(needs, each, own, len(known)) * between.sd**2, between.freedom),
        ((drift * sum(costs)) ** 2, math.inf),
    ]
    factor = math.exp(_half_width(variances) / sum(costs))
    seconds = makespan(costs, slots) + beside / slots
    assumed = any(v > 0 and math.isinf(freedom) for v, freedom in variances[:2])
    return Forecast(seconds, seconds / factor, seconds * factor, slots, each, assumed)


def makespan(costs: Iterable[float], slots: int) -> float:
    """When the last of `costs` ends, if each in turn takes the first slot that is free."""
    free = [0.0] * slots
    for cost in costs:
        heapq.heapreplace(free, free[0] + cost)
    return max(free)


def _within(known: Sequence[Timing]) -> _Spread:
    """Of trials of one row around their mean, pooled; where no row has several, of rows around the rate."""
    freedom = sum(len(t.seconds) - 1 for t in known)
    if freedom < FEWEST - 1:
        return _between(known)
    squares = sum((s / t.mean - 1) ** 2 for t in known for s in t.seconds)
    return _Spread(math.sqrt(squares / freedom), freedom)


def _between(known: Sequence[Timing]) -> _Spread:
    """Of the seconds per work of the rows."""
    rates = [math.log(t.mean / t.work) for t in known]
    if len(rates) < FEWEST:
        return _Spread(ASSUMED, math.inf)
    mean = sum(rates) / len(rates)
    return _Spread(math.sqrt(sum((r - mean) ** 2 for r in rates) / (len(rates) - 1)), len(rates) - 1)


def _new_trials(needs: Sequence[Need], each: Mapping[str, float], own: Mapping[str, Timing]) -> float:
    """Seconds squared for a relative variance of 1: of each trial, and of the means by which its row is known."""
    squares = sum((n.share * each[n.row]) ** 2 for n in needs)
    totals = {row: sum(n.share for n in needs if n.row == row) * each[row] for row in each if row in own}
    return squares + sum(total**2 / len(own[row].seconds) for row, total in totals.items())


def _scaled_rows(needs: Sequence[Need], each: Mapping[str, float], own: Mapping[str, Timing], known: int) -> float:
    """The same of rows that have no trial: each has a rate of its own, and their mean is that of `known` rows."""
    totals = [sum(n.share for n in needs if n.row == row) * each[row] for row in each if row not in own]
    return sum(total**2 for total in totals) + sum(totals) ** 2 / known


def _half_width(variances: Sequence[tuple[float, float]]) -> float:
    """t times the deviation of a sum, its degrees of freedom by Welch and Satterthwaite (1946)."""
    from scipy import stats

    total = sum(v for v, _ in variances)
    if total == 0:
        return 0.0
    doubt = sum(v**2 / freedom for v, freedom in variances)
    freedom = total**2 / doubt if doubt else 1e9
    return float(stats.t.isf((1 - LEVEL) / 2, freedom)) * math.sqrt(total)
