"""Where rows stand along a numeric factor, and how equal values are stacked."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from senet_lab.results.figures.style import SMALL, fold

LOG_FROM = 4
"""A factor that spans less than fourfold keeps a linear axis."""
GAP = 1.2
"""Steps from the last value to the rows that have none."""


@dataclass(frozen=True)
class Along:
    """Rows along a number; those without a value follow behind the last, a step apart."""

    places: Mapping[str, float]
    values: tuple[float, ...]
    step: float
    """The least ratio of neighbours on a log axis, the least distance on a linear one."""
    log: bool

    def moved(self, x: float, steps: float) -> float:
        """`x`, so many steps to the right."""
        return float(x * self.step**steps) if self.log else x + self.step * steps

    def apply(self, ax: Axes, label: str) -> Axes:
        """Scale and tick the axis at the values themselves, and at the rows without any."""
        if self.log:
            ax.set_xscale("log", base=2 if all(math.log2(v).is_integer() for v in self.values) else 10)
        others = [name for name, x in self.places.items() if x not in self.values]
        places = [*self.values, *(self.places[name] for name in others)]
        ax.set_xticks(places, [*(f"{v:g}" for v in self.values), *(fold(name, 10) for name in others)])
        ax.set_xticks([], minor=True)
        ax.set_xlim(self.moved(min(places), -0.6), self.moved(max(places), 0.6))
        ax.tick_params(axis="x", labelsize=SMALL)
        ax.set_xlabel(label)
        return ax


def along(values: Mapping[str, Any]) -> Along:
    """From label -> value; None has no value."""
    numbers = tuple(sorted({float(v) for v in values.values() if v is not None}))
    log = numbers[0] > 0 and numbers[-1] / numbers[0] >= LOG_FROM
    pairs = [*itertools.pairwise(numbers)]
    step = min(b / a for a, b in pairs) if log else min(b - a for a, b in pairs)
    found = Along({}, numbers, step, log)
    places = {label: float(v) for label, v in values.items() if v is not None}
    for i, label in enumerate(label for label, v in values.items() if v is None):
        places[label] = found.moved(numbers[-1], GAP * (i + 1))
    return Along(places, numbers, step, log)


def stacked(values: Sequence[float], room: float, pitch: float) -> list[float]:
    """Distances that stack equal values beside each other, `pitch` apart or closer, so that all have `room`."""
    counts = Counter(round(v, 9) for v in values)
    apart = min(pitch, room / max(1, max(counts.values(), default=1) - 1))
    seen: Counter[float] = Counter()
    found = []
    for value in (round(v, 9) for v in values):
        found.append(seen[value] * apart)
        seen[value] += 1
    return found


def counted(numbers: Iterable[float], what: str = "") -> str:
    """`n = 20`, or `n = 18 to 20`; with `what` each is one of, `n = 1 seed`, `n = 20 seeds`."""
    found = sorted({int(n) for n in numbers}) or [0]
    span = f"n = {found[0]}" if len(found) == 1 else f"n = {found[0]} to {found[-1]}"
    return f"{span} {what}{'s' * (found[-1] != 1)}" if what else span
