"""Learning curves: error on the training and validation part per epoch, mean and band over seeds.

The band is the 95 % Student-t interval of the mean, epoch by epoch. Up to six rows share two panels; of
more, each is drawn beside its baseline in a small panel of its own. Losses are in the frame.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from scipy import stats

from senet_lab.results.figures import style
from senet_lab.results.figures.along import counted
from senet_lab.results.figures.shown import Shown
from senet_lab.results.signflip import ALPHA

COLUMNS = ["variant", "part", "quantity", "epoch", "mean", "low", "high", "n"]
PARTS = {"train": "training", "validation": "validation"}
TOGETHER = 6
"""Rows that can share a panel."""
LOG_FROM = 8


def frame(shown: Shown) -> pd.DataFrame:
    """A line per row, part, quantity ("error" in percent, "loss") and epoch: mean, 95 % t interval, n.

    A loss or error of an epoch is over the seeds that have it; no interval where n < 2.
    """
    found, order = [], {label: i for i, label in enumerate(shown.labels)}
    for part in PARTS:
        for quantity, scale in (("error", 100.0), ("loss", 1.0)):
            values = shown.epochs[f"{part}_{quantity}"] * scale
            groups = values.groupby([shown.epochs["variant"], shown.epochs["epoch"]], sort=False)
            table = groups.agg(["mean", "std", "count"]).reset_index().rename(columns={"count": "n"})
            n = table["n"].to_numpy(np.float64)
            with np.errstate(invalid="ignore", divide="ignore"):
                half = stats.t.isf(ALPHA / 2, np.where(n > 1, n - 1, np.nan)) * table["std"] / np.sqrt(n)
            most = 100.0 if quantity == "error" else math.inf  # no error and no loss lies beyond
            ends = {"low": (table["mean"] - half).clip(lower=0), "high": (table["mean"] + half).clip(upper=most)}
            table = table.assign(part=part, quantity=quantity, order=table["variant"].map(order), **ends)
            found.append(table.sort_values(["order", "epoch"]))
    return pd.concat(found, ignore_index=True)[COLUMNS].astype({"n": "int64"})


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """Two panels, or a small one a row; `width` in centimetres."""
    errors = marks[marks["quantity"] == "error"]
    with style.style():
        drawn = together if len(shown.labels) <= TOGETHER else apart
        return style.settle(drawn(errors, shown, width))


def together(errors: pd.DataFrame, shown: Shown, width: float) -> Figure:
    """All rows in two panels, training and validation, one legend."""
    wide = width > style.NARROW + 3
    figure = style.sheet(width, 7.4 if wide else 12.5)
    axes = figure.subplots(*((1, 2) if wide else (2, 1)), sharex=True)
    looked = looks(shown)
    for ax, (part, title) in zip(axes, PARTS.items(), strict=True):
        for label in shown.labels:
            own = errors[(errors["variant"] == label) & (errors["part"] == part)]
            line(own, ax, label, looked[label], 0.16 if label in shown.baselines else 0.08)
        ax.set_title(f"{title} part", loc="left")
        ax.set_ylabel("error (%)")
        error_axis(ax, errors[errors["part"] == part])
    for ax in axes if wide else axes[1:]:
        ax.set_xlabel("epoch")
    handles, labels = axes[0].get_legend_handles_labels()
    columns = 6 if wide else 2
    figure.legend(
        handles, [style.fold(t, 30) for t in labels], loc="outside lower center", ncols=columns, frameon=False
    )
    return figure


def apart(errors: pd.DataFrame, shown: Shown, width: float) -> Figure:
    """A panel per compared row: itself dark, its baseline grey; validation solid, training dotted."""
    pairs = dict(zip(shown.comparison["variant"], shown.comparison["baseline"], strict=True))
    alone = [label for label in shown.labels if label not in pairs and label not in pairs.values()]
    panels = [(label, pairs.get(label)) for label in shown.labels if label in pairs or label in alone]
    columns = min((4, 3), key=lambda c: -len(panels) % c) if width > style.NARROW + 3 else 2
    rows = math.ceil(len(panels) / columns)
    figure = style.sheet(width, 1.8 + 3.4 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, (label, baseline) in zip(axes, panels, strict=False):
        for name, colour, word in ((baseline, "0.55", "its baseline"), (label, style.DARK, "the row")):
            for part, dash in (("train", ":"), ("validation", "-")):
                own = errors[(errors["variant"] == name) & (errors["part"] == part)]
                line(own, ax, f"{word}, {PARTS[part]}", {"color": colour, "linestyle": dash})
        ax.set_title(style.fold(label, 22), loc="left", fontsize=style.SMALL)
        error_axis(ax, errors)
    for place, ax in enumerate(axes):
        ax.set_visible(place < len(panels))
        ax.tick_params(labelbottom=place + columns >= len(panels))  # nothing stands below it
    figure.supxlabel("epoch", fontsize=style.TEXT)
    figure.supylabel("error (%)", fontsize=style.TEXT)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4 if columns > 2 else 2, frameon=False)
    return figure


def line(rows: pd.DataFrame, ax: Axes, label: str, look: dict[str, Any], dense: float = 0.16) -> Axes:
    """A mean with its band, `dense` by so much; dots where there is one epoch only."""
    dot = {"marker": "o", "markersize": 3} if len(rows) == 1 else {}
    ax.plot(rows["epoch"], rows["mean"], label=label, **(look | dot))
    if rows["low"].notna().any():
        ax.fill_between(
            rows["epoch"], rows["low"], rows["high"], color=look["color"], alpha=0.18, linewidth=0, zorder=1
        )
    return ax


def looks(shown: Shown) -> dict[str, dict[str, Any]]:
    """Label -> look: baselines black; along a number from dark to light, else colours; dashes differ in any case."""
    others = [label for label in shown.labels if label not in shown.baselines]
    ramp = sns.color_palette("viridis", n_colors=max(1, len(others)) + 1).as_hex()
    found: dict[str, dict[str, Any]] = {}
    for i, label in enumerate(others):
        series = style.SERIES[i % len(style.SERIES)]
        colour = ramp[i] if shown.numeric else series["color"]
        found[label] = {"color": colour, "linestyle": style.SERIES[(i + 1) % len(style.SERIES)]["linestyle"]}
    for i, label in enumerate(shown.baselines):
        found[label] = {"color": "black", "linestyle": "-" if i == 0 else "--", "linewidth": 1.6}
    return found


def error_axis(ax: Axes, errors: pd.DataFrame) -> Axes:
    """Log where the means span much, so that the last epochs can be told apart; linear about an error of 0."""
    means = errors["mean"].dropna()
    ax.yaxis.set_major_locator(MaxNLocator(5))
    positive = means[means > 0]
    if len(positive) and positive.max() / positive.min() >= LOG_FROM:
        if positive.min() == means.min():
            ax.set_yscale("log")
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if positive.max() / positive.min() < 100 else (1, 3)))
            ax.set_ylim(positive.min() / 1.5, positive.max() * 1.2)
        else:
            ax.set_yscale("symlog", linthresh=float(positive.min()))
            ax.set_ylim(bottom=-0.1 * positive.min())
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=[1, 2, 5, 10]))
    if means.empty:
        style.nothing(ax).set_xticks([])
    ax.grid(axis="y", color=style.PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    return style.tidy(ax)


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """One sentence: what is drawn, n, kind of band."""
    n = counted(shown.summary["n"])
    return (
        f"Error per epoch on the training part (while weights move, augmented) and on the validation part: mean over "
        f"seeds ({n} a row), band: 95 % Student-t interval of the mean at each epoch by itself."
    )
