"""Test error of every row: mean, 95 % interval, and the seeds behind them.

Along the factor where it is one number, else a row a line.
"""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from senet_lab.results.figures import style
from senet_lab.results.figures.along import Along, along, counted, stacked
from senet_lab.results.figures.shown import Shown

COLUMNS = ["mark", "variant", "value", "seed", "error_percent", "low_percent", "high_percent", "n"]
MOST_BESIDE = 3
"""Rows without a value that find room beside the axis."""
MEAN: dict[str, Any] = {"fmt": "o", "color": style.DARK, "capsize": 2.5, "markersize": 4.5, "elinewidth": 1.3}
SEED: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 2.4, "color": "0.62", "markeredgewidth": 0}


def frame(shown: Shown) -> pd.DataFrame:
    """A line per row (`mark` "mean", with n and 95 % Student-t interval) and per trial ("seed"), in percent."""
    values, lines = shown.values, []
    for _, row in shown.summary.iterrows():
        numbers = (100 * row["mean"], 100 * row["ci_low"], 100 * row["ci_high"], row["n"])
        lines.append(("mean", row["variant"], values[row["variant"]], None, *numbers))
    for _, trial in shown.trials.iterrows():
        numbers = (100 * trial["test_error"], math.nan, math.nan, 1)
        lines.append(("seed", trial["variant"], values[trial["variant"]], trial["seed"], *numbers))
    return pd.DataFrame(lines, columns=COLUMNS).astype({"seed": "Int64", "n": "int64"})


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """Along the factor, or a line per row; `width` in centimetres."""
    beside = sum(v is None for v in shown.values.values())
    upright = shown.numeric and beside <= MOST_BESIDE
    with style.style():
        characters = style.label_width(width)
        rows = 2.2 + style.rows_height(shown.labels, characters, 0.75)
        figure = style.sheet(width, 0.3 * width + 3.2 if upright else rows)
        ax = figure.subplots()
        if upright:
            across(marks, shown, ax)
        else:
            by_row(marks, shown, ax, characters)
        return style.settle(figure)


def across(marks: pd.DataFrame, shown: Shown, ax: Axes) -> Axes:
    """Rows along a number; the baseline's mean as a dashed line through all of them."""
    place = along(shown.values)
    means, seeds = marks[marks["mark"] == "mean"], marks[marks["mark"] == "seed"]
    for label, x in place.places.items():
        own = seeds.loc[seeds["variant"] == label, "error_percent"].tolist()
        at_seeds = [place.moved(x, -0.12 - aside) for aside in stacked(own, 0.3, 0.035)]
        ax.plot(at_seeds, own, zorder=2, **SEED)
    at = [place.places[label] for label in means["variant"]]
    ends = [means["error_percent"] - means["low_percent"], means["high_percent"] - means["error_percent"]]
    ax.errorbar(at, means["error_percent"], yerr=ends, zorder=3, **MEAN)
    _baseline(means, shown, ax.axhline)
    label = style.SHORT.get(str(shown.factor), str(shown.factor))
    place.apply(ax, f"{label}{' (log scale)' if place.log else ''}; {counted(means['n'], 'seed')}")
    if means["n"].nunique() > 1:
        _ticks_with_n(ax, means, place)
    ax.set_ylabel("test error (%)")
    ax.yaxis.set_major_locator(MaxNLocator(6))  # whatever the size: ticks that change move the label out of sight
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)
    if means["n"].max() == 0:
        style.nothing(ax)
    ax.set_axisbelow(True)
    return style.tidy(ax)


def by_row(marks: pd.DataFrame, shown: Shown, ax: Axes, characters: int) -> Axes:
    """A line per row, the seeds below their mean, n at the right edge."""
    means, seeds = marks[marks["mark"] == "mean"], marks[marks["mark"] == "seed"]
    for place, (_, row) in enumerate(means.iterrows()):
        own = seeds.loc[seeds["variant"] == row["variant"], "error_percent"].tolist()
        ax.plot(own, [place + 0.06 + below for below in stacked(own, 0.36, 0.09)], zorder=2, **SEED)
        look: dict[str, Any] = {"fmt": "o", "color": style.DARK}
        style.bars(ax, row["error_percent"], place - 0.14, row["low_percent"], row["high_percent"], **look)
    _baseline(means, shown, ax.axvline)
    pairs = [i for i, label in enumerate(shown.labels) if i and label in shown.baselines]
    style.row_axis(ax, shown.labels, characters, pairs if len(shown.baselines) > 1 else None)
    style.column(ax, range(len(means)), [str(n) for n in means["n"]], "n", 6)
    ax.set_xlabel("test error (%)")
    if means["n"].max() == 0:
        ax.set_xticks([])
    return ax


def _baseline(means: pd.DataFrame, shown: Shown, line: Any) -> None:
    """The mean that all others are compared to; nothing where each row has a baseline of its own."""
    if len(shown.baselines) == 1:
        level = means.loc[means["variant"] == shown.baselines[0], "error_percent"].iloc[0]
        if level == level:
            line(level, color=style.GREY, linestyle="--", linewidth=0.8, zorder=1)


def _ticks_with_n(ax: Axes, means: pd.DataFrame, place: Along) -> None:
    """n below each row's value: they differ."""
    n = {place.places[label]: count for label, count in zip(means["variant"], means["n"], strict=True)}
    texts = [f"{t.get_text()}\nn = {n[x]}" for x, t in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)]
    ax.set_xticks(ax.get_xticks(), texts)


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """One sentence: what is drawn, n, kind of interval."""
    means = marks[marks["mark"] == "mean"]
    none = ", none from one seed" if means["n"].min() < 2 else ""
    line = f"; dashed: the mean of {shown.baselines[0]}" if len(shown.baselines) == 1 else ""
    return (
        f"Test error at the last epoch: mean and 95 % Student-t interval over seeds{none} ({counted(means['n'])} a "
        f"row), the single seeds in grey{line}."
    )
