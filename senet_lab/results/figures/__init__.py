"""The figures of a sweep: a module each, with `frame` (all numbers that are drawn), `draw` and `caption`.

`draw` computes nothing; the frame is written as CSV beside the picture. Whatever differs is told apart
by marker, line or place as well as by colour. Units stand in the columns' names: `_percent` for errors,
`_points` for differences.
"""

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from senet_lab.errors import UserError, choices
from senet_lab.results.figures import (
    budget,
    cost,
    curves,
    differences,
    error,
    front,
    importance,
    parallel,
    published,
    slices,
)
from senet_lab.results.figures.shown import Shown as Shown
from senet_lab.results.figures.style import NARROW as NARROW
from senet_lab.results.figures.style import WIDE as WIDE


class Kind(NamedTuple):
    """What a figure's module offers."""

    frame: Callable[[Shown], pd.DataFrame]
    draw: Callable[[pd.DataFrame, Shown, float], Figure]
    caption: Callable[[pd.DataFrame, Shown], str]


KINDS = {
    "error": Kind(error.frame, error.draw, error.caption),
    "differences": Kind(differences.frame, differences.draw, differences.caption),
    "cost": Kind(cost.frame, cost.draw, cost.caption),
    "curves": Kind(curves.frame, curves.draw, curves.caption),
    "published": Kind(published.frame, published.draw, published.caption),
    "budget": Kind(budget.frame, budget.draw, budget.caption),
    "front": Kind(front.frame, front.draw, front.caption),
    "importance": Kind(importance.frame, importance.draw, importance.caption),
    "parallel": Kind(parallel.frame, parallel.draw, parallel.caption),
    "slices": Kind(slices.frame, slices.draw, slices.caption),
}
APPLIES: dict[str, Callable[[Shown], bool]] = {
    "published": lambda shown: shown.has_published,
    "budget": lambda shown: shown.has_tried,
    "front": lambda shown: shown.has_front,
    "importance": lambda shown: shown.has_importances,
    "parallel": lambda shown: shown.has_search,
    "slices": lambda shown: shown.has_tried,
}
"""Figures that not every sweep has."""
NAMES = tuple(KINDS)
"""In the order in which they are shown."""


def names(shown: Shown) -> tuple[str, ...]:
    """The figures that apply to a sweep."""
    return tuple(name for name in NAMES if name not in APPLIES or APPLIES[name](shown))


def kind(name: str, shown: Shown) -> Kind:
    """A figure by name. Raises UserError naming those there are."""
    if name not in (known := names(shown)):
        raise UserError(f"there is no figure {name!r} of this sweep; {choices(name, [*known])}")
    return KINDS[name]


def draw(name: str, shown: Shown, width: float = WIDE) -> Figure:
    """A figure by name, made for `width` centimetres of paper. Raises UserError naming those there are."""
    made = kind(name, shown)
    return made.draw(made.frame(shown), shown, width)
