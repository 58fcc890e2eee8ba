"""Every candidate of a search as a line through all of its settings to its results: parallel coordinates."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from senet_lab.results.figures import style
from senet_lab.results.figures.scales import NOWHERE, Scale, of_result, of_space
from senet_lab.results.figures.shown import Shown
from senet_lab.results.studies import COSTS, value_text

COLUMNS = ["number", "axis", "value", "place", "error_percent", "chosen", "label"]
RESULTS = {"params": "parameters", "macs": "multiply-adds", "latency": "ms an image"}
ERROR = "validation error (%)"
SPREAD = 0.3
"""Of the distance of two options, over which their candidates are spread."""
SHADES = 64
LETTERS = 16
"""Of an axis' name, in a line."""
BOX: dict[str, Any] = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}


def frame(shown: Shown) -> pd.DataFrame:
    """A line per candidate that is done and axis (settings by dotted path, then costs, then the error).

    `value` as text, `place` on the axis (0 to 1; below 0: does not apply); options are spread a little by the rank of
    the error, so that their lines can be told apart.
    """
    tried, lines = shown.tried, []
    assert tried is not None
    done = tried.candidates[tried.candidates["outcome"] == "done"]
    rank = done["validation_error"].rank(method="first").sub(1).div(max(1, len(done) - 1)).sub(0.5)
    columns = _columns(shown)
    for at, one in done.iterrows():
        for axis, (scale, values) in columns.items():
            aside = SPREAD * rank[at] * (1 / max(2, len(scale.options)) if scale.options else 0.0)
            aside = 0.04 * rank[at] if pd.isna(values[at]) else aside
            place = scale.place(values[at]) + aside
            known = (100 * one["validation_error"], one["chosen"], one["measured_as"])
            lines.append((one["number"], axis, value_text(values[at]), place, *known))
    return pd.DataFrame(lines, columns=COLUMNS)


def _columns(shown: Shown) -> "dict[str, tuple[Scale, pd.Series[Any]]]":
    """Axis -> its scale, and what each candidate that is done has there."""
    tried = shown.tried
    assert tried is not None
    done = tried.candidates[tried.candidates["outcome"] == "done"]
    found = {path: (scale, done[path]) for path, scale in of_space(tried.names, tried.study.space).items()}
    for objective in (o for o in tried.objectives if o in COSTS):
        values = done[COSTS[objective]].astype("float64") * (1000 if objective == "latency" else 1)
        found[objective] = (of_result(RESULTS[objective], values), values)
    errors = 100 * done["validation_error"]
    return found | {"error": (of_result(ERROR, errors), errors)}


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """An upright axis each, side by side; lines dark where the error is low; `width` in centimetres."""
    scales = {axis: scale for axis, (scale, _) in _columns(shown).items()}
    wide = width > style.NARROW + 3
    with style.style():
        figure = style.sheet(width, 8.5 if wide else 7.5)
        ax = figure.subplots()
        lines(marks, list(scales), ax)
        for x, scale in enumerate(scales.values()):
            upright(x, scale, ax, 0.9 * width / len(scales))
        names = [style.fold(scale.name + " (log)" * scale.log, LETTERS) for scale in scales.values()]
        turned: dict[str, Any] = {} if wide else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        ax.set_xticks(range(len(scales)), names, **turned)
        ax.set_xlim(-0.25, len(scales) - 0.5)
        ax.set_ylim(-0.07 + min(0.0, marks["place"].min() if len(marks) else 0.0), 1.07)
        ax.set_yticks([])
        sns.despine(ax=ax, left=True, bottom=True)
        ax.tick_params(axis="x", length=0)
        return style.settle(figure)


def lines(marks: pd.DataFrame, axes: list[str], ax: Axes) -> Axes:
    """The candidates, those of the lowest errors last; what was chosen thicker, with its number at the error."""
    shades = sns.color_palette("viridis", n_colors=SHADES).as_hex()
    place = marks[marks["axis"] == axes[-1]].set_index("number")["place"]
    table = marks.pivot(index="number", columns="axis", values="place")[axes]
    labels = marks.drop_duplicates("number").set_index("number")
    order = sorted(table.index, key=lambda number: (bool(labels.loc[number, "chosen"]), -place[number]))
    for number in order:
        chosen = bool(labels.loc[number, "chosen"])
        look: dict[str, Any] = {"linewidth": 1.8, "zorder": 3} if chosen else {"linewidth": 0.7, "alpha": 0.7}
        shade = shades[int(np.clip(place[number], 0, 1) * (SHADES - 8))]
        ax.plot(range(len(axes)), table.loc[number], color=shade, **({"zorder": 2} | look))
    _numbered(labels[labels["chosen"]], place, len(axes) - 1, ax)
    return ax


def _numbered(chosen: pd.DataFrame, place: "pd.Series[float]", x: int, ax: Axes) -> None:
    """The numbers of what was chosen right of the error's axis, pushed apart where they would touch."""
    last = -1.0
    for number in sorted(chosen.index, key=lambda n: place[n]):
        last = max(last + 0.045, float(place[number]))
        label = str(chosen.loc[number, "label"]).removeprefix("candidate ")
        ax.text(x + 0.06, last, label, va="center", fontsize=style.SMALL, color=style.DARK, fontweight="bold")


def upright(x: int, scale: Scale, ax: Axes, room: float) -> Axes:
    """One axis with the texts of its ticks, in so many centimetres."""
    ticks = scale.ticks()
    low = NOWHERE if scale.conditional else 0.0
    ax.plot([x, x], [low, 1], color=style.GREY, linewidth=0.8, zorder=4)
    for place, text in ticks:
        ax.plot([x - 0.02, x + 0.02], [place, place], color=style.GREY, linewidth=0.8, zorder=4)
        folded = style.fold(text, max(9, int(5.5 * room)))
        look: dict[str, Any] = {"va": "center", "ha": "right", "fontsize": style.SMALL, "bbox": BOX, "zorder": 5}
        ax.text(x - 0.04, place, folded, **look)
    return ax


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """What a line is and what its looks say."""
    n = marks["number"].nunique()
    without = " -: the setting does not apply." if (marks["value"] == "-").any() else ""
    return (
        f"A line per candidate ({n}, one training each) through its settings to its results; the darker, the lower its "
        f"validation error; thick and numbered: trained again on fresh seeds. Within an option, lower lines have the "
        f"lower error.{without}"
    )
