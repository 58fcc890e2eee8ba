"""Figures draw `tables.figure_frame` and compute nothing. Panels take an `ax` and return it.

A sweep with one numeric factor is drawn along that factor, rows without a value (controls) as
lines across. Any other sweep is drawn a line per row. Everything is told apart by marker and line
style as well as by colour, so that it survives a grey print.
"""

import itertools
import math
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from senet_lab.results.stats import points

SHORT = {"model.se.reduction": "reduction ratio r", "train.learning_rate": "learning rate", "seed": "seed"}
PANELS = {
    "error": "test error (%), 95 % CI",
    "difference": "difference to {baseline} (points), joint 95 % CI",
    "parameters": "parameters",
}
BLUE, ORANGE, GREEN, RED, *_ = sns.color_palette("colorblind")
GREY = "0.35"
PAPER = {"v4": ("s", ORANGE), "CVPR": ("^", GREEN)}
LINES = ("--", "-.", ":")
ASIDE = (0.2, 0.36)  # of a row's height, from our point to those of the paper
TITLE = 36  # characters of a panel's title in a line, where rows are drawn
LOG_FROM = 4  # a factor that spans less than fourfold keeps a linear axis


def draw(marks: pd.DataFrame, factor: str | None, baseline: str, margin: float) -> Figure:
    """The figure of a sweep from its `figure_frame`; `factor` names the x axis, `margin` is a fraction."""
    along = factor is not None and is_numeric(marks)
    rows = marks.loc[marks["panel"] == "error", "variant"].nunique()
    single = len(marks[(marks["panel"] == "difference") & (marks["source"] == "ours")]) == 1  # its interval joins none
    with _style():
        figure = Figure(figsize=(10.5, 3.7) if along else (10.5, 1.7 + 0.32 * rows), layout="constrained")
        axes = figure.subplots(1, 3, sharex=along, sharey=not along, width_ratios=(1, 1.25, 0.8) if along else None)
        for ax, letter, (panel, label) in zip(axes, "abc", PANELS.items(), strict=True):
            if along:
                scale(marks, SHORT.get(str(factor), str(factor)), across(marks, panel, ax))
            else:
                by_row(marks, panel, ax)
            title = f"{letter}  {label.replace('joint ', '') if single else label}".format(baseline=baseline)
            ax.set_title(title if along else _folded(title), loc="left", fontweight="bold")
            sns.despine(ax=ax)
        shade_margin(axes[1], margin, vertical=not along)
        thousands(axes[2].xaxis if not along else axes[2].yaxis)
        legend(figure)
    return figure


def is_numeric(marks: pd.DataFrame) -> bool:
    """Whether the rows of the sweep lie along a number, two of them at least."""
    values = marks.loc[marks["panel"] == "error", "value"].dropna()
    return values.nunique() > 1 and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def across(marks: pd.DataFrame, panel: str, ax: Axes) -> Axes:
    """One panel along a numeric factor: our rows with intervals, controls as bands, the paper's points."""
    drawn = marks[marks["panel"] == panel]
    ours, paper = drawn[drawn["source"] == "ours"], drawn[drawn["source"] != "ours"]
    for line, (_, row) in zip(itertools.cycle(LINES), ours[ours["value"].isna()].iterrows(), strict=False):
        known = not math.isnan(row["low"])
        label = f"{row['variant']}, mean" + " and 95 % interval" * known
        ax.axhline(row["y"], color=GREY, linestyle=line, label=label, zorder=1)
        if known:
            ax.axhspan(row["low"], row["high"], color=GREY, alpha=0.15, linewidth=0, label=label, zorder=0)
    own = ours.dropna(subset="value").sort_values("value")
    ax.plot(own["value"], own["y"], color=BLUE, alpha=0.35, zorder=2)
    with_interval(own, ax, "value")
    for source, entries in paper.dropna(subset="value").groupby("source", sort=False):
        along = entries.sort_values("value")
        ax.plot(along["value"], along["y"], linestyle=":", **_paper(str(source), entries))
    return ax


def by_row(marks: pd.DataFrame, panel: str, ax: Axes) -> Axes:
    """One panel with a line per row of the sweep, the first on top."""
    rows = marks[marks["panel"] == "error"]
    labels = rows["variant"].tolist()
    own = marks[marks["panel"] == panel]
    own, paper = own[own["source"] == "ours"], own[own["source"] != "ours"]
    with_interval(own.assign(place=[labels.index(v) for v in own["variant"]]), ax, "place", vertical=True)
    for aside, (source, entries) in zip(itertools.cycle(ASIDE), paper.groupby("source", sort=False), strict=False):
        places = [labels.index(v) + aside for v in entries["variant"]]
        ax.plot(entries["y"], places, linestyle="none", **_paper(str(source), entries))
    ax.set_yticks(range(len(labels)), [f"{v}  (n = {n})" for v, n in zip(labels, rows["n"], strict=True)])
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(axis="x", color="0.9")
    return ax


