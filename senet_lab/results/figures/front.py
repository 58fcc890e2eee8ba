"""The candidates of a search by error and cost, the front of those that none beats in all, and these on fresh seeds."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from senet_lab.results import outcomes
from senet_lab.results.figures import cost, placing, style
from senet_lab.results.figures.along import counted
from senet_lab.results.figures.scales import LOG_FROM
from senet_lab.results.figures.shown import Shown
from senet_lab.results.studies import COSTS

COLUMNS = ["mark", "objective", "label", "x", "error_percent", "low_percent", "high_percent", "n", "on_front"]
TITLES = {"params": "parameters", "macs": "multiply-adds an image", "latency": "milliseconds an image"}
SCALES = {"latency": 1000.0}
OTHER: dict[str, Any] = {"marker": "o", "markersize": 3.2, "color": "0.65", "markeredgewidth": 0, "zorder": 2}
FRONT: dict[str, Any] = {"marker": "o", "markersize": 4.8, "color": style.DARK, "zorder": 4}
AGAIN: dict[str, Any] = {"fmt": "D", "color": style.ORANGE, "markerfacecolor": "white", "markersize": 4.2, "zorder": 5}
LIMIT: dict[str, Any] = {"color": style.RED, "linewidth": 0.9, "linestyle": (0, (1, 1.5))}


def frame(shown: Shown) -> pd.DataFrame:
    """Per cost: a line per candidate (`mark` "candidate"), per row on fresh seeds ("fresh seeds") and limit ("limit").

    `x` is the cost, in milliseconds where it is time; errors are of validation images, of fresh seeds the mean with
    its 95 % Student-t interval; a limit has `x` or `error_percent`.
    """
    tried, lines = shown.tried, list[tuple[Any, ...]]()
    assert tried is not None and tried.search is not None
    done = tried.candidates[tried.candidates["outcome"] == "done"]
    again = shown.chosen.set_index("variant") if shown.chosen is not None else pd.DataFrame()
    for objective in (o for o in tried.objectives if o != "error"):
        scale = SCALES.get(objective, 1.0)
        for _, one in done.iterrows():
            x, error = scale * float(one[COSTS[objective]]), 100 * one["validation_error"]
            lines.append(("candidate", objective, one["measured_as"], x, error, *3 * (math.nan,), one["on_front"]))
            if one["measured_as"] in again.index:
                row = again.loc[one["measured_as"]]
                numbers = [100 * row[f"validation_{what}"] for what in ("mean", "low", "high")]
                lines.append(("fresh seeds", objective, one["measured_as"], x, *numbers, row["n"], True))
        limits = tried.search.limits
        if objective in limits:
            lines.append(("limit", objective, "", scale * limits[objective], *4 * (math.nan,), False))
        if "error" in limits:
            lines.append(("limit", objective, "", math.nan, 100 * limits["error"], *3 * (math.nan,), False))
    return pd.DataFrame(lines, columns=COLUMNS)


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """A panel per cost, beside each other or, in a column, below each other; `width` in centimetres."""
    objectives = list(dict.fromkeys(marks["objective"]))
    wide = width > style.NARROW + 3
    with style.style():
        figure = style.sheet(width, (8.0 if wide else 7.0 * len(objectives)) + 0.6)
        shape = (1, len(objectives)) if wide else (len(objectives), 1)
        panels = [*figure.subplots(*shape, sharey=True, squeeze=False).flat]
        for ax, objective in zip(panels, objectives, strict=True):
            panel(marks[marks["objective"] == objective], objective, ax)
            if not wide or ax is panels[0]:
                ax.set_ylabel("validation error (%)")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4 if wide else 2, frameon=False)
        style.settle(figure)
        for ax, objective in zip(panels, objectives, strict=True):  # the axes stand now: nothing below may move them
            over(marks[marks["objective"] == objective], ax, steps=len(objectives) == 1)
    return figure


def panel(rows: pd.DataFrame, objective: str, ax: Axes) -> Axes:
    """One cost: all candidates grey, the front dark, fresh seeds beside it with their interval."""
    found = rows[rows["mark"] == "candidate"]
    others, front = found[~found["on_front"]], found[found["on_front"]]
    ax.plot(others["x"], others["error_percent"], linestyle="none", label="candidate", **OTHER)
    ax.plot(front["x"], front["error_percent"], linestyle="none", label="on the front", **FRONT)
    again = rows[rows["mark"] == "fresh seeds"].dropna(subset="error_percent")
    for x, low, high in _pairs(found, again):
        ax.plot([x, x], [low, high], color=style.ORANGE, linewidth=0.7, linestyle=":", zorder=3)
    ends = [again["error_percent"] - again["low_percent"], again["high_percent"] - again["error_percent"]]
    ax.errorbar(again["x"], again["error_percent"], ends, capsize=2, elinewidth=0.9, label="fresh seeds", **AGAIN)
    cost.cost_axis(ax, TITLES[objective], found["x"])
    errors = found["error_percent"]
    if len(errors) and errors.min() > 0 and errors.max() / errors.min() >= LOG_FROM:
        ax.set_yscale("log")
        _plain_log(ax)
    else:
        ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.margins(x=0.08, y=0.08)
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    return style.tidy(ax)


def over(rows: pd.DataFrame, ax: Axes, steps: bool) -> Axes:
    """The front's edge (of two objectives; of three it has none in a panel), limits in sight, names of rows."""
    found = rows[rows["mark"] == "candidate"]
    corners = cost.front_corners(found, ax) if steps else ([], [])
    ax.plot(*corners, color=style.GREY, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1, scalex=False, scaley=False)
    limits = rows[rows["mark"] == "limit"]
    for x in limits["x"].dropna():
        ax.plot([x, x], ax.get_ylim(), scalex=False, scaley=False, **LIMIT)
    for error in limits["error_percent"].dropna():
        ax.plot(ax.get_xlim(), [error, error], scalex=False, scaley=False, **LIMIT)
    named = found[found["label"] != ""]
    texts = [label.removeprefix("candidate ") for label in named["label"]]
    points = named[["x", "error_percent"]].to_numpy(np.float64)
    again = rows[rows["mark"] == "fresh seeds"][["x", "low_percent", "x", "high_percent"]].dropna()
    lines = [*again.to_numpy(np.float64).tolist(), *([*a, *b] for a, b in _edges(corners))]
    return placing.names(ax, texts, points, lines, [style.DARK] * len(texts))


