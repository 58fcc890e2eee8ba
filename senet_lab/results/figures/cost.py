"""What a row costs against its error: parameters, multiply-adds, seconds of a trial; and the Pareto front."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from scipy import stats

from senet_lab.results.figures import placing, style
from senet_lab.results.figures.along import counted
from senet_lab.results.figures.shown import Shown
from senet_lab.results.signflip import ALPHA

COLUMNS = ["cost", "variant", "key", "x", "x_low", "x_high", "error_percent", "low_percent", "high_percent", "n"]
COLUMNS += ["on_front"]
TITLES = {"params": "parameters", "macs": "multiply-adds an image", "seconds": "seconds a trial"}
LONGEST_KEY = {6: 12, 24: 6}
"""Rows up to -> characters of a label that can stand beside its point; longer ones get a number."""
LOG_FROM = 8


def frame(shown: Shown) -> pd.DataFrame:
    """A line per row and cost: `x` (a count, or mean seconds with a 95 % t interval), error in percent, `on_front`.

    On the front: no other row costs as little and errs as little, one of the two less.
    """
    lines: list[tuple[Any, ...]] = []
    named = keys(shown)
    for cost in TITLES:
        rows = shown.summary
        x = rows[cost].astype("float64").to_numpy()
        front = on_front(x, rows["mean"].to_numpy(np.float64))
        for place, (_, row) in enumerate(rows.iterrows()):
            low, high = _seconds(shown.trials, row["variant"]) if cost == "seconds" else (math.nan, math.nan)
            numbers = (100 * row["mean"], 100 * row["ci_low"], 100 * row["ci_high"], row["n"])
            lines.append((cost, row["variant"], named[row["variant"]], x[place], low, high, *numbers, front[place]))
    return pd.DataFrame(lines, columns=COLUMNS)


def keys(shown: Shown) -> dict[str, str]:
    """What stands beside a row's point: its value or label if they are short, else its number in the table."""
    short = {label: _short(label, value) for label, value in shown.values.items()}
    room = next((room for rows, room in LONGEST_KEY.items() if len(short) <= rows), 0)
    if all(len(text) <= room for text in short.values()) and len(set(short.values())) == len(short):
        return short
    return {label: str(i + 1) for i, label in enumerate(shown.labels)}


def _short(label: str, value: Any) -> str:
    """`16` of `reduction=16`; a row that was given a name keeps it."""
    return str(value) if value is not None and label.endswith(f"={value}") else label


def on_front(x: "np.ndarray[Any, Any]", error: "np.ndarray[Any, Any]") -> list[bool]:
    """Whether no other point is as low in both and lower in one; NaN is on no front and beats nobody."""
    found = []
    for cost, mean in zip(x, error, strict=True):
        beaten = (x <= cost) & (error <= mean) & ((x < cost) | (error < mean))
        found.append(bool(np.isfinite(cost) and np.isfinite(mean) and not beaten.any()))
    return found


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """Three panels with one error axis, beside each other or, in a column, below each other."""
    wide = width > style.NARROW + 3
    key = key_lines(shown, marks, width)
    with style.style():
        height = (6.2 if wide else 14.5) + 0.36 * key.count("\n") + (0.5 if key else 0)
        figure = style.sheet(width, height)
        panels = figure.subplots(*((1, 3) if wide else (3, 1)), sharey=True)
        for ax, (cost, title) in zip(panels, TITLES.items(), strict=True):
            panel(marks[marks["cost"] == cost], title, ax)
            if wide and ax is not panels[0]:
                ax.tick_params(labelleft=False)
            else:
                ax.set_ylabel("test error (%)")
        if key:
            figure.supxlabel(key, fontsize=style.SMALL, x=0.01, ha="left")
        style.settle(figure)
        for ax, cost in zip(panels, TITLES, strict=True):  # the axes stand now: nothing below may move them
            front_line(marks[marks["cost"] == cost], ax)
            name_points(marks[marks["cost"] == cost], ax)
    return figure


def panel(rows: pd.DataFrame, title: str, ax: Axes) -> Axes:
    """One cost: points with intervals, those on the front dark and joined, the others paler."""
    rows = rows.dropna(subset=["x", "error_percent"])
    paler: dict[str, Any] = {"fmt": "s", "color": "0.6", "markerfacecolor": "white", "zorder": 2}
    for front, look in ((False, paler), (True, {"fmt": "o", "color": style.DARK, "zorder": 3})):
        own = rows[rows["on_front"] == front]
        if own.empty:
            continue
        ends = [own["error_percent"] - own["low_percent"], own["high_percent"] - own["error_percent"]]
        sides = [own["x"] - own["x_low"], own["x_high"] - own["x"]]
        ax.errorbar(own["x"], own["error_percent"], ends, sides, elinewidth=0.9, capsize=0, markersize=4, **look)
    cost_axis(ax, title, rows["x"])
    ax.margins(x=0.14, y=0.12)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    if rows.empty:
        style.nothing(ax).set_xticks([])
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    return style.tidy(ax)


