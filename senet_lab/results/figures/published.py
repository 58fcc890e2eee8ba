"""The paper's differences beside ours, row by row: do signs and sizes agree?

The paper's are of one run each, so training noise gives them no interval. What the finite test set alone
leaves is drawn as a dotted line: 1.96 standard errors of a difference of two error rates e1, e2 on N images
each, sqrt(e1 (1 - e1) / N + e2 (1 - e2) / N) (binomial; as if each network had images of its own. Both saw
the same, and mostly err on the same, so the line is an upper bound).
"""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from senet_lab.results.figures import style
from senet_lab.results.figures.along import counted
from senet_lab.results.figures.shown import Shown
from senet_lab.results.published import TEST_IMAGES
from senet_lab.results.stats import interval_name

COLUMNS = ["variant", "source", "data", "delta_points", "low_points", "high_points", "interval", "n", "sign", "verdict"]
LOOKS: tuple[dict[str, Any], ...] = (
    {"marker": "s", "color": style.ORANGE, "markerfacecolor": "white"},
    {"marker": "^", "color": style.GREEN, "markerfacecolor": "white"},
    {"marker": "D", "color": style.PINK, "markerfacecolor": "white"},
)
"""Of the documents, in their order."""
Z = 1.959964
"""Two-sided 95 % of the normal distribution."""


def frame(shown: Shown) -> pd.DataFrame:
    """A line per row and source ("ours", or a document's name), in points.

    `interval`: e.g. "joint 95 %" of ours, "test images" of the paper's (see above). `verdict`: of ours, as in
    `differences`; "" of the paper's. Rows that the paper has not are left out.
    """
    if shown.beside is None:
        return pd.DataFrame(columns=COLUMNS)
    pairs, lines = shown.beside.dropna(subset="paper"), []
    compared = shown.comparison.set_index("variant")[["n_pairs", "verdict"]]
    for label in [label for label in shown.labels if label in set(pairs["variant"])]:
        theirs = pairs[pairs["variant"] == label]
        own = theirs.iloc[0]
        numbers = (100 * own["ours"], 100 * own["ours_low"], 100 * own["ours_high"])
        n, verdict = compared.loc[label]
        lines.append((label, "ours", "", *numbers, interval_name(shown.comparison), n, "", verdict))
        for _, entry in theirs.iterrows():
            middle, half = 100 * entry["paper"], 100 * Z * sampling_error(entry)
            place = (label, entry["source"], entry["data"])
            lines.append((*place, middle, middle - half, middle + half, "test images", entry["n"], entry["sign"], ""))
    return pd.DataFrame(lines, columns=COLUMNS)


def sampling_error(entry: "pd.Series[Any]") -> float:
    """Standard error of a published difference, a fraction, from its test images alone."""
    images = TEST_IMAGES[entry["data"]]
    error, baseline = entry["test_error"], entry["test_error"] - entry["paper"]
    return math.sqrt((error * (1 - error) + baseline * (1 - baseline)) / images)


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """A line per row that the paper has: ours on top, the paper's below; `width` in centimetres."""
    labels, characters = [*dict.fromkeys(marks["variant"])], style.label_width(width)
    documents = [source for source in dict.fromkeys(marks["source"]) if source != "ours"]
    with style.style():
        figure = style.sheet(width, 3.2 + style.rows_height(labels, characters, 0.68 + 0.28 * len(documents)))
        ax = figure.subplots()
        for place, label in enumerate(labels):
            own = marks[marks["variant"] == label]
            for i, (_, row) in enumerate(own.iterrows()):
                y = place + 0.24 * (i - (len(own) - 1) / 2)
                style.bars(ax, row["delta_points"], y, row["low_points"], row["high_points"], **look(row, documents))
        style.shade_margin(ax, shown.margin)
        style.row_axis(ax, labels, characters)
        words = [together(marks[marks["variant"] == label]) for label in labels]
        style.column(ax, range(len(labels)), words, "sign", 6)
        style.directions(ax)
        ax.set_xlabel(style.difference_label(shown.baseline, width))
        unique = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
        unique = dict(sorted(unique.items(), key=lambda item: item[0].startswith("within")))
        columns = 2 if width > 12 else 1
        figure.legend([*unique.values()], [*unique], loc="outside lower center", ncols=columns, frameon=False)
        return style.settle(figure)


def look(row: "pd.Series[Any]", documents: list[str]) -> dict[str, Any]:
    """Ours with a capped interval, a document's with a dotted line; filled where a difference is found.

    A document's is never: nothing is found by one run.
    """
    if row["source"] == "ours":
        fill = style.VERDICTS[row["verdict"]]["markerfacecolor"]
        text = {"label": f"this sweep, {row['interval']} interval"}
        return {
            "marker": "o",
            "color": style.DARK,
            "markerfacecolor": "white" if fill == "white" else style.DARK,
        } | text
    data = "" if row["data"] in row["source"] else f"{row['data']}, "
    text = {"label": f"paper, {row['source']} ({data}n = 1), test images only"}
    return LOOKS[documents.index(row["source"]) % len(LOOKS)] | {"capsize": 0, "dotted": True} | text


def together(rows: pd.DataFrame) -> str:
    """Whether the signs agree, or why that cannot be said; a line a document where they differ."""
    signs = {row["source"]: row["sign"] for _, row in rows.iterrows() if row["sign"]}
    if len(set(signs.values())) <= 1:
        return next(iter(signs.values()), "")
    return "\n".join(f"{source}: {sign}" for source, sign in signs.items())


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """One sentence: what is drawn, n, what the lines are."""
    sets = [d for d in dict.fromkeys(marks["data"]) if d]
    images = " and ".join(dict.fromkeys(f"{TEST_IMAGES[d]:,}" for d in sets))
    pairs = counted(marks.loc[marks["source"] == "ours", "n"])
    return (
        f"Difference to {shown.baseline}: ours ({pairs} pairs, {interval_name(shown.comparison)} intervals) and the "
        f"paper's on {' and '.join(sets)} (n = 1: no interval for training noise; the dotted lines are what {images} "
        f"test images alone leave at 95 %, an upper bound, as both networks saw the same images); filled marks: a "
        f"difference is found (Holm)."
    )
