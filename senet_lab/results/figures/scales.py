"""Where the values of a setting lie on an axis that goes from 0 to 1, whether they are numbers or options."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.ticker import LogLocator, MaxNLocator

from senet_lab.spec.space import AnyDimension, Choice

NOWHERE = -0.3
"""Below all values: settings that do not apply."""
LOG_FROM = 8
"""Results that span less than that keep a linear axis."""


@dataclass(frozen=True)
class Scale:
    """Of a setting or a result."""

    name: str
    low: float
    high: float
    log: bool = False
    options: tuple[str, ...] = ()
    """Of a list: what lies at 0, 1, 2, ..."""
    conditional: bool = False
    """Whether there are candidates to which it does not apply."""

    def place(self, value: Any) -> float:
        """From 0 to 1; NOWHERE where there is no value."""
        if pd.isna(value):
            return NOWHERE
        x = self.options.index(str(value)) if self.options else float(value)
        low, high, x = (math.log(v) for v in (self.low, self.high, x)) if self.log else (self.low, self.high, x)
        return (x - low) / (high - low) if high > low else 0.5

    def ticks(self, most: int = 4) -> list[tuple[float, str]]:
        """Place and text of every option, or of some round numbers; of "-", where a setting may not apply."""
        found = [(self.place(option), option) for option in self.options] or self._numbers(most)
        return ([(NOWHERE, "-")] if self.conditional else []) + found

    def _numbers(self, most: int) -> list[tuple[float, str]]:
        if self.log:
            span = math.log10(self.high / self.low) if self.low < self.high else 0.0
            subs = (1.0,) if span > 1.5 else (1.0, 3.0) if span > 0.8 else (1.0, 2.0, 5.0)
            values = LogLocator(subs=subs, numticks=most + 2).tick_values(self.low, self.high)
        else:
            whole = float(self.low).is_integer() and float(self.high).is_integer()
            values = MaxNLocator(most, integer=whole).tick_values(self.low, self.high)
        inside = [v for v in values if self.low * (1 - 1e-9) <= v <= self.high * (1 + 1e-9)]
        if len(inside) < 2:
            inside = [self.low, self.high]
        return [(self.place(float(v)), _short(float(v))) for v in inside]


def _short(number: float) -> str:
    if 0 < number < 1e-3:
        return f"{number:.0e}".replace("e-0", "e-")
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"


def of_setting(name: str, dimension: AnyDimension) -> Scale:
    """The scale of all that a setting might have been."""
    conditional = bool(dimension.when)
    if isinstance(dimension, Choice):
        labels = tuple(dimension.labelled)
        return Scale(name, 0, len(labels) - 1, options=labels, conditional=conditional)
    return Scale(name, dimension.low, dimension.high, dimension.log, conditional=conditional)


def of_space(names: Mapping[str, str], space: Mapping[str, AnyDimension]) -> dict[str, Scale]:
    """Dotted path -> the scale of that setting."""
    return {path: of_setting(names[path], dimension) for path, dimension in space.items()}


def of_result(name: str, values: "pd.Series[Any]") -> Scale:
    """The scale of a result, from the least to the most that was found; log where they span much."""
    known = values.dropna().astype("float64")
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return Scale(name, low, high, log=low > 0 and high / low >= LOG_FROM)