def front_line(rows: pd.DataFrame, ax: Axes) -> Axes:
    """The edge of what the front leaves behind: down to its cheapest row, in steps, and on from its best."""
    x, y = front_corners(rows, ax)
    ax.plot(x, y, color=style.GREY, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1, scalex=False, scaley=False)
    return ax


def front_corners(rows: pd.DataFrame, ax: Axes) -> tuple[list[float], list[float]]:
    """Corner by corner from the panel's top to its right edge; nothing without a front."""
    edge = rows[rows["on_front"]].sort_values(["x", "error_percent"])
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    x, y = [], [top] if len(edge) else []
    for cost, error in zip(edge["x"], edge["error_percent"], strict=True):
        x += [cost, cost]
        y += [error, error]
    return [*x, right] if len(edge) else [], y


def cost_axis(ax: Axes, title: str, x: "pd.Series[float]") -> Axes:
    """A few ticks in a unit that the label names; a log axis where the costs span much."""
    most, least = float(x.max()) if len(x) else 1.0, float(x.min()) if len(x) else 1.0
    unit, size = next(((u, s) for u, s in (("billions", 1e9), ("millions", 1e6)) if most >= s), ("", 1.0))
    if least > 0 and most / least >= LOG_FROM:
        ax.set_xscale("log")
        subs = (1, 2, 5) if most / least < 30 else (1, 3) if most / least < 300 else (1,)
        ax.xaxis.set_major_locator(LogLocator(subs=subs))
        ax.set_xticks([], minor=True)
    else:
        ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / size:,.6g}"))
    ax.set_xlabel(f"{title} ({unit})" if unit else title)
    return ax


def name_points(rows: pd.DataFrame, ax: Axes) -> Axes:
    """Each point's key beside it, those on the front first."""
    rows = rows.dropna(subset=["x", "error_percent"]).sort_values("on_front", ascending=False, kind="stable")
    upright = rows[["x", "low_percent", "x", "high_percent"]].dropna().to_numpy(np.float64)
    level = rows[["x_low", "error_percent", "x_high", "error_percent"]].dropna().to_numpy(np.float64)
    corners = [*zip(*front_corners(rows, ax), strict=True)]
    steps = [(*a, *b) for a, b in itertools.pairwise(corners)]
    looks = [style.DARK if front else style.GREY for front in rows["on_front"]]
    points = rows[["x", "error_percent"]].to_numpy(np.float64)
    return placing.names(ax, rows["key"].tolist(), points, [*upright, *level, *steps], looks)


def key_lines(shown: Shown, marks: pd.DataFrame, width: float) -> str:
    """Which number is which row, in lines; "" where the points carry names of their own."""
    named = dict(zip(marks["variant"], marks["key"], strict=True))
    if [*named.values()] != [str(i + 1) for i in range(len(named))]:
        return ""
    longest, lines = int(width * 6.2), [""]
    for label, key in named.items():
        piece = f"{key} {label}"
        if lines[-1] and len(lines[-1]) + len(piece) + 3 > longest:
            lines.append("")
        lines[-1] += ("   " if lines[-1] else "") + piece
    return "\n".join(lines)


def _seconds(trials: pd.DataFrame, label: str) -> tuple[float, float]:
    """95 % Student-t interval of the mean seconds of a row's trials; NaN if n < 2."""
    seconds = trials.loc[trials["variant"] == label, "seconds"].to_numpy(np.float64)
    if len(seconds) < 2:
        return math.nan, math.nan
    half = float(stats.t.isf(ALPHA / 2, len(seconds) - 1) * seconds.std(ddof=1) / math.sqrt(len(seconds)))
    return max(0.0, float(seconds.mean()) - half), float(seconds.mean()) + half


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """One sentence: what is drawn, n, kind of interval; and how far a front can be believed."""
    return (
        f"Test error against what a row costs ({counted(marks['n'], 'seed')}; 95 % Student-t intervals of the means, "
        f"of the seconds too, as measured whatever else ran); dark and joined: the Pareto front of the means, itself "
        f"uncertain, as rows whose intervals overlap may change places in it."
    )