def with_interval(rows: pd.DataFrame, ax: Axes, along: str, vertical: bool = False) -> Axes:
    """Points at `along` x `y`, or turned by 90 degrees, with a capped interval where there is one."""
    errors = [(rows["y"] - rows["low"]).to_numpy(), (rows["high"] - rows["y"]).to_numpy()]
    place = rows[along].to_numpy()
    x, y = (rows["y"].to_numpy(), place) if vertical else (place, rows["y"].to_numpy())
    bars: dict[str, Any] = {"xerr" if vertical else "yerr": errors, "capsize": 3, "elinewidth": 1.3}
    ax.errorbar(x, y, fmt="o", color=BLUE, markersize=5, zorder=3, label=_ours(rows["n"]), **bars)
    return ax


def shade_margin(ax: Axes, margin: float, vertical: bool = False) -> Axes:
    """The zero line and, in points, the differences that the sweep calls equivalent."""
    line, span = (ax.axvline, ax.axvspan) if vertical else (ax.axhline, ax.axhspan)
    line(0, color=GREY, linewidth=1, zorder=1)
    ends, text = (-100 * margin, 100 * margin), f"equivalence margin, {points(margin)}"
    span(*ends, facecolor="0.93", edgecolor="0.75", hatch="///", linewidth=0, zorder=0, label=text)
    return ax


def scale(marks: pd.DataFrame, label: str, ax: Axes) -> Axes:
    """A log axis where the values are positive and span enough, ticked at the values themselves."""
    values = sorted({float(v) for v in marks.loc[marks["panel"] == "error", "value"].dropna()})
    if values[0] > 0 and values[-1] / values[0] >= LOG_FROM:
        ax.set_xscale("log", base=2 if all(math.log2(v).is_integer() for v in values) else 10)
    ax.set_xticks(values, [f"{v:g}" for v in values])
    ax.set_xticks([], minor=True)
    ax.set_xmargin(0.08)
    ax.set_xlabel(label)
    return ax


def thousands(axis: Axis) -> Axis:
    """Counts as 17,000 instead of 17000, ticked at whole numbers: a fraction would be labelled as another value."""
    axis.set_major_locator(MaxNLocator(4, integer=True))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return axis


def legend(figure: Figure) -> Figure:
    """One legend below all panels, each thing once; what shares a label in a panel shares its key."""
    keys: dict[str, tuple[Artist, ...]] = {}
    for ax in figure.axes[:2]:
        handles, labels = ax.get_legend_handles_labels()
        for label in [name for name in dict.fromkeys(labels) if name not in keys]:
            keys[label] = tuple(h for h, own in zip(handles, labels, strict=True) if own == label)
    single: list[Any] = [parts if len(parts) > 1 else parts[0] for parts in keys.values()]
    figure.legend(single, list(keys), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _folded(title: str) -> str:
    """What is measured, and below it in what."""
    what, bracket, unit = title.rpartition(" (")
    lines = textwrap.wrap(what, TITLE, break_on_hyphens=False) if bracket else [title]
    return "\n".join([*lines, f"({unit}"] if bracket else lines)


def _paper(source: str, entries: pd.DataFrame) -> dict[str, Any]:
    """How the paper's points look."""
    marker, colour = PAPER.get(source, ("D", RED))
    label = f"paper on {entries['data'].iloc[0]}, {source} (n = 1)"
    return {"marker": marker, "color": colour, "markerfacecolor": "white", "markersize": 5, "label": label}


def _ours(n: "pd.Series[int]") -> str:
    """Who the points are, with their n."""
    least, most = (int(n.min()), int(n.max())) if len(n) else (0, 0)
    return f"this sweep, n = {least}" + (f" to {most}" if most > least else "")


@contextmanager
def _style() -> Iterator[None]:
    """Fonts embedded as text, sizes for print; the caller's own settings come back afterwards."""
    settings = sns.plotting_context("paper") | sns.axes_style("ticks") | {"pdf.fonttype": 42, "hatch.linewidth": 0.4}
    with mpl.rc_context(settings):
        yield
