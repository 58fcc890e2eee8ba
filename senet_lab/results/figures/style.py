"""How figures look: sizes for print, marks that survive grey, rows with their words beside them.

Text is 7 to 8 pt at the size that is asked for, so a figure is made at the width at which it is printed.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from senet_lab.results.stats import points

WIDE, NARROW = 17.0, 8.5
"""Centimetres: a page's text, and a column of two."""
CM = 1 / 2.54
ROW = 0.62
"""Centimetres of height a row."""
INK, GREY, PALE = "0.1", "0.4", "0.9"
BLUE, ORANGE, GREEN, RED, PINK, BROWN = sns.color_palette("colorblind").as_hex()[:6]
DARK = "#00436b"
SMALL, TEXT = 7, 8
"""Points."""
SHORT = {"model.se.reduction": "reduction ratio r", "train.learning_rate": "learning rate", "seed": "seed"}

VERDICTS: dict[str, dict[str, Any]] = {
    "better": {"marker": "o", "color": DARK, "markerfacecolor": DARK},
    "worse": {"marker": "s", "color": RED, "markerfacecolor": RED},
    "equivalent": {"marker": "D", "color": GREEN, "markerfacecolor": "white"},
    "undecided": {"marker": "o", "color": GREY, "markerfacecolor": "white"},
}
"""Filled where a difference is found; the shape tells which way."""
SERIES: tuple[dict[str, Any], ...] = (
    {"color": DARK, "marker": "o", "linestyle": "-"},
    {"color": ORANGE, "marker": "s", "linestyle": "--"},
    {"color": GREEN, "marker": "^", "linestyle": "-."},
    {"color": PINK, "marker": "D", "linestyle": ":"},
    {"color": RED, "marker": "v", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
    {"color": BROWN, "marker": "P", "linestyle": (0, (1, 1))},
)
"""Things beside each other, by colour, shape and line."""


@contextmanager
def style() -> Iterator[None]:
    """Sizes for print, text kept as text in PDF and SVG; the caller's own settings come back afterwards."""
    sizes: dict[str, Any] = {
        "font.size": TEXT,
        "axes.titlesize": TEXT,
        "axes.labelsize": TEXT,
        "legend.fontsize": SMALL,
    }
    sizes |= {"xtick.labelsize": SMALL, "ytick.labelsize": SMALL, "lines.linewidth": 1.2, "axes.linewidth": 0.6}
    ticks = {f"{axis}tick.major.{what}": size for axis in "xy" for what, size in (("width", 0.6), ("size", 3.0))}
    files = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "senet-lab"}
    colours = {"text.color": INK, "axes.edgecolor": GREY, "axes.labelcolor": INK, "axes.unicode_minus": True}
    with mpl.rc_context(sns.axes_style("ticks") | sizes | ticks | files | colours):
        yield


def sheet(width: float, height: float) -> Figure:
    """An empty figure, sizes in centimetres."""
    return Figure(figsize=(width * CM, height * CM), layout="constrained")


def settle(figure: Figure) -> Figure:
    """Lay out once and for all: each format would do it again otherwise."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return figure


def tidy(ax: Axes) -> Axes:
    """No frame but the two axes."""
    sns.despine(ax=ax)
    return ax


def nothing(ax: Axes) -> Axes:
    """Says that there is nothing to draw, and takes the numbers from axes that have none."""
    ax.text(0.5, 0.5, "no trial is done yet", transform=ax.transAxes, ha="center", va="center", color=GREY)
    ax.set_yticks([])
    ax.grid(False)
    return ax


def fold(label: str, characters: int = 24) -> str:
    """A label in lines of up to `characters`; what has no spaces breaks after `,`, `_` and `=`."""
    if len(label) <= characters:
        return label
    loose = label.replace(",", ",\0").replace("_", "_\0").replace(" ", " \0")
    lines = [""]
    for piece in loose.split("\0"):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > characters:
            lines.append("")
        lines[-1] += piece
    return "\n".join(part for line in lines for part in textwrap.wrap(line.rstrip(), characters) or [""])


def label_width(width: float) -> int:
    """Characters of a row's label in a figure of `width` centimetres."""
    return 30 if width > 12 else 18


def rows_height(labels: Iterable[str], characters: int, a_row: float = ROW) -> float:
    """Centimetres that the rows take: one of two lines takes more."""
    return sum(max(a_row, 0.32 * (1 + fold(label, characters).count("\n")) + 0.15) for label in labels)


def difference_label(to: str, width: float) -> str:
    """What differences are measured in, in as many lines as the width takes."""
    return "\n".join(textwrap.wrap(f"difference in test error to {to} (points)", int(5.4 * width - 8)))


def row_axis(ax: Axes, labels: Sequence[str], characters: int, starts: Iterable[int] | None = None) -> Axes:
    """A line per row, the first on top; a thin line above each row, or above those of `starts` only."""
    ax.set_yticks(range(len(labels)), [fold(label, characters) for label in labels])
    ax.set_ylim(max(1, len(labels)) - 0.5, -0.5)  # a search whose best is its base compares nothing
    ax.tick_params(axis="y", length=0)
    for start in range(1, len(labels)) if starts is None else starts:
        ax.axhline(start - 0.5, color=PALE, linewidth=0.5, zorder=0.2)
    ax.grid(axis="x", color=PALE, linewidth=0.6)
    ax.set_axisbelow(True)
    sns.despine(ax=ax, left=True)
    return ax


def column(ax: Axes, places: Sequence[float], texts: Sequence[str], head: str, right: float) -> Axes:
    """Words in a column, `right` points from the right edge of `ax`, under a grey head."""
    look: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "fontsize": SMALL}
    for place, text in zip(places, texts, strict=True):
        ax.annotate(text, (1, place), (right, 0), va="center", annotation_clip=False, **look)
    if head:
        above: dict[str, Any] = look | {"xycoords": "axes fraction", "color": GREY}
        ax.annotate(head, (1, 1), (right, 4), va="bottom", annotation_clip=False, **above)
    return ax


def shade_margin(ax: Axes, margin: float) -> Axes:
    """The zero line and, in points, the differences that the sweep calls equivalent."""
    ends = (-100 * margin, 100 * margin)
    ax.axvline(0, color=INK, linewidth=0.8, zorder=1)
    ax.axvspan(*ends, facecolor="0.93", linewidth=0, zorder=0, label=f"within the margin of {points(margin)}")
    for end in ends:
        ax.axvline(end, color="0.6", linewidth=0.6, linestyle=(0, (1, 2)), zorder=0.5)
    return ax


def directions(ax: Axes) -> Axes:
    """Which way is which, above the panel's corners: differences are errors, so left is better."""
    look: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": SMALL}
    ax.annotate("← better", (0, 1), (0, 4), ha="left", va="bottom", color=GREY, **look)
    ax.annotate("worse →", (1, 1), (0, 4), ha="right", va="bottom", color=GREY, **look)
    return ax


def bars(ax: Axes, x: float, y: float, low: float, high: float, dotted: bool = False, **look: Any) -> Axes:
    """A point with its horizontal interval, dotted where `dotted`; the point alone where there is none."""
    known = low == low and high == high
    ends = [[x - low], [high - x]] if known else None
    drawn = ax.errorbar(
        [x], [y], xerr=ends, **({"capsize": 2, "elinewidth": 1.1, "markersize": 4.5, "zorder": 3} | look)
    )
    for line in drawn.lines[2] if dotted else ():
        line.set_linestyle((0, (1, 1.5)))
    return ax
