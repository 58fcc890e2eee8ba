"""Each row's difference to its baseline with joint intervals, a line per row: a forest plot."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from senet_lab.results.figures import style
from senet_lab.results.figures.along import counted
from senet_lab.results.figures.shown import Shown
from senet_lab.results.stats import interval_name, points

COLUMNS = ["variant", "baseline", "delta_points", "low_points", "high_points", "n", "verdict", "within_margin"]


def frame(shown: Shown) -> pd.DataFrame:
    """A line per compared row, differences in percentage points; below 0 is better."""
    lines = [
        (
            row["variant"],
            row["baseline"],
            100 * row["delta"],
            100 * row["delta_low"],
            100 * row["delta_high"],
            row["n_pairs"],
            row["verdict"],
            row["within_margin"],
        )
        for _, row in shown.comparison.iterrows()
    ]
    return pd.DataFrame(lines, columns=COLUMNS)


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """A line per row, in the order of the table; `width` in centimetres."""
    labels, characters = marks["variant"].tolist(), style.label_width(width)
    with style.style():
        figure = style.sheet(width, 2.6 + style.rows_height(labels, characters))
        ax = figure.subplots()
        for place, (_, row) in enumerate(marks.iterrows()):
            look = dict(style.VERDICTS[row["verdict"]])
            style.bars(ax, row["delta_points"], place, row["low_points"], row["high_points"], **look)
        style.shade_margin(ax, shown.margin)
        style.row_axis(ax, labels, characters)
        style.column(ax, range(len(marks)), [str(n) for n in marks["n"]], "n", 6)
        style.column(ax, range(len(marks)), [words(row) for _, row in marks.iterrows()], "verdict", 24)
        style.directions(ax)
        ax.set_xlabel(style.difference_label(shown.baseline, width))
        legend(figure, ax)
        return style.settle(figure)


def words(row: "pd.Series[Any]") -> str:
    """The verdict as it stands at the right edge."""
    both = row["within_margin"] and row["verdict"] in ("better", "worse")
    return f"{row['verdict']},\nwithin margin" if both else str(row["verdict"])


def legend(figure: Figure, ax: Axes) -> None:
    """What is shaded, below all."""
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """One sentence: what is drawn, n, kind of interval."""
    family, level = len(marks), interval_name(shown.comparison).removeprefix("joint ")
    kind = (
        f"the {family} intervals hold jointly at {level} (Student t, Bonferroni)"
        if family > 1
        else f"{level} Student t"
    )
    return (
        f"Difference in test error to {shown.baseline}, paired by seed ({counted(marks['n'])} pairs a row); {kind}; "
        f"shaded: the margin of {points(shown.margin)}; filled marks: a difference is found (Holm)."
    )
