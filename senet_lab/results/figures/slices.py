"""Validation error against each setting of a study: where good values lie, and whether that differs from row to row."""

import itertools
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from senet_lab.results import outcomes
from senet_lab.results.figures import curves, style
from senet_lab.results.figures.scales import NOWHERE, Scale, of_space
from senet_lab.results.figures.shown import Shown
from senet_lab.results.studies import value_text

COLUMNS = ["variant", "setting", "number", "value", "place", "error_percent", "chosen"]
ACROSS = 3
"""Panels beside each other, where there is one study."""
LETTERS = 5.8
"""Of a tick, in a centimetre."""
PALER: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 3.0,
    "color": "0.6",
    "markeredgewidth": 0,
    "zorder": 2,
}
CHOSEN: dict[str, Any] = {"linestyle": "none", "marker": "D", "markersize": 4.4, "color": style.DARK, "zorder": 3}


def frame(shown: Shown) -> pd.DataFrame:
    """A line per candidate that is done and setting: `value` as text, `place` on the axis (0 to 1), error in percent.

    `variant` is the row that the candidate was tried for; where the setting does not apply, the value is "-".
    """
    assert shown.tried is not None
    tried, lines = shown.tried, []
    scales = of_space(tried.names, tried.study.space)
    for _, one in tried.candidates[tried.candidates["outcome"] == "done"].iterrows():
        for path, scale in scales.items():
            value = (value_text(one[path]), scale.place(one[path]))
            lines.append((one["row"], path, one["number"], *value, 100 * one["validation_error"], one["chosen"]))
    return pd.DataFrame(lines, columns=COLUMNS)


def draw(marks: pd.DataFrame, shown: Shown, width: float = style.WIDE) -> Figure:
    """A panel per setting; of tuned rows a line of panels each, with one axis per setting; `width` in centimetres."""
    assert shown.tried is not None
    tried = shown.tried
    scales = of_space(tried.names, tried.study.space)
    rows = list(dict.fromkeys(tried.candidates["row"]))
    across = len(scales) if tried.search is None else min(len(scales), ACROSS if width > style.NARROW + 3 else 2)
    cells = [(row, path) for row in rows for path in scales]
    down = -(-len(cells) // across)
    with style.style():
        figure = style.sheet(width, (2.6 if tried.search is None else 4.4) * down + 1.2)
        axes = figure.subplots(down, across, sharey=True, squeeze=False)
        for i, ax in enumerate(axes.flat):
            if i >= len(cells):
                ax.set_visible(False)
                continue
            row, path = cells[i]
            own = marks[(marks["variant"] == row) & (marks["setting"] == path)]
            panel(own, scales[path], marks, ax)
            last = tried.search is not None or i >= len(cells) - across
            _labels(ax, scales[path], (width / across, last))
            if tried.search is None and i % across == 0:
                ax.set_title(row, loc="left", fontweight="bold")
        figure.supylabel("validation error (%)", fontsize=style.TEXT)
        return style.settle(figure)


def panel(own: pd.DataFrame, scale: Scale, all_: pd.DataFrame, ax: Axes) -> Axes:
    """One setting of one study: the candidates in grey, what was chosen as dark diamonds, all on one error axis."""
    for chosen, look in ((False, PALER), (True, CHOSEN)):
        some = own[own["chosen"] == chosen]
        ax.plot(some["place"], some["error_percent"], **look)
    curves.error_axis(ax, all_.rename(columns={"error_percent": "mean"}))
    ax.margins(y=0.15)
    ax.set_xlim((NOWHERE if scale.conditional else 0) - 0.08, 1.08)
    return ax


def _labels(ax: Axes, scale: Scale, room: tuple[float, bool]) -> None:
    """Ticks of a panel that is so many centimetres wide; words only below the last one of a column."""
    width, last = room
    ticks = scale.ticks(3 if width < 4 else 4)
    apart = min((b - a for (a, _), (b, _) in itertools.pairwise(ticks[scale.conditional :])), default=1.0)
    characters = max(4, int(LETTERS * apart * (width - 1.2)))
    texts = [(style.fold(text, characters) if scale.options else text) if last else "" for _, text in ticks]
    ax.set_xticks([place for place, _ in ticks], texts)
    if last:
        ax.set_xlabel(style.fold(scale.name, int(6 * width)) + " (log)" * scale.log)


def caption(marks: pd.DataFrame, shown: Shown) -> str:
    """What a point is, and how it may be read."""
    assert shown.tried is not None
    n = marks.groupby("variant")["number"].nunique()
    each = f"{int(n.min())}" + (f" to {int(n.max())}" if n.max() > n.min() else "") if len(n) else "0"
    without = " -: the setting does not apply." if (marks["value"] == "-").any() else ""
    if shown.tried.search is not None:
        ended = outcomes.to_their_end(shown.tried, each)
        said = f"The {ended} by each setting; diamonds: measured again on fresh seeds."
    else:
        others = outcomes.besides(shown.tried)
        ended = f" that were trained to their end (in all rows besides {others})" if others else ""
        said = f"The {each} candidates of each row{ended} by each setting; diamonds: chosen."
    return f"{said} One training each, all settings vary at once: a slope is no effect by itself.{without}"