def _pairs(found: pd.DataFrame, again: pd.DataFrame) -> list[tuple[float, float, float]]:
    """Of each row on fresh seeds: its cost, the error that it was chosen by, and the one of fresh seeds."""
    known = found[found["label"] != ""].set_index("label")["error_percent"]
    columns = (again["label"], again["x"], again["error_percent"])
    return [(x, float(known[label]), error) for label, x, error in zip(*columns, strict=True)]


def _edges(corners: tuple[list[float], list[float]]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return [*itertools.pairwise(zip(*corners, strict=True))]


def _plain_log(ax: Axes) -> None:
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """What is drawn, of how many, and how far a front can be believed."""
    candidates = marks[(marks["mark"] == "candidate") & (marks["objective"] == marks["objective"].iloc[0])]
    again = marks[marks["mark"] == "fresh seeds"]
    seeds = f" (mean and 95 % Student-t interval, {counted(again['n'], 'seed')})" if len(again) else ""
    limits = " Dotted lines: limits." if (marks["mark"] == "limit").any() else ""
    timed = shown.tried.timed_on if shown.tried is not None and "latency" in set(marks["objective"]) else ""
    times = f" Times are of {timed}." if timed else ""
    each = outcomes.to_their_end(shown.tried, f"{len(candidates):,}") if shown.tried is not None else ""
    return (
        f"Validation error and cost of {each}, one training each; dark: the Pareto front. "
        f"Diamonds: members of it trained again on fresh seeds, on validation images too{seeds}; higher where a "
        f"member was on the front by luck, or the split that all candidates share was an easy one. Numbers: the "
        f"candidate.{limits}{times}"
    )
