"""The candidates of a search as lines through all of their settings to their results: parallel coordinates."""

from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from senet_lab.results import outcomes
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
LETTERS = 20
"""Of an axis' name, in a line."""
PITCH = 1.25
"""Centimetres from axis to axis."""
BELOW = 0.26
"""Of that, from an axis to its texts."""
ROOM = 0.06
"""Of an axis' length, that a number takes."""
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
    for at, (_, one) in enumerate(done.iterrows()):
        for axis, (scale, values) in columns.items():
            aside = SPREAD * rank.iloc[at] * (1 / max(4, len(scale.options)) if scale.options else 0.0)
            value = values.iloc[at]
            place = scale.place(value) + (0.04 * rank.iloc[at] if pd.isna(value) else aside)
            known = (100 * one["validation_error"], one["chosen"], one["measured_as"])
            lines.append((one["number"], axis, value_text(value), place, *known))
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
    """A level axis each, one below the other; lines dark where the error is low; `width` in centimetres."""
    scales = {axis: scale for axis, (scale, _) in _columns(shown).items()}
    with style.style():
        figure = style.sheet(width, PITCH * len(scales) + 0.9)
        ax = figure.subplots()
        lines(marks, list(scales), ax)
        for y, scale in enumerate(scales.values()):
            level(y, scale, ax, 0.7 * width)
        letters = LETTERS if width > style.NARROW + 3 else LETTERS - 5
        names = [style.fold(scale.name + " (log)" * scale.log, letters) for scale in scales.values()]
        ax.set_yticks(range(len(scales)), names)
        ax.set_ylim(len(scales) - 0.25, -0.3)
        ax.set_xlim(min(-0.03, marks["place"].min() - 0.03 if len(marks) else 0.0), 1.06)
        ax.set_xticks([])
        sns.despine(ax=ax, left=True, bottom=True)
        ax.tick_params(axis="y", length=0)
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
        ax.plot(table.loc[number], range(len(axes)), color=shade, **({"zorder": 2} | look))
    _numbered(labels[labels["chosen"]], place, len(axes) - 1, ax)
    return ax


def _numbered(chosen: pd.DataFrame, place: "pd.Series[float]", y: int, ax: Axes) -> None:
    """The numbers of what was chosen below the error's axis, pushed apart where they would touch."""
    last = -1.0
    for number in sorted(chosen.index, key=lambda n: place[n]):
        label = str(chosen.loc[number, "label"]).removeprefix("candidate ")
        last = max(last + ROOM, float(place[number]))
        look: dict[str, Any] = {"color": style.DARK, "fontweight": "bold", "ha": "center", "va": "center"}
        ax.text(last, y + BELOW + 0.3, label, fontsize=style.SMALL, **look)
        last += ROOM * max(0, len(label) - 2) / 2


def level(y: int, scale: Scale, ax: Axes, room: float) -> Axes:
    """One axis with the texts of its ticks below it, in so many centimetres."""
    ticks = scale.ticks()
    ax.plot([NOWHERE if scale.conditional else 0.0, 1], [y, y], color=style.GREY, linewidth=0.8, zorder=4)
    for place, text in ticks:
        ax.plot([place, place], [y - 0.05, y + 0.05], color=style.GREY, linewidth=0.8, zorder=4)
        folded = style.fold(text, max(6, int(6 * room / len(scale.options)))) if scale.options else text
        look: dict[str, Any] = {"va": "center", "ha": "center", "fontsize": style.SMALL, "bbox": BOX, "zorder": 5}
        ax.text(place, y + BELOW, folded, **look)
    return ax


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """What a line is and what its looks say."""
    assert shown.tried is not None
    each = outcomes.to_their_end(shown.tried, f"{marks['number'].nunique():,}")
    without = " -: the setting does not apply." if (marks["value"] == "-").any() else ""
    return (
        f"A line each through its settings to its results: {each}, one training each; the darker, the lower its "
        f"validation error; thick and numbered: trained again on fresh seeds. Within an option, further left is a "
        f"lower error.{without}"
    )
